"""Rows of many parsed logs as binary COPY streams, one per table; and whether their numbers fit the columns.

Types were checked when the log was decoded; what is left to see here is whether a number is too large.
Arrow makes the columns, pgpq the stream: no text is written or parsed on either side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from stats_assets.shared.bulk_load import arrow_stream
from stats_assets.trends.gamelog import GameLog
from stats_assets.trends.reasons import BadLog
from stats_assets.trends.tables import SILVER, WEAPON_STATS, Column, Kind, Table

_INTEGERS: dict[Kind, pa.DataType] = {"smallint": pa.int16(), "int": pa.int32(), "bigint": pa.int64()}
_MICROSECONDS = 1_000_000
_WEAPON = 2  # its name's place in a row of weapon_stats
_DAY = 86_400


class Block:
    """The values of many logs, one after the other, of which columns are made."""

    def __init__(self, games: Iterable[GameLog] = ()) -> None:
        self._logids: list[int] = []
        self._days: list[int] = []  # since 1970
        self._rows: dict[str, list[int]] = {table.name: [] for table in SILVER}  # how many, by log
        self._values: dict[str, list[Any]] = {table.name: [] for table in SILVER}
        for game in games:
            self.add(game)

    def add(self, game: GameLog) -> None:
        self._logids.append(game.logid)
        self._days.append(game.uploaded_at // _DAY)
        for table in SILVER:
            values = game.values.get(table.name, ())
            self._rows[table.name].append(len(values) // len(table.columns))
            self._values[table.name].extend(values)

    @property
    def weapons(self) -> set[str]:
        """The weapon names of the logs."""
        return set(self._column(WEAPON_STATS, _WEAPON))

    def streams(self, weaponids: Mapping[str, int]) -> dict[str, tuple[list[str], int, bytes]]:
        """By table: the columns, the number of rows, and the rows as one COPY stream; tables without rows are left out.

        Raises one of `BAD_BLOCK` when a value does not fit; `fits` tells which log it is of.
        """
        return {table.name: self._stream(table, weaponids) for table in SILVER if self._values[table.name]}

    def _stream(self, table: Table, weaponids: Mapping[str, int]) -> tuple[list[str], int, bytes]:
        counts = self._rows[table.name]
        logids = np.repeat(np.array(self._logids, np.int32), counts)
        days = np.repeat(np.array(self._days, np.int32), counts)
        # Everywhere here by numpy and by type: a cast would load pyarrow.compute, a tenth of a second.
        arrays = [pa.array(logids), pa.array(days, pa.date32())]
        for place, column in enumerate(table.columns):
            values = self._column(table, place)
            arrays.append(_array(column, _ids(values, weaponids) if column.name == "weaponid" else values))
        names = ["logid", "day", *(column.name for column in table.columns)]
        return names, len(logids), arrow_stream(pa.RecordBatch.from_arrays(arrays, names))

    def check(self) -> None:
        """Raises BadLog for the first value that is not of its column's type, or does not fit it."""
        for table in SILVER:
            for place, column in enumerate(table.columns):
                values = self._column(table, place)
                try:
                    _text("text", values) if column.name == "weaponid" else _array(column, values)
                except BAD_BLOCK as error:
                    raise BadLog(_reason(error), f"{table.name}.{column.name}: {error!s:.160}") from error

    def _column(self, table: Table, place: int) -> list[Any]:
        """Every n-th value."""
        return self._values[table.name][place :: len(table.columns)]


def fits(game: GameLog) -> None:
    """Raises BadLog when a value of the log is not of its column's type, or does not fit it."""
    Block([game]).check()


class _NotAValue(ValueError):
    """`reason`: a code of quarantine."""

    def __init__(self, reason: str, told: str) -> None:
        super().__init__(told)
        self.reason = reason


BAD_BLOCK = (_NotAValue, pa.ArrowException, OverflowError, TypeError, ValueError)


def _ids(names: Iterable[str], weaponids: Mapping[str, int]) -> list[int]:
    return [weaponids[name] for name in names]


def _array(column: Column, values: Sequence[Any]) -> pa.Array:
    array = _TYPED[column.kind](column.kind, values)
    if array.null_count and not column.is_nullable:
        raise _NotAValue("missing_value", "is null")
    return array


def _whole_numbers(kind: Kind, values: Sequence[Any]) -> pa.Array:
    try:  # half of what Arrow takes, but it knows no NULL
        numbers = np.fromiter(values, np.int64, len(values))
    except TypeError:
        return pa.array(values, _INTEGERS[kind])
    return pa.array(numbers, _INTEGERS[kind])


def _real(_kind: Kind, values: Sequence[Any]) -> pa.Array:
    array = pa.array(values, pa.float32())
    if np.isinf(array.to_numpy(zero_copy_only=False).astype(np.float32)).any():
        raise _NotAValue("bad_number", "a number is too large")
    return array


def _seconds(_kind: Kind, values: Sequence[Any]) -> pa.Array:
    return pa.array(np.array(values, dtype=np.int64) * _MICROSECONDS, pa.timestamp("us", "UTC"))


def _label(_kind: Kind, values: Sequence[Any]) -> pa.Array:
    return pa.array(values, pa.string())


def _text(_kind: Kind, values: Sequence[Any]) -> pa.Array:
    if "\0" in "".join(filter(None, values)):  # which JSON knows and PostgreSQL does not
        raise _NotAValue("nul_character", "a text holds the character NUL")
    return pa.array(values, pa.string())


def _boolean(_kind: Kind, values: Sequence[Any]) -> pa.Array:
    return pa.array(values, pa.bool_())


_TYPED = {
    **dict.fromkeys(_INTEGERS, _whole_numbers),
    "real": _real,
    "text": _text,
    "enum": _label,
    "boolean": _boolean,
    "timestamptz": _seconds,
}


def _reason(error: BaseException) -> str:
    return error.reason if isinstance(error, _NotAValue) else "bad_number"
