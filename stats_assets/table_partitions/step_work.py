"""What the steps do in the database: their statements, and what the books have to say with them.

When, whether at all, and what is told of it is `carry_out`; how long a lock is waited for is `patience`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from stats_assets.shared.archive import Archive
from stats_assets.shared.failures import OurMistake
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.shared.postgres import Cursor, StatsDatabase
from stats_assets.table_partitions import sql, store
from stats_assets.table_partitions.archiving import archive_table, is_unchanged, table_fingerprint
from stats_assets.table_partitions.limits import Limits
from stats_assets.table_partitions.manifest import Manifest
from stats_assets.table_partitions.patience import Tries, need_free
from stats_assets.table_partitions.statements import attic_name
from stats_assets.table_partitions.steps import Step

_STATE = "SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = %(oid)s"
_STATEMENT_TIMEOUT = "10min"  # for what should take milliseconds, or move at most a million rows
_LONGEST_WAIT_SECONDS = 300


@dataclass(frozen=True)
class StepWork:
    """One step's work, tried until no lock is in its way. Raises Deferred, OurMistake or what PostgreSQL raised."""

    database: StatsDatabase
    archive: Archive
    policies: Mapping[str, PartitionPolicy]
    limits: Limits
    tries: Tries
    run_id: str
    now: Callable[[], datetime]
    boundary: Callable[[str], None]

    def do(self, step: Step) -> Manifest | None:
        """Gives the manifest of an archive, else nothing."""
        match step.kind:
            case "archive":
                return self.tries.until_free(lambda: self._archived(step))
            case "detach":
                self._intend(step)
                self.tries.until_free(lambda: self._detach(step))
            case "finalize":
                self.tries.until_free(lambda: self._detach(step))
            case "drop":
                self.tries.until_free(lambda: self._agrees(step))
                self.tries.until_free(lambda: self._in_transaction(step))
            case _ if step.is_transaction:
                self.tries.until_free(lambda: self._in_transaction(step))
            case _:
                self.tries.until_free(lambda: self._each_alone(step))
        return None

    def _in_transaction(self, step: Step) -> None:
        """Most steps: their statements and, with them, the books."""
        with self.database.transaction() as cursor:
            self._prepare(cursor, "SET LOCAL")
            need_free(cursor, step.waits_for)
            for statement in step.statements:
                cursor.execute(statement)
            if step.kind == "shelve":
                now = self.now()
                store.shelved(cursor, step, now, now + timedelta(days=self.limits.attic_days))
            if step.kind == "drop":
                store.dropped(cursor, step)
            self.boundary(f"inside {step.kind} {step.partition}")

    def _each_alone(self, step: Step) -> None:
        with self.database.session() as cursor:
            self._prepare(cursor, "SET")
            need_free(cursor, step.waits_for)
            for statement in step.statements:
                self._run_in_session(cursor, statement)

    def _intend(self, step: Step) -> None:
        """The intention is written first: a table partition that is half detached then has somebody to end it."""
        with self.database.transaction() as cursor:
            store.intend_detach(cursor, step, attic_name(step.schema, step.partition, step.oid or 0))
        self.boundary(f"intended detach {step.partition}")

    def _detach(self, step: Step) -> None:
        """One try: a detach that a try before has left pending is finalized, one that is complete is left alone."""
        with self.database.session() as cursor:
            cursor.execute(_STATE, {"oid": step.oid})
            state = cursor.fetchone()
            self._prepare(cursor, "SET")
            if state == (True,):
                self._run_in_session(cursor, _finalizing(step))
            elif state == (False,) and step.is_transaction:
                self._in_transaction(step)
            elif state == (False,):
                need_free(cursor, step.waits_for)
                self._run_in_session(cursor, step.statements[0])

    def _run_in_session(self, cursor: Cursor, statement: str) -> None:
        """CONCURRENTLY and FINALIZE wait for transactions, not for locks that others would queue behind: they may take
        all the time there is. Broken off, they leave something half done."""
        patience = self.tries.patience
        waits_alone = not statement.startswith("ALTER INDEX")
        longest = round(min(patience.budget_seconds, _LONGEST_WAIT_SECONDS) * 1000)
        cursor.execute(f"SET lock_timeout = {longest if waits_alone else patience.lock_timeout_milliseconds}")
        cursor.execute(statement)

    def _archived(self, step: Step) -> Manifest:
        key = self.policies[step.table].key
        set_up = f"SET LOCAL lock_timeout = {self.tries.patience.lock_timeout_milliseconds}"
        return archive_table(self.database, self.archive, step, key, set_up, self.boundary)

    def _agrees(self, step: Step) -> None:
        """Raises OurMistake unless the table and the file it is archived in hold the same rows still."""
        if step.action != "archive":
            return
        with self.database.transaction() as cursor:
            self._prepare(cursor, "SET LOCAL")
            (row,) = store.archives(cursor, step.archive_name) or [None]
            found = str(table_fingerprint(cursor, step))
        if row is None or found != row.fingerprint:
            self._forget_archive(step)
            told = row.fingerprint if row else "missing"
            raise OurMistake(
                f"not dropped: the table's fingerprint is {found}, its archive's {told}: rows came after it was"
                " archived; the next run archives it anew"
            )
        if not is_unchanged(self.archive, row):
            self._forget_archive(step, row.name)
            raise OurMistake(
                f"not dropped: the file {self.archive.location(row.file)} is gone or has changed since it was verified;"
                " the next run archives the table anew; look at the disk of the archive"
            )

    def _forget_archive(self, step: Step, spoilt: str | None = None) -> None:
        """The table counts as not archived; `spoilt` names an archive whose file is not what it was."""
        with self.database.transaction() as cursor:
            if spoilt is not None:
                store.judge_archive(cursor, spoilt, "the file is gone or has changed since it was verified")
            cursor.execute(sql.FORGET_ARCHIVE, {"oid": step.oid})

    def _prepare(self, cursor: Cursor, command: Literal["SET", "SET LOCAL"]) -> None:
        """How a session behaves that must not be in anybody's way."""
        settings = {
            "lock_timeout": self.tries.patience.lock_timeout_milliseconds,
            "statement_timeout": f"'{_STATEMENT_TIMEOUT}'",
            # When we are killed, the server notices, and does not go on waiting in our place.
            "client_connection_check_interval": "'500ms'",
            "application_name": f"'stats_assets partitions {_plain(self.run_id)}'",
        }
        cursor.execute("; ".join(f"{command} {name} = {value}" for name, value in settings.items()))


def _finalizing(step: Step) -> str:
    """The end of the step's own DETACH ... CONCURRENTLY."""
    return step.statements[0].removesuffix(" CONCURRENTLY").removesuffix(" FINALIZE") + " FINALIZE"


def _plain(run_id: str) -> str:
    return "".join(letter for letter in run_id[:24] if letter.isalnum() or letter == "-")
