"""What is kept beside an archived file, so that it can be checked and read without the database it came from. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from stats_assets.shared.fingerprint import Column, Fingerprint

_FOLDER = "table_partitions"
_VERSION = 1


@dataclass(frozen=True)
class Manifest:
    """One archived range. `fingerprint` is that of PostgreSQL and of the file; `file` is a name in the archive."""

    name: str
    table: str
    partition: str
    key: str
    lower: str
    upper: str
    rows: int
    fingerprint: str
    sha256: str
    file_bytes: int
    table_bytes: int
    file: str
    columns: tuple[Column, ...]

    @property
    def manifest_file(self) -> str:
        return self.file.removesuffix(".parquet") + ".json"

    def as_json(self) -> bytes:
        return json.dumps({"version": _VERSION, **asdict(self)}, indent=1, ensure_ascii=False).encode()


def manifest_from_json(text: bytes) -> Manifest:
    """A manifest as `as_json` gave it. Raises ValueError, KeyError or TypeError for anything else."""
    found: dict[str, Any] = json.loads(text)
    if found.pop("version") != _VERSION:
        raise ValueError("the manifest is of another version")
    found["columns"] = tuple(Column(**column) for column in found["columns"])
    return Manifest(**found)


def archive_name(table: str, partition: str, content: Fingerprint) -> str:
    """Unique for table, range and content: what is archived is never written over with something else."""
    return f"{table}/{partition}-{content}"


def file_name(name: str) -> str:
    """Where an archive's file is; names of tables may hold anything, those of files may not."""
    return "/".join([_FOLDER, *(quote(part, safe=" ") for part in name.split("/"))]) + ".parquet"
