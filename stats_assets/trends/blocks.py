"""Rows of many parsed logs as binary COPY streams, one per table; and whether their numbers fit the columns.

Types were checked when the log was decoded; what is left to see here is whether a number is too large.
Arrow makes the columns, pgpq the stream: no text is written or parsed on either side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import chain

import numpy as np
import pyarrow as pa

from stats_assets.shared.bulk_load import arrow_stream
from stats_assets.trends.gamelog import GameLog, Row
from stats_assets.trends.reasons import BadLog
from stats_assets.trends.tables import SILVER, Column, Kind, Table

_INTEGERS: dict[Kind, pa.DataType] = {"smallint": pa.int16(), "int": pa.int32(), "bigint": pa.int64()}
_MICROSECONDS = 1_000_000
_EPOCH = date(1970, 1, 1)


def fits(game: GameLog) -> None:
    """Raises BadLog when a value of the log is not of its column's type, or does not fit it."""
    for table in SILVER:
        for column, values in zip(table.columns, _columns(table, game.rows.get(table.name, ())), strict=True):
            if column.name != "weaponid":
                try:
                    _array(column, values)
                except _NOT_A_VALUE as error:
                    raise BadLog(_reason(error), f"{table.name}.{column.name}: {error!s:.160}") from error


def streams(games: Sequence[GameLog], weaponids: Mapping[str, int]) -> dict[str, tuple[list[str], int, bytes]]:
    """By table: the columns, the number of rows, and the rows as one COPY stream; tables without rows are left out.

    Raises one of `BAD_BLOCK` when a value does not fit; `fits` tells which log it is of.
    """
    logids = np.array([game.logid for game in games], dtype=np.int32)
    days = np.array([(game.day - _EPOCH).days for game in games], dtype=np.int32)
    found = {}
    for table in SILVER:
        by_game = [game.rows.get(table.name, ()) for game in games]
        counts = [len(rows) for rows in by_game]
        number = sum(counts)
        if not number:
            continue
        arrays = [pa.array(np.repeat(logids, counts)), pa.array(np.repeat(days, counts)).cast(pa.date32())]
        for column, values in zip(table.columns, _columns(table, chain.from_iterable(by_game)), strict=True):
            arrays.append(_array(column, _ids(values, weaponids) if column.name == "weaponid" else values))
        names = ["logid", "day", *(column.name for column in table.columns)]
        found[table.name] = (names, number, arrow_stream(pa.RecordBatch.from_arrays(arrays, names)))
    return found


def weapons_of(games: Iterable[GameLog]) -> set[str]:
    """The weapon names of the logs."""
    return {row[2] for game in games for row in game.rows.get("weapon_stats", ())}


class _NotAValue(ValueError):
    pass


_NOT_A_VALUE = (_NotAValue, pa.ArrowException, OverflowError, TypeError, ValueError)
BAD_BLOCK = _NOT_A_VALUE


def _columns(table: Table, rows: Iterable[Row]) -> Iterable[Sequence[object]]:
    """The rows turned round: one long list, then every n-th value of it, for a third less than `zip` takes."""
    values = list(chain.from_iterable(rows))
    width = len(table.columns)
    return (values[place::width] for place in range(width))


def _ids(names: Iterable[object], weaponids: Mapping[str, int]) -> list[int]:
    return [weaponids[name] for name in names]  # type: ignore[index]


def _array(column: Column, values: Sequence[object]) -> pa.Array:
    array = _TYPED[column.kind](column.kind, values)
    if array.null_count and not column.is_nullable:
        raise _NotAValue("is null")
    return array


def _whole_numbers(kind: Kind, values: Sequence[object]) -> pa.Array:
    return pa.array(values, _INTEGERS[kind])


def _real(_kind: Kind, values: Sequence[object]) -> pa.Array:
    array = pa.array(values, pa.float32())
    if np.isinf(array.to_numpy(zero_copy_only=False).astype(np.float32)).any():
        raise _NotAValue("a number is too large")
    return array


def _seconds(_kind: Kind, values: Sequence[object]) -> pa.Array:
    # By numpy: pyarrow.compute takes a tenth of a second to import.
    return pa.array(np.array(values, dtype=np.int64) * _MICROSECONDS, pa.timestamp("us", "UTC"))


def _text(_kind: Kind, values: Sequence[object]) -> pa.Array:
    return pa.array(values, pa.string())


def _boolean(_kind: Kind, values: Sequence[object]) -> pa.Array:
    return pa.array(values, pa.bool_())


_TYPED = {
    **dict.fromkeys(_INTEGERS, _whole_numbers),
    "real": _real,
    "text": _text,
    "enum": _text,
    "boolean": _boolean,
    "timestamptz": _seconds,
}


def _reason(error: BaseException) -> str:
    return "missing_value" if isinstance(error, _NotAValue) and "null" in str(error) else "bad_number"
