"""Bodies and events without a server: the quick way and the careful way agree, and nothing gets around a limit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stats_assets.events.config import EventLimits
from stats_assets.events.envelope import BodyRefused, Judge, Judged, read_envelope
from stats_assets.events.headers import Headers
from stats_assets.events.reception import Reception
from stats_assets.events.schema_file import parse_schema

SCHEMA = parse_schema(
    """\
tables:
  typed:
    columns:
      - {name: b, type: bool}
      - {name: i, type: i32, required: true}
      - {name: l, type: i64}
      - {name: f, type: f32}
      - {name: d, type: f64}
      - {name: s}
      - {name: t, type: timestamp}
      - {name: r, header: Referer}
  bare: {columns: []}
  strict: {columns: [{name: ua, header: User-Agent, required: true}, {name: event_id, required: true}]}
apps:
  game: {secret_key: k, tables: [typed, bare, strict]}
  idle: {secret_key: k, tables: []}
""",
    {},
    "events.yaml",
)
LIMITS = EventLimits()
JUDGE = Judge.of(SCHEMA, "game", LIMITS)


def judged(body: bytes, judge: Judge = JUDGE, headers: Headers | None = None) -> Judged:
    return judge.judge(body, read_envelope(body, LIMITS), headers or {})


def body_of(*events: Any, **also: Any) -> bytes:
    return json.dumps({"secret_key": "k", "events": events, **also}).encode()


def refusal(event: Any, headers: Headers | None = None) -> tuple[str, str | None]:
    (refused,) = judged(body_of(event), headers={b"user-agent": b"x"} if headers is None else headers).refused
    return refused.refusal.reason, refused.refusal.column


_numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
_edges = st.sampled_from([-(2**31) - 1, 2**31, 2**63, -(2**63), 3.5e38, 253_402_300_800, 10**309, True, None])
_times = st.sampled_from(["2019-04-01T12:00:00Z", "2019-04-01 12:00:00+01:00", "2019-04-01", "12", "1e9", "\n"])
_texts = st.text('ab\0é🚀\n"\\', max_size=4) | _times
_values = _numbers | _edges | _texts | st.booleans() | st.lists(_numbers, max_size=2) | st.just({"x": 1})
_events = st.fixed_dictionaries(
    {"_t": st.sampled_from(["typed", "bare"])},
    optional=dict.fromkeys((*"bildfstr", "event_id", "unknown"), _values),
)


@settings(deadline=None)
@given(event=_events)
def test_both_ways_take_the_same_events(event: dict[str, Any]):
    body = body_of(event)
    envelope = read_envelope(body, LIMITS)
    quick = JUDGE.judge(body, envelope, {})
    careful = JUDGE._judge_carefully(body, envelope, {})
    for column in ("positions", "tables", "event_ids"):
        assert list(getattr(quick.accepted, column)) == list(getattr(careful.accepted, column))
    assert [row[:4] for row in quick.refused] == [row[:4] for row in careful.refused]


def test_payloads_are_the_bytes_that_were_sent():
    body = b'{"events" : [ {"_t":"bare",  "x": 1.50} ,\n{"_t":"typed","i":1}],"secret_key":"k"}'
    assert [bytes(payload) for payload in judged(body).accepted.payloads] == [
        b'{"_t":"bare",  "x": 1.50}',
        b'{"_t":"typed","i":1}',
    ]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (5, ("event not an object", None)),
        ({"_t": "typed"}, ("required value omitted", "i")),
        ({"_t": "typed", "i": None}, ("required value omitted", "i")),
        ({"_t": "typed", "i": 1, "s": "a\0b"}, ("NUL character", "s")),
        ({"_t": "typed", "i": 1, "event_id": "a\0b"}, ("NUL character", "event_id")),
        ({"_t": "typed", "i": 1, "event_id": 7}, ("wrong type", "event_id")),
        ({"_t": "typed", "i": 1, "event_id": ""}, ("out of range", "event_id")),
        ({"_t": "strict"}, ("required value omitted", "event_id")),
        ({"_t": "bare; drop table events", "x": 1}, ("unknown table", "_t")),
        ({"_t": "bare"} | {f"c{i}": i for i in range(10_000)}, ("too many columns", None)),
    ],
)
def test_a_refused_event_is_told_why(event: Any, expected: tuple[str, str | None]):
    assert refusal(event) == expected


def test_a_missing_header_refuses_only_the_tables_that_need_it():
    found = judged(body_of({"_t": "bare"}, {"_t": "strict", "event_id": "1"}))
    assert found.accepted.positions == [0]
    assert [(each.position, each.refusal.column) for each in found.refused] == [(1, "ua")]


def test_a_key_named_like_a_header_column_is_an_unknown_one():
    assert judged(body_of({"_t": "typed", "i": 1, "r": "x"})).unknown_columns == {"r"}


def test_an_app_without_tables_takes_nothing():
    judge = Judge.of(SCHEMA, "idle", LIMITS)
    assert judged(body_of({"_t": "bare"}), judge).refused[0].refusal.reason == "unknown table"
    assert judged(body_of(), judge).accepted.number == 0


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b'{"secret_key":"k","events":[{"_t":"bare","x":%s}]}' % nested(30), 400, "JSON too deep"),
        (b'{"secret_key":"k","events":[],"x":%s}' % nested(32), 400, "JSON too deep"),
        (b'{"secret_key":"k","events":[{"_t":"bare","x":%s}]}' % nested(100_000), 400, "JSON too deep"),
        (b'{"secret_key":"k","events":[{"_t":"bare","x":"\xff"}]}', 400, "not UTF-8"),
        (b'{"secret_key":"k","events":[{"_t":"bare","\xff":1}]}', 400, "not UTF-8"),
        (b'{"secret_key":"k","events":[{"_t":"bare","x":1e400}]}', 400, "number out of range"),
        (b'{"secret_key":"k","events":[{"_t":"bare","x":"\\ud800"}]}', 400, "JSON eof"),
        (b'{"secret_key":"k","events":[],"events":[]}', 422, "duplicate field"),
        (b'{"secret_key":"k","events":[{"_t":"bare"}],"events":[{"_t":"bare"}]}', 422, "duplicate field"),
        (b'{"secret_key":"k","events":[],"\\u0065vents":[]}', 422, "duplicate field"),
        (b'{"secret_key":null,"events":[]}', 422, "wrong JSON type"),
        (b'{"events":[]}', 422, "missing field"),
        (b"[]", 422, "wrong JSON type"),
        (b"\xef\xbb\xbf{}", 400, "JSON syntax"),
        (b'{"secret_key":"k","events":[%s]}' % b",".join([b"0"] * 1001), 413, "too many events"),
    ],
)
def test_a_body_is_refused_as_a_whole(body: bytes, status: int, reason: str):
    with pytest.raises(BodyRefused) as raised:
        judged(body)
    assert (raised.value.status, raised.value.reason) == (status, reason)


def test_fields_of_events_may_be_named_like_those_of_the_envelope():
    found = judged(body_of({"_t": "bare", "events": 1, "secret_key": 2, "x": {"events": 3}}, note={"events": []}))
    assert found.accepted.number == 1


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" ,\n", " : ")])
def test_whitespace_makes_no_difference(separators: tuple[str, str]):
    body = json.dumps({"secret_key": "k", "events": [{"_t": "typed", "i": i} for i in range(9)]}, separators=separators)
    assert judged(body.encode()).accepted.number == 9


def reception_of(secrets: str, before: Reception | None = None) -> Reception:
    apps = f"  a: {{secret_key: {secrets}, tables: []}}\n  b: {{secret_key: other, tables: []}}\n"
    return Reception.of(parse_schema(f"tables: {{}}\napps:\n{apps}", {}, "events.yaml"), LIMITS, before)


def test_a_secret_that_was_good_is_so_for_its_app_alone_and_until_it_is_taken_away():
    first = reception_of("[old, new]")
    a, b = first.doors["a"].keeper, first.doors["b"].keeper
    assert all(a.knows(secret) for secret in ("old", "old", "new"))
    assert not any(a.knows(secret) for secret in ("other", "", "old "))
    assert not b.knows("old")
    assert not reception_of("[new]", first).doors["a"].keeper.knows("old")
