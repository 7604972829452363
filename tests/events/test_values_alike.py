"""The fast way of the typed tables takes what the careful one of the collector takes, and reads it alike."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stats_assets.events import timestamps
from stats_assets.events.block import Block
from stats_assets.events.careful_decoding import CarefulDecoder
from stats_assets.events.column_arrays import array_of_judged
from stats_assets.events.decoding import Decoded, Decoder
from stats_assets.events.schema_file import EVENT_ID, Column, EventSchema, parse_schema
from stats_assets.events.values import complaint
from stats_assets.events.verdict import judge_event
from tests.events.typed_world import schema_of

SCHEMA = schema_of(
    """
- {name: b, type: bool}
- {name: i, type: i32, required: true}
- {name: l, type: i64}
- {name: f, type: f32}
- {name: d, type: f64}
- {name: s}
- {name: t, type: timestamp}
"""
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text('aä\0"\\ 🚀', max_size=6),
    st.just({"a": [1]}),
    st.datetimes().map(lambda at: at.isoformat() + "Z"),
    st.sampled_from(["2026-02-30T00:00:00Z", "2026-11-20", "2026-11-20t10:00:00z", "2026-11-20 10:00:00+05:30"]),
)
EVENTS = st.lists(st.dictionaries(st.sampled_from(["b", "i", "l", "f", "d", "s", "t", "more"]), VALUES), max_size=40)

# A busy machine is no reason to fail.
SETTINGS = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def decoded_of(events: list[dict[str, Any]], known_versions: bool = False) -> Decoded:
    table = SCHEMA.tables["levels"]
    versions = {SCHEMA.version: {c.name: c.required for c in table.columns}} if known_versions else {}
    return Decoder("levels", table, frozenset(), versions).decode(block_of(events), [SCHEMA.version] * len(events))


def block_of(events: list[dict[str, Any]]) -> Block:
    payloads = [json.dumps({"_t": "levels", **event}).encode() for event in events]
    count = len(payloads)
    return Block(
        received_at=np.zeros(count, dtype=np.int64),
        request_id=np.zeros(count, dtype="V16"),
        request_position=np.arange(count, dtype=np.int32),
        payload_bytes=np.array([len(payload) for payload in payloads], dtype=np.int64),
        app_ids=["game"] * count,
        payloads=b",".join(payloads),
        headers=b"",
    )


@given(EVENTS)
@SETTINGS
def test_what_the_collector_takes_becomes_a_row_and_the_rest_is_refused_for_the_same_reason(
    events: list[dict[str, Any]],
):
    if not events:
        return
    decoded = decoded_of(events, known_versions=True)
    refused = {}
    for place, event in enumerate(events):
        sent = msgspec.json.decode(json.dumps({"_t": "levels", **event}))
        if refusal := judge_event(sent, SCHEMA.tables, {}, 500).refusal:
            refused[place] = (refusal.reason, refusal.column)
    assert {place: (refusal.reason, refusal.column) for place, refusal in decoded.refusals.items()} == refused
    assert decoded.rows.num_rows == len(events) - len(refused)


def test_numbers_keep_their_values_whatever_stands_beside_them():
    events = [
        {"i": 2**31 - 1, "d": 2**53 + 1, "f": 2**24 + 1, "l": 2**63 - 1, "t": "2026-11-20T10:00:00Z"},
        {"i": -(2**31), "d": 10**30, "f": 3, "l": -(2**63), "t": 1.5},
        {"i": 0, "d": -0.5, "f": 0.5, "l": None, "t": 10},
        {"i": 1, "d": True, "f": 4e38},
    ]
    decoded = decoded_of(events)
    assert {place: refusal.column for place, refusal in decoded.refusals.items()} == {3: "f"}
    rows = decoded.rows.select(["i", "d", "f", "l", "t"]).to_pylist()
    at = [datetime(2026, 11, 20, 10, tzinfo=UTC), *(datetime.fromtimestamp(t, UTC) for t in (1.5, 10))]
    assert [tuple(row.values()) for row in rows] == [
        (2**31 - 1, float(2**53 + 1), float(2**24), 2**63 - 1, at[0]),
        (-(2**31), 1e30, 3.0, -(2**63), at[1]),
        (0, -0.5, 0.5, None, at[2]),
    ]


def test_an_event_with_an_id_counts_once_whatever_becomes_of_it():
    sent: list[dict[str, Any]] = [{"i": 1}, {"i": "x"}, {"i": 1, "more": 1}, {"more": 1}, {"i": 1, "s": 5}, {}]
    decoded = decoded_of([{**event, "event_id": f"{n}"} for n, event in enumerate(sent)] + sent, known_versions=True)
    assert sorted(decoded.refusals) == [1, 3, 4, 5, 7, 9, 10, 11]
    assert decoded.identified == len(sent)


def test_an_unknown_key_in_every_event_costs_no_event_its_values():
    events = [{"i": n, f"more - at `$[{n}]`": n} for n in range(130)]
    decoded = decoded_of(events)
    assert decoded.rows.column("i").to_pylist() == list(range(130))
    assert [json.loads(extra) for extra in decoded.rows.column("extra").to_pylist()] == [
        {f"more - at `$[{n}]`": n} for n in range(130)
    ]


@given(EVENTS)
@SETTINGS
def test_events_that_are_read_together_have_the_values_of_events_read_alone(events: list[dict[str, Any]]):
    if not events:
        return
    columns = [c for c in SCHEMA.tables["levels"].columns if c.header is None]
    careful = CarefulDecoder([Column(name=EVENT_ID), *columns], frozenset(), {})
    block = block_of(events)
    alone = [careful.decode(block.payload(i, i + 1), {}, lambda: "") for i in range(len(events))]
    taken = [row for row in alone if row.refusal is None]
    decoded = decoded_of(events)
    assert decoded.refusals == {i: row.refusal for i, row in enumerate(alone) if row.refusal}
    for n, column in enumerate(columns, start=1):
        wanted = array_of_judged(column, [row.values[n] for row in taken])
        assert decoded.rows.column(column.name).to_pylist() == wanted.to_pylist(), column.name
    assert decoded.rows.column("extra").to_pylist() == [row.extra for row in taken]


@SETTINGS
@given(st.lists(st.one_of(st.none(), st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)))))
def test_timestamps_of_the_usual_form_are_read_as_datetimes_are(values: list[datetime | None]):
    offsets = ["Z", "+05:30", "-14:00"]
    texts = [None if v is None else v.isoformat() + offsets[n % 3] for n, v in enumerate(values)]
    found = timestamps.usual(texts)
    assert (found is not None) == all(v is None or 1000 <= v.year < 3000 for v in values)
    assert found is None or found.equals(timestamps.of_judged(texts))


NEARLY = st.from_regex(
    r"[12]\d{3}-[01]\d-[0-3]\d[Tt ]?[0-2]\d:?[0-6]\d(:?[0-6]\d)?(\.\d{0,7})?([Zz]|[+-]\d\d(:?\d\d)?)?", fullmatch=True
)


@settings(SETTINGS, max_examples=1000)
@given(NEARLY)
def test_a_text_that_is_taken_at_a_glance_is_a_timestamp_to_the_careful_eye(text: str):
    found = timestamps.usual([text])
    if found is not None:
        assert complaint(Column(name="t", type="timestamp"), text) is None
        assert found.equals(timestamps.of_judged([text]))


@pytest.mark.parametrize("numbers", [st.integers(-(10**12), 10**12), st.floats(-(10.0**12), 10.0**12)])
def test_unix_seconds_are_read_alike_one_by_one_and_together(numbers: st.SearchStrategy[float]):
    @SETTINGS
    @given(st.lists(st.one_of(st.none(), numbers), min_size=1))
    def check(values: list[float | None]):
        found = timestamps.usual(values)
        if found is not None:
            assert found.equals(timestamps.of_judged(values))
        else:
            assert any(complaint(Column(name="t", type="timestamp"), value) for value in values)

    check()


@pytest.mark.parametrize("value, seconds", [(0, 0.0), (-1.5, -1.5), (1554130180.25, 1554130180.25)])
def test_unix_seconds_keep_their_fractions_before_1970_too(value: float, seconds: float):
    (found,) = timestamps.of_judged([value]).to_pylist()
    assert found == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def test_events_of_the_reference_cases_that_are_accepted_become_rows(reference_data: Path):
    text = (reference_data / "events/event_schema.yaml").read_text()
    schema: EventSchema = parse_schema(text, {}, "event_schema.yaml")
    rows = 0
    for line in (reference_data / "events/event_cases.jsonl").read_text().splitlines():
        case = json.loads(line)
        if case["better"]["status"] != 200 or case["method"] != "POST":
            continue
        headers = {name.lower(): value for name, value in case["headers"].items()}
        for event in json.loads(case["body"])["events"]:
            table = schema.tables[event["_t"]]
            block = block_of([event])
            asked = {key: headers[key] for key in table.header_keys if key in headers}
            block = Block(**{**vars(block), "headers": json.dumps(asked).encode()})
            decoded = Decoder(event["_t"], table, frozenset(), {}).decode(block, ["v"])
            assert not decoded.refusals, case["id"]
            row = decoded.rows.to_pylist()[0]
            for column, value in (case["peer"]["stored"] or {}).items():
                stored = row[column]
                shown = f"{stored:%Y-%m-%d %H:%M:%S+00}" if isinstance(stored, datetime) else stored
                assert shown == value, case["id"]
            rows += 1
    assert rows > 10
