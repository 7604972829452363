"""`./stats partitions`: the room table_partitions from a shell. What is done is the room's; here it is told."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from stats_assets.configuration import StatsConfig
from stats_assets.local.databases import using_databases
from stats_assets.local.migrating import become, migrate_stats
from stats_assets.local.surroundings import environ_for
from stats_assets.room_policies import room_policies
from stats_assets.shared.archive import Archive
from stats_assets.shared.config import read_config
from stats_assets.shared.environment import Environment
from stats_assets.shared.failures import ConfigurationMistake
from stats_assets.shared.partition_policy import split_name
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.table_partitions.carry_out import StepResult
from stats_assets.table_partitions.config import effective
from stats_assets.table_partitions.maintenance import Maintenance
from stats_assets.table_partitions.socorro import import_policies
from stats_assets.table_partitions.steps import Plan, plan_from_json


@contextmanager
def maintaining(environment: Environment, trusts_clock: bool = False) -> Iterator[Maintenance]:
    """The room with this installation's configuration and database."""
    with using_databases(environment) as databases:
        become(environ_for(environment, databases, os.environ))
        migrate_stats(databases.dsn)
        config = read_config(environment.config_file, StatsConfig, os.environ)
        policies = effective(room_policies(config), config.table_partitions)
        yield Maintenance(
            StatsDatabase(databases.dsn),
            Archive(config.archive),
            policies,
            config.table_partitions,
            trusts_clock=trusts_clock,
        )


def planned(environment: Environment, at: datetime | None, table: str | None, with_repairs: bool) -> Plan:
    """What would be done, for all tables or for one. Raises ConfigurationMistake for a table without a policy."""
    with maintaining(environment) as maintenance:
        plan = maintenance.planned(at, with_repairs).plan
        if table is None:
            return plan
        known = [policy.table for policy in maintenance.policies]
        if table not in known:
            raise ConfigurationMistake(f"no policy names {table}; there are policies for {', '.join(known)}")
        return plan.of(table)


def lines_of(plan: Plan) -> Iterator[str]:
    """A plan for people: each step with what it takes, and its SQL."""
    for step in plan.steps:
        size = f", about {step.rows:,} rows, {step.bytes / 1e6:,.1f} MB" if step.rows or step.bytes else ""
        yield f"{step.kind:9} {step.table}: {step.partition}, {step.lower} to {step.upper}{size}"
        yield f"          why:  {step.why}"
        yield f"          lock: {step.lock}"
        for statement in step.statements or ("(writes and verifies a Parquet file, then its manifest)",):
            yield f"          {statement};"
    for refusal in plan.refusals:
        yield f"{'refused' if refusal.is_wrong else 'note':9} {refusal}"
    if not plan.steps:
        yield "nothing to do"


def applied(
    environment: Environment, file: Path | None, table: str | None, with_repairs: bool, trusts_clock: bool
) -> Iterator[StepResult]:
    """Carries out what is due now, or a plan that `plan --json` wrote, as far as its tables have not changed since."""
    with maintaining(environment, trusts_clock) as maintenance:
        plan = _read(file) if file is not None else maintenance.planned(with_repairs=with_repairs).plan
        yield from maintenance.carry_out(plan.of(table) if table else plan, f"command-{uuid4().hex[:8]}")


def policies_from_socorro(environment: Environment, table: str, truncate_after: str | None) -> str:
    """The rows of report_partition_info as a section of stats.yaml."""
    with maintaining(environment) as maintenance:
        return import_policies(maintenance.database, split_name(table), truncate_after)


def _read(file: Path) -> Plan:
    try:
        return plan_from_json(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationMistake(
            f"{file}: is no plan as ./stats partitions plan --json writes it: {error}"
        ) from error
