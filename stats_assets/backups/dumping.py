"""A dump per schema of the data database, all in one snapshot: for roles that may not replicate, and for restoring into
a database that is already there."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

from stats_assets.backups.manifest import Manifest, StoredFile
from stats_assets.backups.programs import ProgramFailed, Programs
from stats_assets.backups.shelf import BackupDamaged, Shelf

# Compression is ours; what is in a schema otherwise comes out as it was, but for owners and rights (./stats roles).
# We hold the tables, too: behind somebody who waits to empty one, pg_dump and we would wait for ever.
_DUMP = ("--format=custom", "--compress=0", "--no-password", "--lock-wait-timeout=30s")
_RESTORE = ("--no-owner", "--no-privileges", "--exit-on-error", "--no-password")


def store_dumps(
    programs: Programs, shelf: Shelf, name: str, schemas: Iterable[str], snapshot: str, level: int
) -> list[StoredFile]:
    """Each schema as a file of the backup, as of the exported snapshot."""
    stored = []
    for schema in schemas:
        with programs.started("pg_dump", *_DUMP, f"--snapshot={snapshot}", *_only(schema)) as output:
            stored.append(shelf.store(name, f"{quote(schema, safe=' ')}.dump.zst", output.stdout, level))
    return stored


def fetch_dumps(shelf: Shelf, manifest: Manifest, folder: Path) -> list[Path]:
    """The dumps as files in `folder`. Raises BackupDamaged."""
    folder.mkdir(parents=True)
    fetched = []
    for file in manifest.files:
        target = folder / file.name.removesuffix(".zst")
        with shelf.reading(manifest.name, file) as content, target.open("wb") as copy:
            shutil.copyfileobj(content, copy, 1 << 20)
        fetched.append(target)
    return fetched


def verify_dumps(programs: Programs, dumps: Sequence[Path]) -> None:
    """Reads each to its end, as a restore does."""
    for dump in dumps:
        try:
            programs.run("pg_restore", "-f", "/dev/null", dump)
        except ProgramFailed as error:
            raise BackupDamaged(f"pg_restore does not accept the copy of {dump.name}: {error}") from error


def write_dumps(programs: Programs, schemas: Iterable[str], folder: Path) -> list[Path]:
    """Each schema as a file in `folder`, of a database nobody writes to."""
    folder.mkdir(parents=True)
    written = []
    for number, schema in enumerate(schemas):
        target = folder / f"{number}.dump"
        programs.run("pg_dump", *_DUMP, "-f", target, *_only(schema))
        written.append(target)
    return written


def load_dumps(programs: Programs, dumps: Sequence[Path], there: Iterable[str]) -> None:
    """Into the database of `programs`, which has none of their tables; schemas that are `there` stay as they are.

    Raises ProgramFailed.
    """
    present = [re.compile(rf"\bSCHEMA -? ?{re.escape(schema)} ") for schema in there]
    for dump in dumps:
        entries = programs.run("pg_restore", "--list", dump).splitlines()
        listed = dump.with_suffix(".list")
        listed.write_text("\n".join(e for e in entries if not any(known.search(e) for known in present)) + "\n")
        programs.run("pg_restore", *_RESTORE, "--dbname", "", "--use-list", listed, dump)


def _only(schema: str) -> tuple[str, ...]:
    return ("--schema", '"' + schema.replace('"', '""') + '"')
