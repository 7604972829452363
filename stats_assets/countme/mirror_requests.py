"""The request of a log line: is it for the mirror list, and what does its query say of repository and age."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl

from stats_assets.countme.config import Policy
from stats_assets.countme.verdicts import Verdict

NO_COUNTME = -1
_PATHS = ("/metalink", "/mirrorlist")
_METHODS = ("GET", "HEAD")
_PROTOCOL = {
    "compat": re.compile(r"HTTP/[0-9]\.[0-9]"),
    "strict": re.compile(r"HTTP/[0-9](?:\.[0-9])?"),
}
_AGES = {"1": 1, "2": 2, "3": 3, "4": 4}
_INT64 = range(-(2**63), 2**63)


class MirrorRequest(NamedTuple):
    """A request for the mirror list of a kind that is counted; `query` is what follows its first "?"."""

    query: str


class RepositoryQuery(NamedTuple):
    """What a query says. `sys_age` is the value of countme, NO_COUNTME when none was sent; texts may be empty."""

    sys_age: int
    repo_tag: str
    repo_arch: str


def read_request(request: str, policy: Policy) -> MirrorRequest | Verdict:
    """A request line such as `GET /metalink?repo=fedora-39 HTTP/2.0`.

    "not_mirror_request" or "not_served" when it is of a kind that is not counted.
    """
    words = request.split(" ")
    if len(words) != 3:
        return "not_mirror_request"
    method, target, protocol = words
    path, mark, query = target.partition("?")
    if path not in _PATHS:
        return "not_mirror_request"
    if method not in _METHODS or not mark or not _PROTOCOL[policy].fullmatch(protocol):
        return "not_served"
    return MirrorRequest(query)


def read_query(query: str, policy: Policy) -> RepositoryQuery | Verdict:
    """The query of a mirror request, or why it cannot be counted.

    Pieces are separated by `&` alone; a piece without a value says nothing; of several the last counts.
    """
    values = dict(parse_qsl(query, separator="&", errors="replace"))
    repo_tag, repo_arch = values.get("repo", ""), values.get("arch", "")
    if "\0" in repo_tag or "\0" in repo_arch:
        return "nul_byte"
    sys_age = _read_age(values["countme"], policy) if "countme" in values else NO_COUNTME
    return RepositoryQuery(sys_age, repo_tag, repo_arch) if isinstance(sys_age, int) else sys_age


def _read_age(text: str, policy: Policy) -> int | Verdict:
    if policy == "strict":
        return _AGES.get(text, "countme_out_of_range")
    try:
        age = int(text)  # compat means Python's int(): blanks around, a sign, `1_0`, digits of any script
    except ValueError:
        return "bad_countme"
    return age if age in _INT64 else "countme_out_of_range"
