"""The room's own tables: events, the mirror of the policies, the attic's and the archives' books."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.shared.postgres import Cursor
from stats_assets.table_partitions import sql
from stats_assets.table_partitions.manifest import Manifest
from stats_assets.table_partitions.steps import Step


@dataclass(frozen=True)
class ArchiveRow:
    """A row of table_partitions.archives."""

    name: str
    table: str
    partition: str
    lower: str
    upper: str
    rows: int
    fingerprint: str
    sha256: str
    file_bytes: int
    table_bytes: int
    file: str
    manifest_file: str
    archived_at: datetime
    verified_at: datetime
    problem: str | None


def mirror_policies(cursor: Cursor, policies: Sequence[PartitionPolicy], problems: Mapping[str, str]) -> None:
    """The policies as rows; one that is gone keeps its row with the day it went, and its table is left alone."""
    for policy in policies:
        text = json.dumps(policy.model_dump(), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        row = {"table": policy.table, "policy": text, "hash": digest, "problem": problems.get(policy.table)}
        cursor.execute(sql.MIRROR_POLICY, row)
    cursor.execute(sql.FORGET_POLICIES, {"tables": [policy.table for policy in policies]})


def add_event(cursor: Cursor, run_id: str, step: Step, result: Mapping[str, Any]) -> None:
    facts = {
        "run_id": run_id,
        "table": step.table,
        "partition": step.partition,
        "step": step.kind,
        "lower": step.lower,
        "upper": step.upper,
        "statements": ";\n".join(step.statements),
    }
    cursor.execute(sql.ADD_EVENT, facts | dict(result))


def intend_detach(cursor: Cursor, step: Step, moves_to: str) -> None:
    cursor.execute(sql.INTEND_DETACH, _of(step) | {"moves_to": moves_to})


def shelved(cursor: Cursor, step: Step, now: datetime, drop_after: datetime) -> None:
    cursor.execute(sql.SHELVED, _of(step) | {"moves_to": step.moves_to, "now": now, "drop_after": drop_after})


def dropped(cursor: Cursor, step: Step) -> None:
    cursor.execute(sql.DROPPED, {"oid": step.oid})


def keep_archive(cursor: Cursor, manifest: Manifest, oid: int) -> None:
    """Enters a verified archive; a table that waits in the attic for it may be dropped from now on."""
    facts = {
        "archive_name": manifest.name,
        "table": manifest.table,
        "partition": manifest.partition,
        "oid": oid,
        "lower": manifest.lower,
        "upper": manifest.upper,
        "rows": manifest.rows,
        "fingerprint": manifest.fingerprint,
        "sha256": manifest.sha256,
        "file_bytes": manifest.file_bytes,
        "table_bytes": manifest.table_bytes,
        "file": manifest.file,
        "manifest": manifest.manifest_file,
    }
    cursor.execute(sql.KEEP_ARCHIVE, facts)
    cursor.execute(sql.SET_ARCHIVE, {"oid": oid, "archive_name": manifest.name})


def archives(cursor: Cursor, name: str | None = None) -> list[ArchiveRow]:
    """All archives, oldest first, or the one of this name."""
    condition = " WHERE archive_name = %(name)s" if name is not None else ""
    cursor.execute(f"{sql.ARCHIVES}{condition} ORDER BY archived_at, archive_name", {"name": name})
    return [ArchiveRow(*row) for row in cursor.fetchall()]


def judge_archive(cursor: Cursor, name: str, problem: str | None) -> None:
    cursor.execute(sql.JUDGE_ARCHIVE, {"archive_name": name, "problem": problem})


def _of(step: Step) -> dict[str, Any]:
    return {
        "oid": step.oid,
        "table": step.table,
        "partition": step.name_below_parent or step.partition,
        "lower": step.lower,
        "upper": step.upper,
        "action": step.action,
    }
