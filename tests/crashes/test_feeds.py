"""Feeds over HTTP and in object stores; on disk they are met by test_load."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

from stats_assets.crashes.config import CrashesConfig
from stats_assets.crashes.feeds import Feed, FeedAway, patiently, shown, version_of

DAY = date(2026, 3, 10)
CONFIG = CrashesConfig(attempts=1, answer_timeout_seconds=20, max_document_bytes=1024)


def contents(feed: Feed) -> list[bytes]:
    return [line.content for file in feed.files(DAY) for line in feed.lines(file)]


class _Handler(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += self.command == "GET"
        if "2026-03-10" not in self.path:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        body = b"one\ntwo\n"
        self.send_response(HTTPStatus.OK)
        self.send_header("ETag", '"v1"')
        self.send_header("Content-Length", str(len(body) + (100 if "cut" in self.path else 0)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@contextmanager
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://ann:secret@127.0.0.1:{http.server_port}"
        http.shutdown()


def test_a_feed_over_http_is_read_and_its_url_is_shown_without_credentials():
    with server() as url:
        feed = Feed(CONFIG, f"{url.replace('ann:secret@', '')}/feed/%Y-%m-%d.jsonl")
        assert contents(feed) == [b"one", b"two"]
        assert version_of(feed.files(DAY)) == version_of(feed.files(DAY))
        with pytest.raises(FeedAway, match=r"feed/2026-03-11.jsonl: there is no such file"):
            feed.files(date(2026, 3, 11))
    assert shown("https://ann:secret@example.org/feed?token=7") == "https://example.org/feed"


def test_an_answer_that_is_cut_and_a_server_that_is_away_are_told():
    with server() as url:
        plain = url.replace("ann:secret@", "")
        with pytest.raises(FeedAway, match=r"cut/2026-03-10.jsonl"):
            contents(Feed(CONFIG, f"{plain}/cut/%Y-%m-%d.jsonl"))
    with pytest.raises(FeedAway, match=r"127\.0\.0\.1"):
        contents(Feed(CONFIG, f"{plain}/feed/%Y-%m-%d.jsonl"))


def test_a_feed_that_is_away_is_asked_as_often_as_configured():
    waited: list[float] = []
    config = CONFIG.model_copy(update={"attempts": 3, "attempt_seconds": 2})
    with pytest.raises(FeedAway):
        patiently(config, lambda: Feed(config, "memory://none/%Y.jsonl").files(DAY), waited.append)
    assert waited == [2, 4]


def test_a_feed_in_an_object_store_is_a_file_or_a_folder():
    store = MemoryFileSystem()
    store.pipe("/feed/2026/03/10/b.json", b'{"b": 1}')
    store.pipe("/feed/2026/03/10/a.json", b'{"a": 1}')
    try:
        assert contents(Feed(CONFIG, "memory://feed/%Y/%m/%d/")) == [b'{"a": 1}', b'{"b": 1}']
        assert contents(Feed(CONFIG, "memory://feed/%Y/%m/%d/b*.json")) == [b'{"b": 1}']
        assert contents(Feed(CONFIG, "memory://feed/%Y/%m/%d/a.json")) == [b'{"a": 1}']
    finally:
        store.rm("/feed", recursive=True)


def test_a_feed_in_s3_is_read_with_the_options_of_its_driver():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        options: dict[str, Any] = {"endpoint_url": f"http://{host}:{port}", "key": "stats", "secret": "none"}
        store = S3FileSystem(**options)
        store.mkdir("crashes")
        store.pipe("crashes/2026-03-10.jsonl", b"one\ntwo\n")
        feed = Feed(CONFIG.model_copy(update={"storage_options": options}), "s3://crashes/%Y-%m-%d.jsonl")
        assert contents(feed) == [b"one", b"two"]
        with pytest.raises(FeedAway, match="there is no such file"):
            feed.files(date(2026, 3, 11))
    finally:
        server.stop()


def test_a_long_line_is_cut_and_the_next_one_is_whole():
    store = MemoryFileSystem()
    store.pipe("/long.jsonl", b"x" * 3_000_000 + b"\nshort\n" + b"y" * 2000 + b"\n")
    try:
        feed = Feed(CONFIG, "memory://long.jsonl")
        (file,) = feed.files(DAY)
        lines = [(line.place, len(line.content), line.is_cut) for line in feed.lines(file)]
        assert lines == [(1, 1024, True), (2, 5, False), (3, 1024, True)]
    finally:
        store.rm("/long.jsonl")
