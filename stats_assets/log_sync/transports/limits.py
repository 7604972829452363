"""What a transport must not exceed, and the failures it may report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from stats_assets.log_sync.config import LogSyncConfig
from stats_assets.shared.failures import OurMistake, SourceAway


class SourceRefused(OurMistake):
    """The source answers but will not serve us: wrong credentials, wrong address, a file beyond our limits."""


class OurDiskTrouble(OurMistake):
    """What came could not be kept here: no host's fault, and no reason to ask it again at once."""


@contextmanager
def writing(where: object) -> Iterator[None]:
    """Around writing to a disk of ours, so that its troubles are not taken for the source's."""
    try:
        yield
    except OSError as error:
        raise OurDiskTrouble(f"{where} cannot be written ({error.strerror or error}); make room there") from error


@dataclass(frozen=True)
class Limits:
    """Bounds for one transport; `seconds` is a clock that only its differences are taken of."""

    answer_seconds: float
    try_seconds: float
    max_file_bytes: int
    connections: int
    seconds: Callable[[], float] = time.monotonic

    def check_size(self, size_bytes: int, shown_url: str) -> None:
        if size_bytes > self.max_file_bytes:
            raise SourceRefused(
                f"{shown_url} is larger than log_sync.max_file_bytes ({size_bytes} > {self.max_file_bytes} bytes)"
            )

    def check_time(self, started: float, shown_url: str) -> None:
        if self.seconds() - started > self.try_seconds:
            raise SourceAway(
                f"{shown_url} was not fetched within log_sync.try_timeout_seconds ({self.try_seconds:g} s)"
            )


def limits_of(config: LogSyncConfig) -> Limits:
    return Limits(
        answer_seconds=config.answer_timeout_seconds,
        try_seconds=config.try_timeout_seconds,
        max_file_bytes=config.max_file_bytes,
        connections=config.parallel_downloads,
    )
