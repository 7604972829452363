"""Planning and carrying out as one thing: what the assets and the verbs of the command line call."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from stats_assets.shared.archive import Archive
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.table_partitions import store
from stats_assets.table_partitions.carry_out import Executor, StepResult
from stats_assets.table_partitions.catalog import Catalog
from stats_assets.table_partitions.config import TablePartitionsConfig
from stats_assets.table_partitions.patience import Tries
from stats_assets.table_partitions.plan import plan, problem_of
from stats_assets.table_partitions.reading import read_catalog
from stats_assets.table_partitions.restoring import Restored, Restoring
from stats_assets.table_partitions.steps import Kind, Plan, Refusal


@dataclass(frozen=True)
class Planned:
    """A plan with the catalog it was made from, and why tables are missing in that."""

    plan: Plan
    catalog: Catalog
    unread: Mapping[str, str]


@dataclass(frozen=True)
class Maintenance:
    """The upkeep of the policies' tables in one database."""

    database: StatsDatabase
    archive: Archive
    policies: Sequence[PartitionPolicy]
    config: TablePartitionsConfig
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    trusts_clock: bool = False

    def planned(self, at: datetime | None = None, with_repairs: bool = False) -> Planned:
        """What would be done; nothing is changed. With `at`, what would be done then."""
        now = at or self.now()
        found = read_catalog(self.database, self.policies, now, self.trusts_clock or at is not None)
        readable = [policy for policy in self.policies if policy.table not in found.unread]
        made = plan(readable, found.catalog, now, self.config.limits, with_repairs)
        unread = tuple(Refusal(table, why) for table, why in found.unread.items())
        return Planned(dataclasses.replace(made, refusals=(*unread, *made.refusals)), found.catalog, found.unread)

    def carry_out(
        self, plan: Plan, run_id: str, told: Callable[[StepResult], None] = lambda result: None
    ) -> list[StepResult]:
        """Does what a plan says, as far as its tables are as they were when it was made."""
        return self.executor(run_id, told).carry_out(plan)

    def maintain(
        self, kinds: Iterable[Kind], run_id: str, told: Callable[[StepResult], None] = lambda result: None
    ) -> tuple[Plan, list[StepResult]]:
        """Plans and carries out the steps of these kinds; once more where a table changed between the two."""
        found = self.planned().plan.only(kinds)
        results = self.carry_out(found, run_id, told)
        if any(result.is_outdated for result in results):
            found = self.planned().plan.only(kinds)
            results = [*(each for each in results if not each.is_outdated), *self.carry_out(found, run_id, told)]
        return found, results

    def restore(self, name: str, keep_days: int, apart: bool) -> Restored:
        """Brings a table partition back from the attic or from an archive. Raises OurMistake."""
        by_table = {policy.table: policy for policy in self.policies}
        tries = partial(Tries, self.config.patience, time.monotonic, time.sleep)
        return Restoring(self.database, self.archive, by_table, tries, self.now(), keep_days, apart).restore(name)

    def executor(self, run_id: str, told: Callable[[StepResult], None] = lambda result: None) -> Executor:
        by_table = {policy.table: policy for policy in self.policies}
        config = self.config
        return Executor(
            self.database, self.archive, by_table, config.limits, config.patience, run_id, self.now, told=told
        )

    def mirror(self, found: Planned) -> None:
        """The policies, and what is wrong with them, into table_partitions.policies."""
        if found.catalog.is_read_only:
            return
        tables = found.catalog.tables
        problems = {
            each.table: found.unread.get(each.table) or problem_of(each, tables.get(each.table))
            for each in self.policies
        }
        with self.database.transaction() as cursor:
            store.mirror_policies(cursor, self.policies, {table: why for table, why in problems.items() if why})
