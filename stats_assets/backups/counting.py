"""Counts every table of the data database in one snapshot; never waits for writers, and they never wait for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg2
from psycopg2 import sql as pgsql
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ

from stats_assets.backups import sql
from stats_assets.backups.manifest import TableContent
from stats_assets.backups.moments import Moment, lsn_from, snapshot_from
from stats_assets.shared.failures import SourceAway
from stats_assets.shared.fingerprint import Column, Fingerprint, fingerprint_query
from stats_assets.shared.identifiers import quoted
from stats_assets.shared.postgres import Cursor, StatsDatabase, one_row

# A table was dropped, or is locked, or we and somebody else would wait for each other.
_DISTURBED = (
    psycopg2.errors.UndefinedTable,
    psycopg2.errors.LockNotAvailable,
    psycopg2.errors.DeadlockDetected,
)
_TRIES = 5


@dataclass(frozen=True)
class Table:
    """A table of the snapshot; `filenode` names the file its rows were in."""

    schema: str
    name: str
    oid: int
    filenode: int
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Count:
    """A snapshot that stays open: what is counted is as of its moment, however long it takes."""

    cursor: Cursor
    held: frozenset[int] = frozenset()

    def moment(self) -> Moment:
        """What the snapshot sees, and a place in the WAL at or after all of that. Has to be asked first."""
        self.cursor.execute(sql.MOMENT)
        snapshot, lsn = one_row(self.cursor)
        return Moment(snapshot_from(snapshot), lsn_from(lsn))

    def export(self) -> str:
        """A name by which pg_dump sees the same."""
        self.cursor.execute("SELECT pg_export_snapshot()")
        return one_row(self.cursor)[0]

    def tables(self) -> list[Table]:
        self.cursor.execute(sql.TABLES)
        rows = self.cursor.fetchall()
        return [Table(schema, name, oid, node, tuple(cols or ())) for schema, name, oid, node, cols in rows]

    def schemas(self) -> tuple[str, ...]:
        self.cursor.execute(sql.SCHEMAS)
        return tuple(name for (name,) in self.cursor.fetchall())

    def hold(self, tables: list[Table]) -> bool:
        """Locks those tables of the snapshot that are not locked yet; False when one was dropped or rewritten since."""
        try:
            _lock(self.cursor, [table for table in tables if table.oid not in self.held])
        except _DISTURBED:
            return False
        found = {"oids": [table.oid for table in tables], "nodes": [table.filenode for table in tables]}
        self.cursor.execute(sql.REWRITTEN, found)
        return one_row(self.cursor) == (0,)

    def contents(self, tables: list[Table], progress: Callable[[str], None] | None = None) -> tuple[TableContent, ...]:
        """Rows and fingerprint of each table, by the texts of all its columns."""
        self.cursor.execute(sql.SETTLE_TEXTS)
        found = []
        for table in tables:
            content = self._content(table)
            found.append(TableContent(table.schema, table.name, content.rows, f"{content}"))
            if progress is not None:
                progress(f"{table.schema}.{table.name}: {content.rows} rows")
        return tuple(found)

    def _content(self, table: Table) -> Fingerprint:
        # As text, whatever the type: infinity, enumerations and arrays have one, too. A table may have no column.
        columns = [Column(name, "text", "text") for name in table.columns]
        name = quoted(table.schema, table.name)
        if columns:
            self.cursor.execute(pgsql.SQL(fingerprint_query(columns, name)))  # type: ignore[arg-type]  # quoted names
        else:
            self.cursor.execute(
                pgsql.SQL("SELECT count(*), 0 FROM ONLY {}").format(pgsql.Identifier(table.schema, table.name))
            )
        rows, total = one_row(self.cursor)
        return Fingerprint(int(rows), int(total))


@contextmanager
def counting(database: StatsDatabase) -> Iterator[Count]:
    """A snapshot, taken with the first statement; read only, and gone with the block."""
    with database.connection() as connection:
        connection.autocommit = False
        connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True)
        with connection.cursor() as cursor:
            cursor.execute(sql.NO_TIMEOUTS)  # takes no snapshot yet
            yield Count(cursor)
        connection.rollback()


@contextmanager
def counting_held(database: StatsDatabase) -> Iterator[Count]:
    """As `counting`, with every table kept from DROP, TRUNCATE and rewriting, which a snapshot does not protect from.

    Readers and writers go on. The locks come before the snapshot, and in its own session: a table that is emptied
    every second would never be still otherwise, and a session that reads waits behind one that waits to empty.
    Raises SourceAway.
    """
    with ExitStack() as stack:
        for _try in range(_TRIES):
            with counting(database) as now:
                tables = now.tables()
            count = stack.enter_context(counting(database))
            try:
                _lock(count.cursor, tables)
                break
            except _DISTURBED:
                count.cursor.connection.rollback()
        else:
            raise SourceAway("tables are being dropped or rewritten again and again; run the backup at a quieter time")
        yield Count(count.cursor, frozenset(table.oid for table in tables))


def _lock(cursor: Cursor, tables: list[Table]) -> None:
    if tables:
        names = pgsql.SQL(", ").join(pgsql.Identifier(table.schema, table.name) for table in tables)
        cursor.execute(pgsql.SQL("LOCK TABLE ONLY {} IN ACCESS SHARE MODE").format(names))
