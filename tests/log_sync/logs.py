"""Small access logs with times of our choice."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from tests.log_sync.sources import DAY

NOT_DATED = b"\x16\x03\x01 not a line of a log\n"


def line(seconds: float, what: str, day: date = DAY) -> bytes:
    """A line written so many seconds after midnight; `what` tells it from others."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=seconds)
    return f'192.0.2.1 - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET /{what} HTTP/1.1" 200 17 "-" "curl"\n'.encode()


def log(host: str, seconds: Iterable[float], day: date = DAY) -> bytes:
    return b"".join(line(second, f"{host}/{n}", day) for n, second in enumerate(seconds))


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)
