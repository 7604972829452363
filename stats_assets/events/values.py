"""What a column takes: the type msgspec decodes it with, and what is wrong with a value that is none.

Ways of one meaning. `column_type` is for decoding many events at once, which only says that something is wrong;
`complaint` looks at one decoded value and says what; `json_types` are for the values of a column, many at once. Tests
hold that all take the same values. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from stats_assets.events.schema_file import EVENT_ID, Column, ColumnType

I32_RANGE = (-(2**31), 2**31 - 1)
I64_RANGE = (-(2**63), 2**63 - 1)
LARGEST_F32 = 3.4028234663852886e38
# Unix seconds of the years 1 to 9999, which datetime can tell; PostgreSQL could tell more.
UNIX_SECONDS_RANGE = (-62_135_596_800, 253_402_300_799)
LONGEST_EVENT_ID = 200

EVENT_ID_TYPE = Annotated[str, Meta(min_length=1, max_length=LONGEST_EVENT_ID)]

_timestamps = msgspec.json.Decoder(Annotated[datetime, Meta(tz=True)])


class Complaint(NamedTuple):
    """Why a value is refused: `reason` is one of a few, `detail` says what was found."""

    reason: str
    detail: str


def column_type(column: Column) -> Any:
    """The type to decode the column with. It lets a NUL in a string pass, which PostgreSQL cannot store."""
    plain = _KINDS[column.type].decoded_as
    return plain if column.required else plain | None


def json_types(column: Column) -> Set[type]:
    """The types of decoded JSON values the column takes, null among them; not every value of these."""
    return _KINDS[column.type].json_types


Check = Callable[[Any], Complaint | None]


def complaint(column: Column, value: Any) -> Complaint | None:
    """What is wrong with a decoded JSON value for the column; None when nothing is. None stands for null and absent."""
    return _omitted(column) if value is None else _check(column)(value)


def complaints_of(column: Column) -> Check:
    """The same, made ready for many values."""
    omitted, check = _omitted(column), _check(column)
    return lambda value: omitted if value is None else check(value)


def _omitted(column: Column) -> Complaint | None:
    return Complaint("required value omitted", f"{column.name} is required") if column.required else None


def _check(column: Column) -> Check:
    """Of `event_id`, which every event may have, the length is looked at, too."""
    return event_id_complaint if column.name == EVENT_ID else _KINDS[column.type].check


def event_id_complaint(value: Any) -> Complaint | None:
    """The same for `event_id`, which every event may have."""
    if value is None:
        return None
    if not isinstance(value, str):
        return _wrong("a string", value)
    if not 1 <= len(value) <= LONGEST_EVENT_ID:
        return Complaint("out of range", f"an event_id has 1 to {LONGEST_EVENT_ID} characters, not {len(value)}")
    return _string(value)


def _wrong(wanted: str, value: Any) -> Complaint:
    return Complaint("wrong type", f"wanted {wanted}, found {_kind(value)}")


def _kind(value: Any) -> str:
    """What JSON calls it, with the value where that is short."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {str(value)[:40]}"
    return {str: "a string", list: "an array", dict: "an object"}.get(type(value), "null")


def _bool(value: Any) -> Complaint | None:
    return None if isinstance(value, bool) else _wrong("true or false", value)


def _integer(lowest: int, highest: int) -> Callable[[Any], Complaint | None]:
    def check(value: Any) -> Complaint | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return _wrong("an integer", value)
        if isinstance(value, float):
            return Complaint("not an integer", f"{value} is written as a fraction")
        return None if lowest <= value <= highest else _out_of_range(value, lowest, highest)

    return check


def _float(highest: float) -> Callable[[Any], Complaint | None]:
    def check(value: Any) -> Complaint | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return _wrong("a number", value)
        return None if -highest <= value <= highest else _out_of_range(value, -highest, highest)

    return check


def _out_of_range(value: float, lowest: float, highest: float) -> Complaint:
    return Complaint("out of range", f"{str(value)[:40]} is not from {lowest} to {highest}")


def _string(value: Any) -> Complaint | None:
    if not isinstance(value, str):
        return _wrong("a string", value)
    return Complaint("NUL character", "text with U+0000 cannot be stored") if "\0" in value else None


def _timestamp(value: Any) -> Complaint | None:
    if isinstance(value, str):
        return None if _is_timestamp(value) else Complaint("timestamp parse", f"{value[:40]!a} is not RFC 3339")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _wrong("Unix seconds or a string with a timestamp", value)
    lowest, highest = UNIX_SECONDS_RANGE
    return None if lowest <= value <= highest else _out_of_range(value, lowest, highest)


_LIKE_A_TIMESTAMP = re.compile(r"[0-9: .TtZz+-]{20,50}")


def _is_timestamp(text: str) -> bool:
    if not _LIKE_A_TIMESTAMP.fullmatch(text):
        return False
    try:
        _timestamps.decode(f'"{text}"')
    except msgspec.ValidationError:
        return False
    return True


class _Kind(NamedTuple):
    """What a type of the schema file takes, in three ways of one meaning."""

    json_types: frozenset[type]
    decoded_as: Any
    check: Check


_NULL = type(None)
_Seconds = Meta(ge=UNIX_SECONDS_RANGE[0], le=UNIX_SECONDS_RANGE[1])
_KINDS: Mapping[ColumnType, _Kind] = {
    "bool": _Kind(frozenset({bool, _NULL}), bool, _bool),
    "i32": _Kind(frozenset({int, _NULL}), Annotated[int, Meta(ge=I32_RANGE[0], le=I32_RANGE[1])], _integer(*I32_RANGE)),
    "i64": _Kind(frozenset({int, _NULL}), Annotated[int, Meta(ge=I64_RANGE[0], le=I64_RANGE[1])], _integer(*I64_RANGE)),
    "f32": _Kind(
        frozenset({int, float, _NULL}),
        Annotated[float, Meta(ge=-LARGEST_F32, le=LARGEST_F32)],
        _float(LARGEST_F32),
    ),
    # A float of JSON is in range, or it would not have been decoded; an integer may be longer.
    "f64": _Kind(frozenset({int, float, _NULL}), float, _float(1.7976931348623157e308)),
    "string": _Kind(frozenset({str, _NULL}), str, _string),
    # RFC 3339 with a zone, or Unix seconds.
    "timestamp": _Kind(
        frozenset({str, int, float, _NULL}),
        Annotated[int, _Seconds] | Annotated[float, _Seconds] | Annotated[datetime, Meta(tz=True)],
        _timestamp,
    ),
}
