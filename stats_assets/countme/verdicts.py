"""The words a log line can be judged with; every line gets exactly one. How a line earns one: `parse`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal[
    "hit",
    "not_mirror_request",
    "not_served",
    "malformed_line",
    "line_too_long",
    "nul_byte",
    "bad_time",
    "outside_window",
    "bad_address",
    "bad_countme",
    "countme_out_of_range",
    "unknown_agent",
]


@dataclass(frozen=True)
class Meaning:
    """What a verdict says. Rejections deserve a look: they count toward the unusual share and are sampled."""

    text: str
    is_rejection: bool


MEANINGS: dict[Verdict, Meaning] = {
    "hit": Meaning("counted", False),
    "not_mirror_request": Meaning("other traffic, or an empty line", False),
    "not_served": Meaning(
        "asks for the mirror list, but not with GET or HEAD, a query and HTTP/d.d (strict: or HTTP/d),"
        " or was not answered with 200 or 302",
        False,
    ),
    "malformed_line": Meaning("not a line of the combined log format", True),
    "line_too_long": Meaning("longer than any request a web server takes", True),
    "nul_byte": Meaning("holds a NUL, written or as %00, which PostgreSQL cannot store", True),
    "bad_time": Meaning("the time is none", True),
    "outside_window": Meaning("the time is far from the date of the file", True),
    "bad_address": Meaning("strict: the client is not an IPv4 or IPv6 address", True),
    "bad_countme": Meaning("compat: countme is not a number", True),
    "countme_out_of_range": Meaning("strict: countme is not 1, 2, 3 or 4; compat: beyond 64 bits", True),
    "unknown_agent": Meaning("strict: countme sent by a program that is not known to send it", True),
}

REJECTIONS: frozenset[Verdict] = frozenset(verdict for verdict, meaning in MEANINGS.items() if meaning.is_rejection)
