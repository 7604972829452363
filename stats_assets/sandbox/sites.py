"""The simulated sources that answer requests of their own, below a path of the one sandbox server.

A site is a function from a request to an answer. The log hosts are not among them: they serve files with ranges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass(frozen=True)
class SiteRequest:
    """A request below a site's path: `path` begins after it; `query` holds the values of each name."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class SiteAnswer:
    """What is sent. `cut_after` closes the connection after so many bytes of the body; `delay_seconds` waits first."""

    status: int = HTTPStatus.OK
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    delay_seconds: float = 0


Site = Callable[[SiteRequest], SiteAnswer]
