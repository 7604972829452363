"""What is written beside a backup: all that a restore needs, and what it has to give. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

MANIFEST = "manifest.json"
_VERSION = 1


@dataclass(frozen=True)
class StoredFile:
    """A file of the backup, its name inside the backup's folder; size and digest as it is stored."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class TableContent:
    """Rows of one table, and a fingerprint that is free of their order (shared/fingerprint)."""

    schema: str
    table: str
    rows: int
    fingerprint: str

    @property
    def shown(self) -> str:
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True)
class Manifest:
    """A backup. Times are ISO, UTC; `database` and `role` are those of the connection it was made with.

    `recover_to` is the place in the WAL a base backup is recovered to, before the first record there; empty for dumps.
    """

    name: str
    method: Literal["physical", "dump"]
    began_at: str
    ended_at: str
    server_version: str
    server_major: int
    database: str
    role: str
    recover_to: str
    database_bytes: int
    schemas: tuple[str, ...]
    files: tuple[StoredFile, ...]
    tables: tuple[TableContent, ...]

    @property
    def stored_bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    def as_json(self) -> bytes:
        return json.dumps({"version": _VERSION, **asdict(self)}, indent=1, ensure_ascii=False).encode()


def manifest_from_json(text: bytes) -> Manifest:
    """A manifest as `as_json` gave it. Raises ValueError, KeyError or TypeError for anything else."""
    found: dict[str, Any] = json.loads(text)
    if found.pop("version") != _VERSION:
        raise ValueError("the manifest is of another version")
    found["schemas"] = tuple(found["schemas"])
    found["files"] = tuple(StoredFile(**file) for file in found["files"])
    found["tables"] = tuple(TableContent(**table) for table in found["tables"])
    return Manifest(**found)


def differences(wanted: tuple[TableContent, ...], found: tuple[TableContent, ...]) -> Mapping[str, str]:
    """By table, what is not as the manifest has it; empty when a restore gave what it had to."""
    before = {table.shown: table for table in wanted}
    after = {table.shown: table for table in found}
    odd = dict.fromkeys(sorted(before.keys() - after.keys()), "is missing")
    odd |= dict.fromkeys(sorted(after.keys() - before.keys()), "was not in the backup")
    for name in sorted(before.keys() & after.keys()):
        if before[name].rows != after[name].rows:
            odd[name] = f"{after[name].rows} rows instead of {before[name].rows}"
        elif before[name].fingerprint != after[name].fingerprint:
            odd[name] = f"its {after[name].rows} rows are other ones"
    return odd
