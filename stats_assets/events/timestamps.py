"""Timestamps of events, many at once: RFC 3339 texts and Unix seconds as microseconds, UTC. Pure.

Arrow reads texts of the usual form a hundred times faster than they become datetimes; the others go one by one, by the
decoder that also judged them when they came.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

TYPE = pa.timestamp("us", "UTC")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Of what is matched here Arrow and msgspec take the same, and read it alike; a test holds that.
_USUAL = r"^[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-](0\d|1[0-4]):[0-5]\d)$"
_one_is_usual = re.compile(_USUAL, re.ASCII).match
_all_are_usual = pc.MatchSubstringOptions(_USUAL)
_MICROSECONDS = 1_000_000
_text = msgspec.json.Decoder(Annotated[datetime, msgspec.Meta(tz=True)])

Value = str | int | float | None


def usual(values: Sequence[Value]) -> pa.Array | None:
    """As Arrow's timestamps; None when there are numbers among them, or texts that may be no timestamp."""
    texts = _as_texts(values)
    found = None if texts is None else _cast(texts)
    if found is None:
        return None
    matches = pc.call_function("match_substring_regex", [texts], _all_are_usual)
    # None: no text among them
    return found if pc.call_function("all", [matches]).as_py() in (True, None) else None


def unusual(values: Sequence[Value]) -> list[int]:
    """Where there are texts that may be no timestamp: each has to be looked at alone."""
    if usual(values) is not None:
        return []
    return [i for i, value in enumerate(values) if isinstance(value, str) and not _is_usual(value)]


def timestamps(values: Sequence[Value]) -> pa.Array:
    """As Arrow's timestamps. Every value has been judged before."""
    texts = _as_texts(values)
    found = None if texts is None else _cast(texts)
    if found is not None:
        return found
    return pa.array([None if value is None else microseconds(value) for value in values], pa.int64()).cast(TYPE)


def microseconds(value: str | int | float) -> int:
    """Since 1970; fractions of a microsecond are rounded."""
    if isinstance(value, str):
        since = _text.decode(f'"{value}"') - EPOCH
        return (since.days * 86_400 + since.seconds) * _MICROSECONDS + since.microseconds
    return value * _MICROSECONDS if isinstance(value, int) else round(value * _MICROSECONDS)


def _as_texts(values: Sequence[Value]) -> pa.Array | None:
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid):  # numbers among them
        return None


def _cast(texts: pa.Array) -> pa.Array | None:
    try:
        return texts.cast(TYPE)
    except pa.ArrowInvalid:
        return None


def _is_usual(text: str) -> bool:
    return _one_is_usual(text) is not None and _cast(pa.array([text])) is not None
