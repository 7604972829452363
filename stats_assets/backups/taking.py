"""One backup from its beginning to the moment it counts; what a killed one left is removed first."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from stats_assets.backups import dumping, physical, sql
from stats_assets.backups.config import BackupsConfig
from stats_assets.backups.counting import counting_held
from stats_assets.backups.manifest import Manifest, StoredFile, TableContent
from stats_assets.backups.moments import lsn_text
from stats_assets.backups.plan import backup_name
from stats_assets.backups.programs import DUMP, PHYSICAL, Programs
from stats_assets.backups.shelf import Shelf
from stats_assets.backups.staging import require_room, staged
from stats_assets.shared.failures import ConfigurationMistake, SourceAway
from stats_assets.shared.postgres import StatsDatabase, one_row, try_lock

_GB = 1 << 30

Way = Literal["physical", "dump"]


@dataclass(frozen=True)
class Server:
    """What is backed up, and what its role may do."""

    version: str
    major: int
    database: str
    role: str
    bytes: int
    may_replicate: bool


@dataclass(frozen=True)
class Backup:
    """How backups are made here."""

    database: StatsDatabase
    shelf: Shelf
    programs: Programs
    config: BackupsConfig

    def take(self, say: Callable[[str], None], now: datetime | None = None) -> Manifest:
        """A verified backup. Raises SourceAway, ConfigurationMistake or BackupDamaged; then there is none."""
        began = now or datetime.now(UTC)
        name = backup_name(began)
        with staged(Path(self.config.staging)) as folder, self._alone():
            for half in self.shelf.halves():
                say(f"{half} was never ended; its files are removed")
                self.shelf.remove(half)
            server = read_server(self.database)
            method = self._method(server)
            require_room(folder, server.bytes)
            try:
                made = self._physical(name, folder, say) if method == "physical" else self._dump(name, folder, say)
                manifest = _manifest(name, method, began, server, *made)
                self._verify(manifest, folder / "verified")
            except BaseException:
                self.shelf.remove(name)
                raise
            self.shelf.end(manifest)
        say(f"{name}: {method}, {manifest.stored_bytes / _GB:.2f} GB, {manifest.rows} rows, verified")
        return manifest

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One backup at a time, from whichever machine; the server lets go when we die."""
        with self.database.session() as cursor:
            if not try_lock(cursor, "backups.base_backup"):
                raise SourceAway("another backup is under way")
            yield

    def _method(self, server: Server) -> Way:
        if self.config.method != "auto":
            chosen = self.config.method
        else:
            chosen = "physical" if server.may_replicate and server.major == self.programs.binaries.major else "dump"
        return require_programs(self.programs, server, chosen)

    def _physical(self, name: str, folder: Path, say: Callable[[str], None]) -> _Made:
        config = self.config
        with physical.receiving(self.programs, folder, f"stats_assets {name}") as wal:
            level = config.compression_level
            base, span = physical.store_base(self.programs, self.shelf, name, level, config.max_rate_kb_per_second)
            say(f"{name}: the server's files are stored, {base.bytes / _GB:.2f} GB")
            with physical.fitting_count(self.programs, self.database, wal, span) as (count, tables, place):
                files = [base, *physical.store_wal(self.shelf, name, wal, level)]
                shutil.rmtree(wal.folder)
                return files, count.contents(tables), count.schemas(), lsn_text(place)

    def _dump(self, name: str, folder: Path, say: Callable[[str], None]) -> _Made:
        with counting_held(self.database) as count:
            snapshot = count.export()
            tables, schemas = count.tables(), count.schemas()
            if not count.hold(tables):
                raise SourceAway("a table is being dropped or rewritten; run the backup at a quieter time")
            level = self.config.compression_level
            files = dumping.store_dumps(self.programs, self.shelf, name, schemas, snapshot, level)
            say(f"{name}: {len(files)} schemas are stored")
            return files, count.contents(tables), schemas, ""

    def _verify(self, manifest: Manifest, folder: Path) -> None:
        """Reads back what is kept, not what was sent."""
        if manifest.method == "physical":
            physical.fetch(self.shelf, manifest, folder / "data", folder / "wal")
            physical.verify(self.programs, folder / "data", folder / "wal")
        else:
            dumping.verify_dumps(self.programs, dumping.fetch_dumps(self.shelf, manifest, folder))


_Made = tuple[list[StoredFile], tuple[TableContent, ...], tuple[str, ...], str]


def read_server(database: StatsDatabase) -> Server:
    with database.transaction() as cursor:
        cursor.execute(sql.SERVER)
        return Server(*one_row(cursor))


def require_programs(programs: Programs, server: Server, method: Way) -> Way:
    """The method, when it can be carried out. Raises ConfigurationMistake."""
    ours = programs.binaries.major
    if method == "physical" and ours != server.major:
        raise ConfigurationMistake(
            f"backups: a base backup of PostgreSQL {server.major} needs programs of {server.major}, those here are of"
            f" {ours} ({programs.binaries.folder}); set STATS_PG_BIN, or backups.method: dump"
        )
    if method == "physical" and not server.may_replicate:
        raise ConfigurationMistake(
            f"backups: the role {server.role} may not replicate; ALTER ROLE {server.role} REPLICATION, and a line for"
            " it in pg_hba.conf; or backups.method: dump"
        )
    if method == "dump" and ours < server.major:
        raise ConfigurationMistake(
            f"backups: pg_dump of PostgreSQL {ours} does not read a server of {server.major}; install"
            f" postgresql-client-{server.major} or newer and set STATS_PG_BIN"
        )
    programs.need(*(PHYSICAL if method == "physical" else DUMP))
    return method


def _manifest(
    name: str,
    method: Way,
    began: datetime,
    server: Server,
    files: list[StoredFile],
    tables: tuple[TableContent, ...],
    schemas: tuple[str, ...],
    recover_to: str,
) -> Manifest:
    return Manifest(
        name=name,
        method=method,
        began_at=began.isoformat(timespec="seconds"),
        ended_at=datetime.now(UTC).isoformat(timespec="seconds"),
        server_version=server.version,
        server_major=server.major,
        database=server.database,
        role=server.role,
        recover_to=recover_to,
        database_bytes=server.bytes,
        schemas=schemas,
        files=tuple(files),
        tables=tables,
    )
