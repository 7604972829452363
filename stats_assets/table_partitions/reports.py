"""Plans, results and archives as the Dagster UI shows them: metadata of the materializations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from stats_assets.shared.archive import Archive
from stats_assets.table_partitions.carry_out import StepResult
from stats_assets.table_partitions.steps import Plan
from stats_assets.table_partitions.store import ArchiveRow


def plan_metadata(plan: Plan, now: datetime) -> dict[str, Any]:
    return {
        "steps": len(plan.steps),
        "refusals": len(plan.refusals),
        "plan": dg.MetadataValue.md(plan.as_markdown()),
        "plan_json": dg.MetadataValue.json(plan.as_json(now)),
    }


def result_metadata(plan: Plan, results: Sequence[StepResult]) -> dict[str, Any]:
    counts = {
        name: sum(result.result == name for result in results) for name in ("done", "deferred", "failed", "skipped")
    }
    lines = ["| step | result | tries | waited ms | why |", "|---|---|---:|---:|---|"]
    lines += [f"| {r.step} | {r.result} | {r.tries} | {r.waited_ms} | {r.message or ''} |" for r in results]
    return {
        **counts,
        "longest_wait_ms": max((result.waited_ms for result in results), default=0),
        "steps": dg.MetadataValue.md("\n".join(lines) if results else "nothing was to be done"),
        "refused": [str(refusal) for refusal in plan.refusals],
    }


def archive_metadata(archive: Archive, row: ArchiveRow) -> dict[str, Any]:
    return {
        "dagster/row_count": row.rows,
        "archive": row.name,
        "size_bytes": row.file_bytes,
        "table_bytes": row.table_bytes,
        "fingerprint": row.fingerprint,
        "sha256": row.sha256,
        "oldest": row.lower,
        "newest_before": row.upper,
        "file": dg.MetadataValue.path(archive.location(row.file)),
        "verified_at": dg.MetadataValue.timestamp(row.verified_at),
    }
