"""Raw events of a table and a window in blocks, as `decoding` takes them: read by stretches of pages."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from psycopg2 import sql

from stats_assets.events import tables_sql
from stats_assets.events.block import Block
from stats_assets.shared.postgres import Cursor, one_row

# 2 MB: some thousand events; more gain nothing and take memory.
_PAGES_PER_BLOCK = 256
_KEY = np.dtype([("received_at", ">i8"), ("request_id", "V16"), ("request_position", ">i4"), ("length", ">i4")])
_EPOCH_MICROSECONDS = 946_684_800_000_000  # 2000-01-01, where PostgreSQL counts from
_HEAD_BYTES = 19  # of binary COPY: magic, flags, length of an extension that is not there
_LENGTH = struct.Struct(">i")


@dataclass(frozen=True)
class Window:
    """Events of one table, received from `start` to before `end`."""

    table_name: str
    start: datetime
    end: datetime


@dataclass
class VersionsOf:
    """The schema versions of one block's events, by their place; looked up when the first one is asked for."""

    cursor: Cursor
    window: Window
    pages: tuple[str, str]
    _found: list[str] | None = None

    def __getitem__(self, place: int) -> str:
        if self._found is None:
            first_page, end_page = self.pages
            window = vars(self.window) | {"first_page": first_page, "end_page": end_page}
            self.cursor.execute(tables_sql.BLOCK_VERSIONS, window)
            self._found = [version for (version,) in self.cursor.fetchall()]
        return self._found[place]


def raw_blocks(
    cursor: Cursor, window: Window, with_headers: bool, are_few: bool = False
) -> Iterator[tuple[Block, VersionsOf]]:
    """All events of the window, in the transaction's snapshot. Blocks without events of the table are left out.

    `are_few`: the window is a small part of its day; its pages are looked for before they are read.
    """
    cursor.execute(tables_sql.PAGES_OF_FEW if are_few else tables_sql.PAGES, vars(window))
    first_page, end_page = one_row(cursor)
    for first in range(first_page, end_page, _PAGES_PER_BLOCK):
        stretch = f"({first},0)", f"({first + _PAGES_PER_BLOCK},0)"
        stream = io.BytesIO()
        cursor.copy_expert(_statement(window, stretch, with_headers), stream, size=1 << 20)
        if block := _block(stream.getvalue()):
            yield block, VersionsOf(cursor, window, stretch)


def _statement(window: Window, pages: tuple[str, str], with_headers: bool) -> sql.Composed:
    return sql.SQL(tables_sql.BLOCK).format(
        headers=sql.SQL(tables_sql.WITH_HEADERS if with_headers else tables_sql.WITHOUT_HEADERS),
        table_name=sql.Literal(window.table_name),
        start=sql.Literal(window.start),
        end=sql.Literal(window.end),
        first_page=sql.Literal(pages[0]),
        end_page=sql.Literal(pages[1]),
    )


def _block(stream: bytes) -> Block | None:
    """The one row of a binary COPY; None when it is made of no events."""
    fields, at = [], _HEAD_BYTES + 2
    for _ in range(4):
        (length,) = _LENGTH.unpack_from(stream, at)
        at += 4
        fields.append(stream[at : at + length] if length >= 0 else b"")
        at += max(length, 0)
    keys, app_ids, payloads, headers = fields
    if not keys:
        return None
    rows = np.frombuffer(keys, dtype=_KEY)
    return Block(
        received_at=rows["received_at"].astype(np.int64) + _EPOCH_MICROSECONDS,
        request_id=rows["request_id"],
        request_position=rows["request_position"],
        payload_bytes=rows["length"].astype(np.int64),
        app_ids=app_ids.decode().split(","),
        payloads=payloads,
        headers=headers,
    )
