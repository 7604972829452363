"""HTTP/1.1 as clients speak it: kept alive, pipelined, in pieces, half closed; a collector answers them in order."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.events.running import RunningCollector, collecting, rows, wait_for


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory, module_database_dsn: str) -> Iterator[RunningCollector]:
    with collecting(tmp_path_factory.mktemp("c"), module_database_dsn) as running:
        yield running


def request(event_id: str, *headers: str, secret: str = "new", line: str = "POST /apps/game/events HTTP/1.1") -> bytes:
    body = json.dumps({"secret_key": secret, "events": [{"_t": "bare", "event_id": event_id}]})
    lines = (line, "Host: x", "Content-Type: application/json", *headers, f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", body)).encode()


class Client:
    def __init__(self, collector: RunningCollector) -> None:
        self.socket = socket.create_connection(("127.0.0.1", collector.port), timeout=30)
        self._read = self.socket.makefile("rb")

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.socket.sendall(piece)

    def answer(self, has_body: bool = True) -> tuple[int, dict[str, str], bytes]:
        status = int(self._read.readline().split()[1])
        lines = iter(lambda: self._read.readline().decode().strip(), "")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return status, headers, self._read.read(int(headers.get("content-length", "0")) if has_body else 0)

    def is_ended(self) -> bool:
        return self._read.read(1) == b""

    def close(self) -> None:
        self._read.close()
        self.socket.close()


@pytest.fixture
def client(collector: RunningCollector) -> Iterator[Client]:
    with closing(Client(collector)) as opened:
        yield opened


def stored(dsn: str, prefix: str) -> list[str]:
    found = rows(dsn, f"SELECT event_id FROM events.raw_events WHERE event_id LIKE '{prefix}%' ORDER BY event_id")
    return [event_id for (event_id,) in found]


def test_a_connection_takes_one_request_after_the_other(client: Client, module_database_dsn: str):
    for number in range(5):
        client.send(request(f"after-{number}"))
        assert client.answer()[0] == 200
    assert stored(module_database_dsn, "after-") == [f"after-{number}" for number in range(5)]


def test_a_head_that_was_read_before_opens_nothing_to_another_secret(client: Client):
    statuses = []
    for secret in ("new", "new", "old", "bad", "new"):
        client.send(request("again", secret=secret))
        statuses.append(client.answer()[0])
    assert statuses == [200, 200, 200, 403, 200]


def test_a_request_is_the_same_in_whatever_pieces_it_comes(client: Client, module_database_dsn: str):
    whole = request("pieces-0")
    for cut in (1, 20, whole.index(b"\r\n\r\n") + 2, whole.index(b"\r\n\r\n") + 4, len(whole) - 1):
        client.send(whole)
        assert client.answer()[0] == 200
        client.send(whole[:cut])
        client.socket.sendall(whole[cut:])
        assert client.answer()[0] == 200
    client.send(*(whole[i : i + 1] for i in range(len(whole))))
    assert client.answer()[0] == 200
    assert len(stored(module_database_dsn, "pieces-")) == 11


def test_requests_sent_at_once_are_answered_in_their_order(client: Client, module_database_dsn: str):
    get = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    client.send(request("many-0") + request("many-1", secret="bad") + get + request("many-2") + get)
    answers = [client.answer() for _ in range(5)]
    assert [status for status, _, _ in answers] == [200, 403, 200, 200, 200]
    assert [b"request_id" in body for _, _, body in answers] == [True, False, False, True, False]
    assert stored(module_database_dsn, "many-") == ["many-0", "many-2"]


def test_more_at_once_than_is_reasonable_is_answered_and_held_back(client: Client, module_database_dsn: str):
    client.send(b"".join(request(f"flood-{number:03}") for number in range(60)))
    statuses = [client.answer()[0] for _ in range(60)]
    assert set(statuses) <= {200, 503}
    wanted = [f"flood-{number:03}" for number, status in enumerate(statuses) if status == 200]
    assert len(wanted) >= 16
    assert stored(module_database_dsn, "flood-") == wanted


def test_a_client_that_takes_no_answers_is_not_read_without_end(collector: RunningCollector, client: Client):
    memory = collector.memory_mb()
    client.socket.settimeout(1)
    with pytest.raises(TimeoutError):
        for _ in range(200):
            client.send(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 10_000)
    assert collector.memory_mb() < memory + 60
    assert collector.get("/health").status == 200


def test_head_is_answered_without_a_body(client: Client):
    client.send(b"HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n")
    status, headers, _ = client.answer(has_body=False)
    assert (status, int(headers["content-length"]) > 0) == (200, True)
    client.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.answer()[0] == 200


def test_a_client_that_asks_first_is_told_to_go_on(client: Client):
    head, _, body = request("asked", "Expect: 100-continue").partition(b"\r\n\r\n")
    for _ in range(2):
        client.send(head + b"\r\n\r\n")
        assert client.answer()[0] == 100
        client.send(body)
        assert client.answer()[0] == 200


def test_a_body_in_chunks_is_put_together(client: Client, module_database_dsn: str):
    head, _, body = request("chunks-0").partition(b"\r\n\r\n")
    head = head[: head.index(b"Content-Length")] + b"Transfer-Encoding: chunked\r\n\r\n"
    client.send(head + b"".join(b"%x\r\n%b\r\n" % (7, body[i : i + 7]) for i in range(0, len(body) // 7 * 7, 7)))
    rest = body[len(body) // 7 * 7 :]
    client.send((b"%x\r\n%b\r\n" % (len(rest), rest) if rest else b"") + b"0\r\n\r\n")
    assert client.answer()[0] == 200
    assert stored(module_database_dsn, "chunks-") == ["chunks-0"]


@pytest.mark.parametrize(
    "sent", [request("last", "Connection: close"), request("last", line="POST /apps/game/events HTTP/1.0")]
)
def test_the_connection_ends_when_the_client_wants_it(client: Client, sent: bytes):
    client.send(sent)
    status, headers, _ = client.answer()
    assert (status, headers["connection"]) == (200, "close")
    assert client.is_ended()


def test_a_client_that_ends_its_half_still_gets_its_answer(client: Client):
    client.send(request("half"))
    client.socket.shutdown(socket.SHUT_WR)
    assert client.answer()[0] == 200
    assert client.is_ended()


@pytest.mark.parametrize(
    "line",
    [
        "POST http://stats.example/apps/game/events HTTP/1.1",
        "POST /apps/game/events?from=page HTTP/1.1",
        "POST /apps/g%61me/events HTTP/1.1",
    ],
)
def test_other_writings_of_the_path_mean_the_same(client: Client, line: str):
    client.send(request("path", line=line))
    assert client.answer()[0] == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nX: a\x01b\r\n\r\n",
        b"GET /health HTTP/1.1\nHost: x\n\n",
        b"POST /apps/game/events HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET http:// HTTP/1.1\r\n\r\n",
        b"\r\n\r\n\r\n\r\nx\r\n\r\n",
    ],
)
def test_what_is_no_request_is_answered_400(client: Client, sent: bytes):
    client.send(request("before"))
    assert client.answer()[0] == 200
    client.send(sent)
    assert client.answer()[0] == 400


def test_an_upgrade_is_not_taken_up(client: Client):
    client.send(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x00\x01")
    assert client.answer()[0] == 200
    assert client.is_ended()


def test_a_refusal_before_the_body_is_seen_by_a_client_that_sends_on(client: Client):
    body = b"x" * 500_000
    head = b"POST /apps/nobody/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(
        body
    )
    client.send(head, body)
    assert client.answer()[0] == 404
    assert client.is_ended()


def test_stopping_answers_what_has_come_and_ends_the_others(
    tmp_path_factory: pytest.TempPathFactory, database_dsn: str
):
    with collecting(tmp_path_factory.mktemp("c"), database_dsn) as collector:
        whole = request("stop")
        with closing(Client(collector)) as idle, closing(Client(collector)) as busy, closing(Client(collector)) as half:
            for each in (idle, busy, half):
                each.send(whole)
                assert each.answer()[0] == 200
            busy.send(whole[:-3])
            half.send(whole[:30])
            wait_for(lambda: collector.get("/health").status == 200, collector.log)
            collector.send_signal(signal.SIGTERM)
            assert idle.is_ended()
            assert half.is_ended()
            busy.send(whole[-3:])
            status, headers, _ = busy.answer()
            assert (status, headers["connection"]) == (200, "close")
            assert busy.is_ended()


def test_a_port_that_is_taken_ends_a_collector_with_what_to_do(
    collector: RunningCollector, tmp_path: Path, module_database_dsn: str
):
    second = RunningCollector(tmp_path, module_database_dsn, port=collector.port)
    with pytest.raises(AssertionError, match=rf"cannot listen on 127\.0\.0\.1:{collector.port} .* change events\.port"):
        second.start()
