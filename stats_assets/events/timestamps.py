"""Timestamps of events, many at once: RFC 3339 texts and Unix seconds as microseconds, UTC. Pure.

Arrow reads texts of the usual form a hundred times faster than they become datetimes; the others go one by one, by the
decoder that also judged them when they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stats_assets.events.values import UNIX_SECONDS_RANGE

TYPE = pa.timestamp("us", "UTC")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Of what is matched here Arrow and msgspec take the same, and read it alike; a test holds that.
_USUAL = pc.MatchSubstringOptions(r"^[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$")
_MICROSECONDS = 1_000_000
_text = msgspec.json.Decoder(Annotated[datetime, msgspec.Meta(tz=True)])

Value = str | int | float | None


def usual(values: Sequence[Value]) -> pa.Array | None:
    """As Arrow's timestamps: all texts of the usual form, or all whole seconds, or all fractions; else None.

    None stands for itself.
    """
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {str}:
        return _of_texts(values)
    return _of_numbers(values) if kinds in ({int}, {float}) else None


def of_judged(values: Sequence[Value]) -> pa.Array:
    """As Arrow's timestamps. Every value has been judged before."""
    return pa.array([None if value is None else microseconds(value) for value in values], pa.int64()).cast(TYPE)


def microseconds(value: str | int | float) -> int:
    """Since 1970; fractions of a microsecond are rounded."""
    if isinstance(value, str):
        since = _text.decode(f'"{value}"') - EPOCH
        return (since.days * 86_400 + since.seconds) * _MICROSECONDS + since.microseconds
    return value * _MICROSECONDS if isinstance(value, int) else round(value * _MICROSECONDS)


def _of_texts(values: Sequence[Value]) -> pa.Array | None:
    texts = pa.array(values, pa.string())
    try:
        found = texts.cast(TYPE)
    except pa.ArrowInvalid:
        return None
    return found if _are_common(texts) or _are_usual(texts) else None


def _are_common(texts: pa.Array) -> bool:
    """Whether all that Arrow has read so are like 2026-01-05T10:00:00.250Z, told by a few letters: most are."""
    if texts.null_count or not len(texts):
        return False
    _, offsets, content = (np.frombuffer(buffer, np.uint8) if buffer else None for buffer in texts.buffers())
    assert offsets is not None and content is not None, "an array of texts has both"
    bounds = offsets.view(np.int32)[: len(texts) + 1]
    starts, sizes = bounds[:-1], np.diff(bounds)
    have_seconds = (sizes == len("2026-01-05T10:00:00Z")) | (sizes >= len("2026-01-05T10:00:00.2Z"))
    if not have_seconds.all() or sizes.max() > len("2026-01-05T10:00:00.123456Z"):
        return False
    millennia, zones = content[starts], content[bounds[1:] - 1]
    return bool(
        ((millennia == ord("1")) | (millennia == ord("2"))).all()
        and (content[starts + 10] == ord("T")).all()
        and (zones == ord("Z")).all()
    )


def _are_usual(texts: pa.Array) -> bool:
    matches = pc.call_function("match_substring_regex", [texts], _USUAL)
    return matches.false_count == 0


def _of_numbers(values: Sequence[Value]) -> pa.Array | None:
    try:
        seconds = pa.array(values)
    except (OverflowError, pa.ArrowInvalid):
        return None
    extent = pc.call_function("min_max", [seconds]).as_py()
    if not UNIX_SECONDS_RANGE[0] <= extent["min"] <= extent["max"] <= UNIX_SECONDS_RANGE[1]:
        return None
    known = seconds.fill_null(0).to_numpy(zero_copy_only=False)
    found = np.rint(known * _MICROSECONDS).astype(np.int64)  # to even, as `round` does
    return pa.array(found, mask=seconds.is_null().to_numpy(zero_copy_only=False)).cast(TYPE)
