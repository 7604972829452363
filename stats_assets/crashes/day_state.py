"""Whether the inputs of a day are there, and from which inputs the day was made.

What must be there is told by crashes.input_days, and that it still is by the number of rows: a day whose reports
were retired is refused, not counted as a day without crashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from stats_assets.crashes import sql
from stats_assets.crashes.windows import day_window
from stats_assets.shared.failures import OurMistake
from stats_assets.shared.postgres import Cursor, one_row


class NotThere(OurMistake):
    """An input of the day is not loaded, or not any more: that day is refused, others go on."""


def missing_inputs(cursor: Cursor, inputs: Sequence[str], day: date) -> list[str]:
    """Which inputs of the day are not loaded, or not any more, in words."""
    missing = []
    for name in inputs:
        cursor.execute(sql.INPUT_DAY, {"input": name, "day": day})
        loaded = cursor.fetchone()
        if loaded is None:
            missing.append(f"crashes/{name} of the day is not loaded: materialize it first")
            continue
        cursor.execute(sql.COUNT_ROWS[name], day_window(day))
        (present,) = one_row(cursor)
        if present != loaded[0]:
            missing.append(
                f"crashes/{name} of the day was loaded with {loaded[0]} rows, of which {present} are there:"
                f" the others were retired; what is counted stays as it is."
                f" To count anew, bring the feed back and materialize crashes/{name} first"
            )
    return missing


def digest_of_inputs(cursor: Cursor, inputs: Sequence[str], day: date) -> str:
    """Differs when the day would be made from anything else than last time."""
    cursor.execute(sql.DAY_INPUTS, {"day": day, "inputs": list(inputs)})
    return one_row(cursor)[0]


def keep_made(cursor: Cursor, table: str, day: date, digest: str, rows: int) -> None:
    """Keeps that the table's day is made from the inputs of the digest; to be called in the same transaction."""
    cursor.execute(sql.KEEP_AGGREGATE_DAY, {"aggregate": table, "day": day, "inputs": digest, "row_count": rows})


def is_stale(cursor: Cursor, made_of: dict[str, tuple[str, ...]], day: date) -> bool:
    """Whether a table of the day is not made, or from other inputs than there are now, though they are all there.

    `made_of`: the inputs by table. Rows are counted only where a digest differs: that is what costs.
    """
    cursor.execute(sql.AGGREGATES_OF_DAY, {"day": day})
    made = dict[str, str](cursor.fetchall())
    for inputs in set(made_of.values()):
        digest = digest_of_inputs(cursor, inputs, day)
        differs = any(made.get(table) != digest for table, needed in made_of.items() if needed == inputs)
        if differs and not missing_inputs(cursor, inputs, day):
            return True
    return False
