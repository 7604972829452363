"""A few of the lines that were rejected, fit to be kept and shown to people."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from stats_assets.countme.verdicts import REJECTIONS, Verdict

_MOST_PER_VERDICT = 20
_MOST_BYTES = 2000
_MASK = "[address]"
_HOST = re.compile(r"^[^\s\"\[]+")
# What looks like an IPv4 address, or like an IPv6 address and not like a time (hh:mm:ss behind a year).
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|(?:[0-9A-Fa-f]{1,4}:){4}[0-9A-Fa-f:.]*|[0-9A-Fa-f:]*::[0-9A-Fa-f:.]*")


@dataclass(frozen=True, slots=True)
class Sample:
    """A rejected line: its place in the decompressed file, why, and its text, cut, odd bytes as \\xHH."""

    byte_offset: int
    verdict: Verdict
    text: str


class Sampler:
    """The first rejected lines of each verdict of one file. Addresses are masked unless they are kept anyway."""

    def __init__(self, keep_addresses: bool) -> None:
        self._keep_addresses = keep_addresses
        self._taken: Counter[Verdict] = Counter()

    def wants(self, verdict: Verdict) -> int:
        """How many more lines of this verdict are worth keeping."""
        return max(0, _MOST_PER_VERDICT - self._taken[verdict]) if verdict in REJECTIONS else 0

    def sample(self, byte_offset: int, verdict: Verdict, line: bytes) -> Sample:
        self._taken[verdict] += 1
        text = _printable(line[:_MOST_BYTES].rstrip(b"\r\n"))
        return Sample(byte_offset, verdict, text if self._keep_addresses else _masked(text))


def _printable(line: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in line)


def _masked(text: str) -> str:
    return _ADDRESS.sub(_MASK, _HOST.sub(_MASK, text))
