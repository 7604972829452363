"""What strangers send: refused within the limits, nothing stored, memory flat."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from http.client import HTTPConnection
from typing import Any

import pytest
import zstandard

from stats_assets.events.credentials import sign
from tests.events.running import SCHEMA, RunningCollector, collecting, rows, wait_for

PATIENCE = "  limits: {head_timeout_seconds: 2, body_timeout_seconds: 2, max_connections: 60}\n"
_MORE_APPS = f"""\
  hashed: {{secret_hash: 'sha256:{sha256(b"h").hexdigest()}', tables: [bare]}}
  signed: {{secret_key: s, tables: [bare], require_signature: true}}
  paced: {{secret_key: p, tables: [bare], events_per_second: 1}}
  pages: {{secret_key: w, tables: [bare], access_control_allow_origin: [https://a.example, https://b.example]}}
"""


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory, module_database_dsn: str) -> Iterator[RunningCollector]:
    with collecting(tmp_path_factory.mktemp("c"), module_database_dsn, SCHEMA + _MORE_APPS, PATIENCE) as running:
        yield running


@pytest.fixture
def nothing_is_stored(module_database_dsn: str) -> Iterator[None]:
    both = "SELECT (SELECT count(*) FROM events.raw_events), (SELECT count(*) FROM events.quarantine)"
    before = rows(module_database_dsn, both)
    yield
    assert rows(module_database_dsn, both) == before


BARE = {"_t": "bare"}


def body(*events: Any, **also: Any) -> bytes:
    return json.dumps({"events": events, **also}).encode()


def post(collector: RunningCollector, app: str, content: bytes, **headers: str) -> int:
    sent = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return collector.request("POST", f"/apps/{app}/events", content, sent).status


def test_two_secrets_are_good_while_clients_change(collector: RunningCollector):
    assert [collector.post(BARE, secret=each).status for each in ("old", "new", "older")] == [200, 200, 403]


def test_a_secret_may_be_known_by_its_hash_and_come_in_a_header(collector: RunningCollector):
    assert post(collector, "hashed", body(BARE, secret_key="h")) == 200
    assert post(collector, "hashed", body(BARE), Authorization="Bearer h") == 200
    assert post(collector, "hashed", body(BARE, secret_key="h"), Authorization="Bearer x") == 403
    assert post(collector, "hashed", body(BARE)) == 422


def test_a_signature_is_good_for_its_body_and_its_time(collector: RunningCollector):
    content, now = body(BARE), int(time.time())

    def signature(seconds: int) -> str:
        return f"t={seconds},v1={sign('s', str(seconds).encode() + b'.' + content)}"

    assert post(collector, "signed", content, X_Signature=signature(now)) == 200
    assert post(collector, "signed", content + b" ", X_Signature=signature(now)) == 403
    assert post(collector, "signed", content, X_Signature=signature(now - 3600)) == 403
    assert post(collector, "signed", content, X_Signature="t=1") == 403
    assert post(collector, "signed", body(BARE, secret_key="s")) == 403


def test_an_app_that_sends_too_much_is_told_when_to_come_again(collector: RunningCollector):
    assert post(collector, "paced", body(*[BARE] * 50, secret_key="p")) == 200
    answer = collector.request(
        "POST", "/apps/paced/events", body(BARE, secret_key="p"), {"Content-Type": "application/json"}
    )
    assert answer.status == 429
    assert 30 <= int(answer.headers["retry-after"]) <= 41
    assert collector.post(BARE).status == 200, "other apps go on"


def test_nobody_without_the_secret_uses_up_what_an_app_may_send(collector: RunningCollector):
    assert {post(collector, "hashed", body(*[BARE] * 900, secret_key="x")) for _ in range(70)} == {403}
    assert post(collector, "hashed", body(BARE, secret_key="h")) == 200


@pytest.mark.parametrize(("origin", "status"), [("https://a.example", 200), ("https://c.example", 403)])
def test_browsers_are_let_in_by_origin(collector: RunningCollector, origin: str, status: int):
    answer = collector.request(
        "POST", "/apps/pages/events", body(BARE, secret_key="w"), {"Content-Type": "application/json", "Origin": origin}
    )
    assert answer.status == status
    assert answer.headers.get("access-control-allow-origin") == (origin if status == 200 else None)
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-a"}
    preflight = collector.request("OPTIONS", "/apps/pages/events", headers=asked)
    assert preflight.status == (204 if status == 200 else 403)


def compressed(content: bytes, encoding: str) -> bytes:
    return gzip.compress(content) if encoding == "gzip" else zstandard.compress(content)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_compressed_bodies_are_read_as_far_as_the_limit(
    collector: RunningCollector, encoding: str, module_database_dsn: str
):
    many = body(*[{"_t": "bare", "x": "y" * 100}] * 900, secret_key="new")
    assert post(collector, "game", compressed(many, encoding), Content_Encoding=encoding) == 200
    memory = collector.memory_mb()
    bomb = compressed(b" " * 2_000_000_000, encoding) if encoding == "zstd" else compressed(b" " * 20_000_000, encoding)
    assert len(bomb) < 200_000
    for _ in range(5):
        assert post(collector, "game", bomb[:32_000], Content_Encoding=encoding) == 413
    assert post(collector, "game", many[:-1], Content_Encoding=encoding) == 413  # plain, and too long for that
    assert post(collector, "game", b"no such thing", Content_Encoding=encoding) == 400
    assert post(collector, "game", compressed(many, encoding)[:-20], Content_Encoding=encoding) == 400
    assert post(collector, "game", b"{}", Content_Encoding="br") == 415
    assert collector.memory_mb() < memory + 20


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (body(BARE, secret_key="wrong"), 403),
        (b" " * 32_769, 413),
        (b'{"secret_key":"new","events":[{"_t":"bare","x":%s}]}' % (b"[" * 15_000 + b"]" * 15_000), 400),
        (b'{"secret_key":"new","events":[{"_t":"bare","x":"\xff"}]}', 400),
        (b"\xff\xfe", 400),
        (body(*[BARE] * 1001, secret_key="new"), 413),
        (b'{"secret_key":"new","events":' + b"9" * 20_000 + b"}", 422),
    ],
)
def test_such_a_body_leaves_no_trace(collector: RunningCollector, nothing_is_stored: None, content: bytes, status: int):
    assert post(collector, "game", content) == status


def test_names_that_are_sql_and_ten_thousand_columns_are_refused(collector: RunningCollector, module_database_dsn: str):
    before = rows(module_database_dsn, "SELECT count(*) FROM events.raw_events")
    sql = "bare'; DROP SCHEMA events CASCADE; --"
    assert collector.post({"_t": sql}).status == 422
    assert collector.post({"_t": "bare", "event_id": sql * 10}).status == 422
    many = body({"_t": "bare", **{f"c{i}": 1 for i in range(10_000)}}, secret_key="new")
    assert post(collector, "game", gzip.compress(many), Content_Encoding="gzip") == 422
    assert collector.request("POST", "/apps/a';--/events", b"{}", {"Content-Type": "application/json"}).status == 404
    assert rows(module_database_dsn, "SELECT count(*) FROM events.raw_events") == before
    assert collector.post({"_t": "bare", sql: sql}).status == 200  # a name of a key is data


def opened(collector: RunningCollector, sent: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", collector.port), timeout=30)
    connection.sendall(sent)
    return connection


def test_slow_clients_are_ended_and_others_do_not_wait(collector: RunningCollector):
    head = b"POST /apps/game/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    slow = [opened(collector, sent) for sent in (b"", b"POST /apps", head, head + b"Content-Length: 99\r\n\r\n{")]
    assert collector.post(BARE).status == 200
    for connection in slow:
        with closing(connection):
            answer = connection.recv(1000)
            assert answer.startswith(b"HTTP/1.1 408") or answer == b""
            assert connection.recv(1000) == b"" if answer else True


def test_headers_without_end_are_refused(collector: RunningCollector):
    with closing(opened(collector, b"GET /health HTTP/1.1\r\n")) as connection, pytest.raises(OSError):
        for i in range(1_000_000):
            connection.sendall(b"x-%d: %s\r\n" % (i, b"y" * 1000))
    assert collector.get("/health").status == 200


def test_more_connections_than_allowed_are_turned_away(collector: RunningCollector):
    connections = [opened(collector, b"GET /health HTTP/1.1\r\n") for _ in range(80)]
    answers = [connection.recv(1000) for connection in connections]
    assert any(answer.startswith(b"HTTP/1.1 503") for answer in answers)
    for connection in connections:
        connection.close()
    wait_for(lambda: collector.get("/health").status == 200, "nobody is let in any more")


def test_a_body_that_is_announced_too_long_is_refused_before_it_comes(collector: RunningCollector):
    with closing(HTTPConnection("127.0.0.1", collector.port, timeout=20)) as connection:
        connection.putrequest("POST", "/apps/game/events")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", "50000000")
        connection.endheaders()
        assert connection.getresponse().status == 413


def test_the_collector_tells_about_itself(collector: RunningCollector):
    assert collector.health()["status"] == "ok"
    metrics = collector.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert b'stats_events_accepted_total{app="game"}' in metrics.body
    assert b'stats_events_refused_total{app="game",reason="unknown table"}' in metrics.body
    assert collector.get("/openapi.json").json["openapi"] == "3.1.0"
    assert collector.get("/apps/").status == 404
    assert collector.request("DELETE", "/health").status == 405


def test_the_schema_file_is_read_again_when_it_changes(collector: RunningCollector):
    def status() -> int:
        return collector.post({"_t": "later"}).status

    assert status() == 422
    text = collector.schema_file.read_text()
    collector.schema_file.write_text(text.replace("tables: [levels, bare]", "tables: [levels, bare, later]", 1))
    wait_for(lambda: b"stats_events_refused_reloads_total 1" in collector.get("/metrics").body, collector.log)
    assert "no table 'later' above" in collector.log
    assert status() == 422, "a file with a mistake changes nothing"
    changed = text.replace("  bare: {columns: []}", "  bare: {columns: []}\n  later: {columns: []}")
    collector.schema_file.write_text(changed.replace("[levels, bare]", "[levels, bare, later]", 1))
    wait_for(lambda: status() == 200, collector.log)
