"""What was taken away comes back: from the attic as it is, from an archive with its rows compared."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from stats_assets.shared.archive import Archive
from stats_assets.shared.failures import OurMistake
from stats_assets.shared.identifiers import quoted
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.shared.postgres import Cursor, StatsDatabase
from stats_assets.table_partitions import sql, statements, store
from stats_assets.table_partitions.archive_keys import by_key
from stats_assets.table_partitions.archiving import TEXT_SETTINGS, file_problem, fingerprint_in
from stats_assets.table_partitions.catalog import Retiring, Table
from stats_assets.table_partitions.manifest import Manifest, manifest_from_json
from stats_assets.table_partitions.parquet_copy import load_rows
from stats_assets.table_partitions.patience import Deferred, Tries
from stats_assets.table_partitions.periods import value_of
from stats_assets.table_partitions.reading import READ_SET_UP, read_table

_KINDS = {"timestamptz": "timestamptz", "date": "date", "int2": "int", "int4": "int", "int8": "int"}
_IN_ATTIC = """
SELECT table_name, partition_oid FROM table_partitions.attic
WHERE state = 'kept' AND %(name)s IN (partition_name, attic_name, table_name || '/' || partition_name)
"""


@dataclass(frozen=True)
class Restored:
    """Where the rows are again, and until when retention leaves them alone."""

    table: str
    partition: str
    source: str
    fingerprint: str | None
    keep_until: datetime


@dataclass(frozen=True)
class Restoring:
    """Brings table partitions back. `apart`: as a table beside its parent, not attached to it."""

    database: StatsDatabase
    archive: Archive
    policies: dict[str, PartitionPolicy]
    tries: Callable[[], Tries]
    now: datetime
    keep_days: int = 30
    apart: bool = False

    def restore(self, name: str) -> Restored:
        """The table partition or archive of this name. Raises OurMistake when there is none, or no room for it."""
        kept = self._in_attic(name)
        if kept is not None:
            return self._from_attic(*kept)
        return self._from_archive(self._manifest(name))

    @property
    def _until(self) -> datetime:
        return self.now + timedelta(days=self.keep_days)

    def _in_attic(self, name: str) -> tuple[str, int] | None:
        with self.database.transaction() as cursor:
            cursor.execute(_IN_ATTIC, {"name": name})
            found = cursor.fetchall()
        if len(found) > 1:
            tables = ", ".join(f"{table}/{name}" for table, _ in found)
            raise OurMistake(f"{name} is in the attic {len(found)} times; name one of {tables}, or its name in there")
        return found[0] if found else None

    def _from_attic(self, table_name: str, oid: int) -> Restored:
        policy = self.policies.get(table_name)
        if policy is None:
            raise OurMistake(f"no policy names {table_name}; write one with action keep, then restore")

        def back(cursor: Cursor) -> Restored:
            table = self._table(cursor, policy)
            kept = next(each for each in table.retiring if each.oid == oid)
            self._needs_room(table, kept.name, kept.lower, policy.kind)
            for statement in (*statements.back_from_attic(table, kept), *self._attached(table, policy, kept)):
                cursor.execute(statement)
            cursor.execute(sql.RESTORED, {"oid": oid})
            self._hold(cursor, policy.table, kept.lower)
            return Restored(policy.table, kept.name, f"attic.{kept.name_now}", None, self._until)

        return self._patiently(back)

    def _from_archive(self, manifest: Manifest) -> Restored:
        problem = file_problem(self.archive, manifest)
        if problem is not None:
            with self.database.transaction() as cursor:
                store.judge_archive(cursor, manifest.name, problem)
            raise OurMistake(f"{self.archive.location(manifest.file)}: {problem}; nothing was restored")
        policy = self.policies.get(manifest.table) or _stand_in(manifest)

        def back(cursor: Cursor) -> Restored:
            table = self._table(cursor, policy)
            self._needs_room(table, manifest.partition, manifest.lower, policy.kind)
            self._needs_columns(table, manifest)
            lower, upper = (value_of(bound, policy.kind) for bound in (manifest.lower, manifest.upper))
            for statement in statements.apart(table, manifest.partition, lower, upper):
                cursor.execute(statement)
            leaf = quoted(table.schema, manifest.partition)
            with closing(self.archive.open_read(manifest.file)) as file:
                load_rows(cursor, leaf, manifest.columns, file)
            cursor.execute(TEXT_SETTINGS)
            found = str(fingerprint_in(cursor, manifest.columns, leaf))
            if found != manifest.fingerprint:
                raise OurMistake(
                    f"{manifest.name}: restored rows have the fingerprint {found}, archived were"
                    f" {manifest.fingerprint}; nothing was restored"
                )
            if not self.apart:
                for statement in statements.attach(table, manifest.partition, lower, upper):
                    cursor.execute(statement)
            self._hold(cursor, policy.table, manifest.lower)
            return Restored(policy.table, manifest.partition, manifest.name, found, self._until)

        return self._patiently(back)

    def _attached(self, table: Table, policy: PartitionPolicy, kept: Retiring) -> tuple[str, ...]:
        """The CHECK its detach has left on it spares ATTACH the scan."""
        if self.apart:
            return ()
        lower, upper = (value_of(bound, policy.kind) for bound in (kept.lower, kept.upper))
        return statements.attach(table, kept.name, lower, upper)[:1]

    def _manifest(self, name: str) -> Manifest:
        with self.database.transaction() as cursor:
            rows = by_key(store.archives(cursor))
        found = [
            row for key, row in rows.items() if name in (key, row.name, row.partition, f"{row.table}/{row.partition}")
        ]
        exact = [row for row in found if row.name == name]
        if len(exact or found) != 1:
            named = ", ".join(row.name for row in found[:20])
            told = (
                f"{name} stands for {len(found)} archives; name one of: {named}"
                if found
                else (f"nothing is archived or in the attic as {name}; table_partitions.archives has what there is")
            )
            raise OurMistake(told)
        (row,) = exact or found
        try:
            with closing(self.archive.open_read(row.manifest_file)) as file:
                return manifest_from_json(file.read())
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise OurMistake(
                f"{self.archive.location(row.manifest_file)}: the manifest does not read ({error})"
            ) from error

    def _table(self, cursor: Cursor, policy: PartitionPolicy) -> Table:
        cursor.execute(READ_SET_UP)
        table = read_table(cursor, policy, self.now)
        if table is None or table.strategy != "r":
            raise OurMistake(f"{policy.table} is no table partitioned by range; make it before restoring into it")
        return table

    def _needs_room(self, table: Table, name: str, lower: str, kind: str) -> None:
        if name in table.names_taken:
            raise OurMistake(f"{table.schema}.{name} is there already; rename it, then restore")
        start: Any = value_of(lower, kind)
        for part in [] if self.apart else table.ranges:
            low: Any = part.lower
            high: Any = part.upper
            if start is not None and (low is None or low <= start) and (high is None or start < high):
                raise OurMistake(
                    f"{part.name} has taken the range from {lower} meanwhile; restore with --apart, move rows by hand"
                )

    def _needs_columns(self, table: Table, manifest: Manifest) -> None:
        gone = {column.name for column in manifest.columns if not column.is_generated} - set(table.columns)
        if gone:
            raise OurMistake(f"{manifest.table} no longer has the columns {', '.join(sorted(gone))} of {manifest.name}")

    def _hold(self, cursor: Cursor, table: str, lower: str) -> None:
        cursor.execute(sql.HOLD_ARCHIVE, {"table": table, "lower": lower, "until": self._until})

    def _patiently(self, work: Callable[[Cursor], Restored]) -> Restored:
        done: list[Restored] = []
        tries = self.tries()

        def attempt() -> None:
            with self.database.transaction() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {tries.patience.lock_timeout_milliseconds}")
                done.append(work(cursor))

        try:
            tries.until_free(attempt)
        except Deferred as error:
            raise OurMistake(f"{error}; nothing was restored, try again later") from error
        return done[-1]


def _stand_in(manifest: Manifest) -> PartitionPolicy:
    """For a table that no policy names any more: what its key is, and that nothing is to be done."""
    base = next(column.base for column in manifest.columns if column.name == manifest.key)
    kind: Any = _KINDS[base]
    return PartitionPolicy(table=manifest.table, key=manifest.key, kind=kind, step=1 if kind == "int" else "day")
