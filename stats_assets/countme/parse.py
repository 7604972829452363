"""One line of an access log, exactly: the grammar of both policies. `scan` gives the same answers faster.

    host ident user [time] "method path?query protocol" status bytes "referrer" "agent"

strict reads the fields by their position: they are parted by single spaces, and a `"` inside quotes only counts
as text behind a backslash. compat accepts what the established tool accepts, whose grammar is one regular
expression that may backtrack: several readings of an odd line are possible, and the first in its order counts.

What the fields mean is told in `mirror_requests`, `agents`, `times` and `addresses`; the verdicts in `verdicts`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from stats_assets.countme.addresses import read_address
from stats_assets.countme.agents import COMPAT_AGENT, UNTOLD, System, read_agent
from stats_assets.countme.config import Policy
from stats_assets.countme.mirror_requests import NO_COUNTME, MirrorRequest, read_query, read_request
from stats_assets.countme.times import read_time
from stats_assets.countme.verdicts import REJECTIONS, Verdict

__all__ = ["MAX_LINE_BYTES", "REJECTIONS", "Hit", "ParsedLine", "Verdict", "Window", "parse_line"]

# Three fields of at most 8 KiB each (Apache's limit), every byte of which may be logged as \xHH, fit in.
# Beyond, compat's expression could be kept busy for long: its time may grow with the square of the length, to three
# seconds for this much. (No server writes such a line: it takes quotes that are not escaped.)
MAX_LINE_BYTES = 128 * 1024

COUNTED_STATUSES = ("200", "302")


class Window(NamedTuple):
    """The times that can be true of a file: Unix seconds from `oldest` up to, not including, `end`."""

    oldest: int
    end: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A request that counts. `seconds` are Unix seconds, `sys_age` is NO_COUNTME (-1) when none was sent."""

    seconds: int
    address: str
    os_name: str
    os_version: str
    os_variant: str
    os_arch: str
    sys_age: int
    repo_tag: str
    repo_arch: str


class ParsedLine(NamedTuple):
    """A line of text, where it starts in the bytes it was cut from, and what it is: a hit or the reason why not."""

    start: int
    content: bytes
    outcome: Hit | Verdict


_COMPAT_LINE = re.compile(
    r"(?P<host>\S+)\s\S+\s\S+\s\[(?P<time>.+?)\]\s"
    r'"(?:GET|HEAD)\s/(?:metalink|mirrorlist)\?(?P<query>\S*)\sHTTP/\d\.\d"\s'
    rf'(?:{"|".join(COUNTED_STATUSES)})\s(?:\d+|-)\s"[^"]+"\s"(?:{COMPAT_AGENT}|[^"]*)"\s*',
    re.ASCII,
)
_QUOTED = r'(?:[^"\\]|\\.)*+'
_FIELDS = re.compile(
    r"(?P<host>[^ ]+) [^ ]+ [^ ]+ \[(?P<time>[^]]*)\] "
    rf'"(?P<request>{_QUOTED})" (?P<status>[0-9]{{3}}) (?:[0-9]+|-) "{_QUOTED}" "(?P<agent>{_QUOTED})"'
)
_CONTROL = re.compile(r"[\x00-\x1f]")


def parse_line(line: bytes, policy: Policy, window: Window) -> list[ParsedLine]:
    """What stands between two LF, the last one included, as lines of text, each with its verdict.

    strict: always one. compat: a lone CR ends a line too, so there may be more, or none in `b""`.
    Bytes that are not UTF-8 become U+FFFD.
    """
    if len(line.rstrip(b"\n")) > MAX_LINE_BYTES:
        return [ParsedLine(0, line, "line_too_long")]
    if policy == "strict":
        content = line.removesuffix(b"\n").removesuffix(b"\r")
        return [ParsedLine(0, content, _strict_outcome(_text(content), window))]
    return [
        ParsedLine(start, content, _compat_outcome(_text(content), window))
        for start, content in _split_universally(line)
    ]


def _split_universally(line: bytes) -> list[tuple[int, bytes]]:
    """Cuts at CR, and at the LF or CR LF in the end; each piece with its start."""
    has_end = line.endswith(b"\n")
    pieces = line.removesuffix(b"\n").removesuffix(b"\r" if has_end else b"").split(b"\r")
    if not has_end and not pieces[-1]:
        pieces.pop()  # the file ended with a CR: no line follows
    starts = [0]
    for piece in pieces:
        starts.append(starts[-1] + len(piece) + 1)
    return list(zip(starts, pieces, strict=False))


def _text(content: bytes) -> str:
    return content.decode("utf-8", errors="replace")


def _strict_outcome(text: str, window: Window) -> Hit | Verdict:
    fields = _FIELDS.fullmatch(text)
    if fields is None or _CONTROL.search(text):
        return _without_fields(text)
    request = _counted_request(fields, "strict")
    if not isinstance(request, MirrorRequest):
        return request
    system = read_agent(fields["agent"], "strict")
    return _judge(fields["host"], fields["time"], request.query, system, "strict", window)


def _compat_outcome(text: str, window: Window) -> Hit | Verdict:
    match = _COMPAT_LINE.fullmatch(text)
    if match is None:
        return _why_not_compat(text)
    names = System._fields
    system = UNTOLD if match["os_name"] is None else System(*match.group(*names))
    return _judge(match["host"], match["time"], match["query"], system, "compat", window)


def _why_not_compat(text: str) -> Verdict:
    """The established tool does not tell traffic it is not interested in from lines it cannot read. We do."""
    fields = _FIELDS.fullmatch(text)
    if fields is None or _CONTROL.search(text):
        return _without_fields(text)
    request = _counted_request(fields, "compat")
    return "malformed_line" if isinstance(request, MirrorRequest) else request


def _without_fields(text: str) -> Verdict:
    if "\0" in text:
        return "nul_byte"
    return "malformed_line" if text else "not_mirror_request"


def _counted_request(fields: re.Match[str], policy: Policy) -> MirrorRequest | Verdict:
    request = read_request(fields["request"], policy)
    if isinstance(request, MirrorRequest) and fields["status"] not in COUNTED_STATUSES:
        return "not_served"
    return request


def _judge(host: str, time: str, query: str, system: System | None, policy: Policy, window: Window) -> Hit | Verdict:
    """The outcome of a request that is counted if its parts make sense. `scan` judges in the same order."""
    repository = read_query(query, policy)
    if isinstance(repository, str):
        return repository
    if system is None and repository.sys_age != NO_COUNTME:
        return "unknown_agent"
    if "\0" in host or any("\0" in text for text in system or ()):
        return "nul_byte"
    seconds = read_time(time, policy)
    if seconds is None:
        return "bad_time"
    if not window.oldest <= seconds < window.end:
        return "outside_window"
    address = read_address(host, policy)
    if address is None:
        return "bad_address"
    return Hit(seconds, address, *(system or UNTOLD), *repository)
