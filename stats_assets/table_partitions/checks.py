"""A check per table and promise. They belong to the assets' own steps: as steps behind them they would be skipped just
when something is wrong."""

from __future__ import annotations

import os
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import dagster as dg

from stats_assets.shared.archive import Archive
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.table_partitions import store
from stats_assets.table_partitions.catalog import Catalog
from stats_assets.table_partitions.promises import BLOCKING, MEANINGS, WARNING, Surroundings, findings

_ODD = re.compile(r"[^A-Za-z0-9_]")


def check_name(promise: str, table: str) -> str:
    """Dagster's names of checks hold letters, digits and underscores only."""
    return f"{promise}__{_ODD.sub('_', table)}"


def specs(asset: dg.AssetKey, promises: Sequence[str], policies: Sequence[PartitionPolicy]) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            check_name(promise, policy.table),
            asset=asset,
            description=f"{policy.table}: {MEANINGS[promise]}",
            blocking=promise in BLOCKING,
        )
        for policy in policies
        for promise in promises
    ]


def evaluated(
    asset: dg.AssetKey,
    promises: Sequence[str],
    policies: Sequence[PartitionPolicy],
    catalog: Catalog,
    now: datetime,
    around: Surroundings,
) -> Iterator[dg.AssetCheckResult]:
    """The results of `specs` by this catalog."""
    for policy in policies:
        for found in findings(promises, policy, catalog.tables.get(policy.table), now, around):
            # Of a table that somebody holds locked nothing is known, and on a standby nothing is ours to do: neither
            # is a reason to stop anything.
            is_mild = found.promise in WARNING or found.table in around.unread or catalog.is_read_only
            facts = {name: fact for name, fact in found.facts.items() if fact not in ([], {})}
            yield dg.AssetCheckResult(
                asset_key=asset,
                check_name=check_name(found.promise, found.table),
                passed=found.holds,
                severity=dg.AssetCheckSeverity.WARN if is_mild else dg.AssetCheckSeverity.ERROR,
                description=found.told,
                metadata={"table": found.table, **facts},
            )


def surroundings(database: StatsDatabase, archive: Archive) -> Surroundings:
    with database.transaction() as cursor:
        rows = store.archives(cursor)
    problems: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        if row.problem is not None:
            problems[row.table][row.name] = row.problem
    return Surroundings(problems, _free_bytes(archive))


def _free_bytes(archive: Archive) -> int | None:
    """Of the disk the archive is on; None when that is somewhere else."""
    if "://" in archive.url and not archive.url.startswith("file://"):
        return None
    folder = Path(archive.url.removeprefix("file://"))
    while not os.path.isdir(folder) and folder != folder.parent:  # noqa: PTH112 - a folder not made yet
        folder = folder.parent
    return shutil.disk_usage(folder).free
