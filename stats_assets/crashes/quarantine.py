"""What could not be used of a day's input: counted by reason, the first ones kept as samples without private texts."""

from __future__ import annotations

import re
from typing import NamedTuple

_LONGEST = 400
_MAIL = re.compile(r"[^\s@\"':,]+@[^\s@\"',]+\.[^\s@\"',]+")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'\\]+", re.IGNORECASE)
_PRIVATE = re.compile(
    r"""("(?:email|url|user_comments|comments|user_id|app_notes|exploitability|addons|sensitive|memory_info)"\s*:\s*)
        (?:"(?:[^"\\]|\\.)*+"?|[\[{].*)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


class Sample(NamedTuple):
    """A row of crashes.quarantine without input and day. `place` counts lines from 1; `source` has no credentials."""

    source: str
    place: int
    reason: str
    sample: str


class Rejects:
    """Counts by the kind of reason, which is what stands before its colon; keeps the first samples."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self.reasons: dict[str, int] = {}
        self.samples: list[Sample] = []

    def add(self, source: str, place: int, reason: str, content: bytes | str) -> None:
        kind = reason.partition(":")[0]
        self.reasons[kind] = self.reasons.get(kind, 0) + 1
        if len(self.samples) < self._at_most:
            start = content[:_LONGEST]
            text = start.decode("utf-8", "replace") if isinstance(start, bytes) else start
            self.samples.append(Sample(source, place, reason[:_LONGEST], blotted(text)))


def blotted(text: str) -> str:
    """Without what a person could be found by: the values of private fields, e-mail addresses, URLs."""
    text = _PRIVATE.sub(r'\1"REMOVED"', text)
    text = _MAIL.sub("EMAILREMOVED", _URL.sub("URLREMOVED", text))
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
