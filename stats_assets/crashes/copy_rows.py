"""Rows as lines for COPY, and COPY in batches, for tables with many rows a day.

The format is COPY's CSV with control characters as delimiter and quote. Texts do not hold them but for odd ones, so
that nearly every value goes in as it is.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence

from psycopg2 import sql as pg

from stats_assets.shared.postgres import Cursor
from stats_assets.shared.table_partitions import Leaf

DELIMITER, QUOTE = "\x02", "\x01"
_EMPTY = QUOTE * 2  # an empty text; nothing at all is NULL
_NEEDS_QUOTES = re.compile("[\x01\x02\r\n]")
_ROWS_PER_COPY = 10_000


def plain(value: str | None) -> str:
    """A text without control characters as a field."""
    return value or ("" if value is None else _EMPTY)


def quoted(value: str | None) -> str:
    """Any text as a field."""
    if value and _NEEDS_QUOTES.search(value):
        return QUOTE + value.replace(QUOTE, _EMPTY) + QUOTE
    return plain(value)


class Batches:
    """Rows of several tables, copied one table after the other whenever there are enough: memory stays flat."""

    def __init__(self, cursor: Cursor, tables: Iterable[tuple[Leaf, Sequence[str]]]) -> None:
        self._cursor = cursor
        self._waiting = [(_copy_statement(leaf, columns), list[str]()) for leaf, columns in tables]
        self._rows = 0

    def add(self, *lines: str) -> None:
        """A line for each of the tables."""
        for (_, waiting), line in zip(self._waiting, lines, strict=True):
            waiting.append(line)
        self._rows += 1
        if self._rows >= _ROWS_PER_COPY:
            self.flush()

    def flush(self) -> None:
        for statement, lines in self._waiting:
            if lines:
                lines.append("")  # the last row ends with a line feed, too
                self._cursor.copy_expert(statement, io.BytesIO("\n".join(lines).encode()), size=1 << 18)
                lines.clear()
        self._rows = 0


def _copy_statement(leaf: Leaf, columns: Iterable[str]) -> pg.Composed:
    return pg.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, DELIMITER {}, QUOTE {})").format(
        pg.Identifier(*leaf.qualified),
        pg.SQL(", ").join(map(pg.Identifier, columns)),
        pg.Literal(DELIMITER),
        pg.Literal(QUOTE),
    )
