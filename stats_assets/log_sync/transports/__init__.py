"""How hosts are reached: one module per kind of URL, all behind the protocol `Transport`.

A new kind is a module with a class of these two verbs, a line in `_KINDS`, and its URLs in `urls.py`; nothing else
in the room knows how bytes come in. Retries, verification and what to keep are not a transport's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stats_assets.log_sync.expected import SourceFile
from stats_assets.log_sync.plan import Present, Probe
from stats_assets.log_sync.transports.folder import FolderTransport
from stats_assets.log_sync.transports.http import HttpTransport
from stats_assets.log_sync.transports.limits import Limits
from stats_assets.log_sync.transports.object_store import ObjectStoreTransport
from stats_assets.log_sync.transports.rsync import RsyncTransport
from stats_assets.log_sync.urls import scheme_of


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
    for_others: Transport

    def of(self, source: SourceFile) -> Transport:
        return self.by_scheme.get(scheme_of(source.base), self.for_others)


_KINDS: dict[str, Callable[[Limits], Transport]] = {
    "file": FolderTransport,
    "http": HttpTransport,
    "https": HttpTransport,
    "rsync": RsyncTransport,
    "ssh": RsyncTransport,
}


@contextmanager
def open_transports(limits: Limits) -> Iterator[Transports]:
    """Every kind of transport; connections are kept and reused until the block ends."""
    kinds = {*_KINDS.values(), ObjectStoreTransport}
    opened: dict[Callable[[Limits], Transport], Transport] = {kind: kind(limits) for kind in kinds}
    try:
        by_scheme = {scheme: opened[kind] for scheme, kind in _KINDS.items()}
        yield Transports(by_scheme, for_others=opened[ObjectStoreTransport])
    finally:
        for transport in opened.values():
            transport.close()
