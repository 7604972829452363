"""A backup brought back: as a server of our own in a folder, or into a database that is there. Then every table is
counted again and compared with the manifest."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stats_assets.backups import dumping, physical
from stats_assets.backups.counting import counting
from stats_assets.backups.manifest import Manifest, differences
from stats_assets.backups.programs import ProgramFailed, Programs
from stats_assets.backups.shelf import BackupDamaged, Shelf
from stats_assets.backups.staging import server_folder
from stats_assets.local.postgres_binaries import Binaries
from stats_assets.local.private_postgres import DATABASES, PrivatePostgres, placed
from stats_assets.local.unprivileged import RunAs, way_to_run
from stats_assets.shared.failures import ConfigurationMistake, SourceAway
from stats_assets.shared.postgres import StatsDatabase

# Replaying a day's WAL of a large server takes its time.
_RECOVERY_SECONDS = 6 * 3600


@dataclass(frozen=True)
class Restored:
    """What came of a restore: the server or database to ask, and what is not as it was."""

    dsn: str
    manifest: Manifest
    differences: Mapping[str, str]


@dataclass(frozen=True)
class Restore:
    """How backups are brought back here."""

    shelf: Shelf
    binaries: Binaries
    run_as: RunAs | None = None

    @contextmanager
    def server(self, name: str, folder: Path, throw_away: bool) -> Iterator[tuple[PrivatePostgres, Manifest]]:
        """The backup as a running server below `folder`, which must be empty or absent; stopped with the block, and
        removed with all its files when `throw_away`."""
        manifest = self.shelf.manifest(name)
        if manifest.method == "physical" and manifest.server_major != self.binaries.major:
            raise ConfigurationMistake(
                f"backup {name} is of PostgreSQL {manifest.server_version}, the programs here are of"
                f" {self.binaries.version}; set STATS_PG_BIN to the folder of PostgreSQL {manifest.server_major}"
            )
        place = self._placed(folder, manifest, durable=not throw_away)
        try:
            if manifest.method == "physical":
                self._recover(place, manifest)
            else:
                place.start()
                self._load(manifest, place, folder)
            yield place, manifest
        finally:
            _ = place.discard() if throw_away else place.stop()

    def into_database(self, name: str, dsn: str, folder: Path) -> Restored:
        """Into a database without tables of the backup's schemas; `folder` is for work and empty."""
        manifest = self.shelf.manifest(name)
        require_empty(StatsDatabase(dsn), manifest)
        if manifest.method == "dump":
            self._load_into(dsn, dumping.fetch_dumps(self.shelf, manifest, folder / "dumps"))
        else:
            with self.server(name, server_folder(folder), throw_away=True) as (server, _manifest):
                source = Programs(self.binaries, server.dsn(manifest.database))
                self._load_into(dsn, dumping.write_dumps(source, manifest.schemas, folder / "dumps"))
        return Restored(dsn, manifest, compared(dsn, manifest))

    def _load_into(self, dsn: str, dumps: Sequence[Path]) -> None:
        with counting(StatsDatabase(dsn)) as count:
            there = count.schemas()
        dumping.load_dumps(Programs(self.binaries, dsn), dumps, there)

    def _placed(self, folder: Path, manifest: Manifest, durable: bool) -> PrivatePostgres:
        """A base backup has the roles and databases it had; a dump is loaded into a cluster like the private one."""
        run_as = self.run_as or way_to_run()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if manifest.method == "dump":
            return placed(PrivatePostgres(folder, self.binaries, run_as, durable))
        recovery = {
            # What is to be replayed lies in pg_wal; a command has to be named all the same.
            "restore_command": "false",
            "recovery_target_lsn": manifest.recover_to,
            "recovery_target_inclusive": "off",
            "recovery_target_action": "promote",
            "recovery_target_timeline": "current",
            "hot_standby": "off",
        }
        return placed(
            PrivatePostgres(
                folder,
                self.binaries,
                run_as,
                durable,
                owner=manifest.role,
                databases=(),
                settings=recovery,
                start_timeout_seconds=_RECOVERY_SECONDS,
            )
        )

    def _recover(self, place: PrivatePostgres, manifest: Manifest) -> None:
        if place.data.exists():
            raise ConfigurationMistake(f"{place.data} is there already; restore into an empty folder")
        physical.fetch(self.shelf, manifest, place.data, place.data / "pg_wal")
        make_private(place.data)
        try:
            place.start()
        except SourceAway as error:
            raise BackupDamaged(f"backup {manifest.name} does not recover: {error}") from error

    def _load(self, manifest: Manifest, place: PrivatePostgres, folder: Path) -> None:
        dumps = dumping.fetch_dumps(self.shelf, manifest, folder / "dumps")
        try:
            self._load_into(place.dsn(DATABASES[0]), dumps)
        except ProgramFailed as error:
            raise BackupDamaged(f"backup {manifest.name} does not load: {error}") from error
        finally:
            shutil.rmtree(folder / "dumps", ignore_errors=True)


def make_private(data: Path) -> None:
    """A data folder that starts as ours: on a socket, and without what its server was told to do, such as archiving
    its WAL to the place where the other one's is. The files it came with are kept beside."""
    for name in ("postgresql.conf", "postgresql.auto.conf", "pg_hba.conf"):
        if (data / name).exists():
            (data / name).rename(data / f"{name}.restored")
    (data / "postgresql.conf").write_text("include 'stats.conf'\n")
    (data / "pg_hba.conf").write_text("local all all trust\nlocal replication all trust\n")
    (data / "recovery.signal").touch()


def data_dsn(place: PrivatePostgres, manifest: Manifest) -> str:
    return place.dsn(manifest.database if manifest.method == "physical" else DATABASES[0])


def compared(dsn: str, manifest: Manifest) -> Mapping[str, str]:
    """What is not as the manifest has it, by table."""
    with counting(StatsDatabase(dsn)) as count:
        return differences(manifest.tables, count.contents(count.tables()))


def require_empty(database: StatsDatabase, manifest: Manifest) -> None:
    with counting(database) as count:
        there = [f"{table.schema}.{table.name}" for table in count.tables() if table.schema in manifest.schemas]
    if there:
        raise ConfigurationMistake(
            f"the database has {len(there)} tables in the backup's schemas, such as {there[0]};"
            " restore into an empty one"
        )


def restore_into_folder(restore: Restore, name: str, folder: Path, say: Callable[[str], None]) -> Restored:
    """The backup as the private server of the STATS_HOME `folder`, stopped, counted and compared."""
    home = folder / "pg"
    if home.exists() and any(home.iterdir()):
        raise ConfigurationMistake(f"{home} is not empty; restore into a new folder")
    say(f"restoring {name} into {home}")
    with restore.server(name, home, throw_away=False) as (server, manifest):
        dsn = data_dsn(server, manifest)
        return Restored(dsn, manifest, compared(dsn, manifest))
