"""How hosts are reached: one module per kind of URL, all behind the protocol `Transport`.

A new kind (rsync, ssh, an object store) is a module with a class of these two verbs and a line in `_KINDS`;
nothing else in the room knows how bytes come in. Retries, verification and what to keep are not a transport's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from stats_assets.log_sync.expected import SourceFile
from stats_assets.log_sync.plan import Present, Probe
from stats_assets.log_sync.transports.folder import FolderTransport
from stats_assets.log_sync.transports.http import HttpTransport
from stats_assets.log_sync.transports.limits import Limits


class Transport(Protocol):
    """Asks one kind of source. Used by several threads at once.

    Both verbs raise SourceAway when another try may help and SourceRefused when it will not.
    """

    def probe(self, source: SourceFile) -> Probe:
        """Whether the file is there, and in which version."""
        ...

    def fetch(self, source: SourceFile, version: Present, part: Path) -> None:
        """Brings `part` to hold this version of the file, going on from what is already in it.

        After SourceAway what has come stays in `part`. A source that has meanwhile another version is SourceAway.
        """
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Transports:
    """The open transports by URL scheme."""

    by_scheme: dict[str, Transport]

    def of(self, source: SourceFile) -> Transport:
        return self.by_scheme[urlsplit(source.base).scheme]


_KINDS: dict[str, Callable[[Limits], Transport]] = {
    "file": FolderTransport,
    "http": HttpTransport,
    "https": HttpTransport,
}


@contextmanager
def open_transports(limits: Limits) -> Iterator[Transports]:
    """Every kind of transport; connections are kept and reused until the block ends."""
    opened: dict[Callable[[Limits], Transport], Transport] = {kind: kind(limits) for kind in set(_KINDS.values())}
    try:
        yield Transports({scheme: opened[kind] for scheme, kind in _KINDS.items()})
    finally:
        for transport in opened.values():
            transport.close()
