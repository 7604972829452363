"""A base backup of the whole server, the WAL behind it, and the place a restore recovers to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import psycopg2
from psycopg2.extras import PhysicalReplicationConnection

from stats_assets.backups import sql
from stats_assets.backups.counting import Count, Table, counting_held
from stats_assets.backups.manifest import Manifest, StoredFile
from stats_assets.backups.moments import Commit, commits_in, lsn_from, lsn_text, place_of
from stats_assets.backups.programs import ProgramFailed, Programs
from stats_assets.backups.shelf import BackupDamaged, Shelf
from stats_assets.shared.failures import SourceAway, first_line
from stats_assets.shared.postgres import StatsDatabase, one_row

BASE, WAL = "base.tar.zst", "wal"
# The end of pg_basebackup's manifest, which is the last file of its tar.
_RANGE = re.compile(rb'"Timeline": (\d+), "Start-LSN": "([0-9A-F]+/[0-9A-F]+)", "End-LSN": "([0-9A-F]+/[0-9A-F]+)"')
_TAIL_BYTES = 1 << 16
# Snapshots that are tried; even under many writers most fit.
_MOMENTS = 10
_RECEIVE_SECONDS = 120


@dataclass(frozen=True)
class Span:
    """Where the base backup began and became consistent, on which timeline."""

    start: int
    end: int
    timeline: int


@dataclass(frozen=True)
class Wal:
    """WAL that is received into a folder while the block of `receiving` lasts."""

    folder: Path
    app: str
    process: subprocess.Popen[bytes]
    messages: Path

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Raises SourceAway when the program ends or nothing comes."""
        deadline = time.monotonic() + _RECEIVE_SECONDS
        while not condition():
            if (code := self.process.poll()) is not None:
                raise ProgramFailed("pg_receivewal", code, self.messages.read_text(errors="replace"))
            if time.monotonic() > deadline:
                raise SourceAway(f"{what} did not come within {_RECEIVE_SECONDS} s")
            time.sleep(0.05)

    def has_begun(self) -> bool:
        return any(self.folder.iterdir())

    def end(self) -> None:
        """Every segment under its own name, the last one filled up with zeros."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        for partial in self.folder.glob("*.partial"):
            partial.rename(partial.with_suffix(""))


@contextmanager
def receiving(programs: Programs, folder: Path, app: str) -> Iterator[Wal]:
    """WAL from now on, none of which the server recycles before the block ends."""
    wal_folder, messages = folder / "received", folder / "pg_receivewal.log"
    wal_folder.mkdir(parents=True)
    arguments = ("-D", wal_folder, "--synchronous", "--status-interval=1", "--no-loop", "--no-password")
    with _kept_wal(programs.dsn):
        process = programs.begin("pg_receivewal", *arguments, messages=messages, app=app)
        try:
            wal = Wal(wal_folder, app, process, messages)
            wal.wait_for(wal.has_begun, "the server's WAL")
            yield wal
        finally:
            process.kill()
            process.wait()


@contextmanager
def _kept_wal(dsn: str) -> Iterator[None]:
    """A temporary slot: it goes with its connection, so a killed backup cannot fill the server's disk."""
    try:
        connection = psycopg2.connect(dsn, connection_factory=PhysicalReplicationConnection)
    except psycopg2.OperationalError as error:
        raise SourceAway(
            f"PostgreSQL takes no replication connection: {first_line(error)}; pg_hba.conf needs a line for"
            " replication and this role, max_wal_senders room for three; or set backups.method: dump"
        ) from error
    with closing(connection), connection.cursor() as cursor:
        cursor.execute(f"CREATE_REPLICATION_SLOT stats_backup_{os.getpid()} TEMPORARY PHYSICAL RESERVE_WAL")
        yield


def store_base(programs: Programs, shelf: Shelf, name: str, level: int, rate: int | None) -> tuple[StoredFile, Span]:
    """Streams the server's files to where backups are kept; nothing is staged here."""
    arguments = ["-D", "-", "-F", "tar", "-X", "none", "-c", "fast", "--no-password", "-l", f"stats_assets {name}"]
    arguments += ["--manifest-checksums=SHA256"] + ([f"--max-rate={rate}"] if rate else [])
    with programs.started("pg_basebackup", *arguments) as output:
        passed = _Tail(output.stdout)
        stored = shelf.store(name, BASE, cast(BinaryIO, passed), level)
    ranges = _RANGE.findall(passed.tail)
    if len(ranges) != 1:
        raise SourceAway(
            f"the server changed its timeline during the backup, or wrote no manifest ({len(ranges)} ranges)"
        )
    ((timeline, start, end),) = ranges
    return stored, Span(lsn_from(start.decode()), lsn_from(end.decode()), int(timeline))


class _Tail:
    """A stream that remembers the last of what was read of it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.tail = stream, b""

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self.tail = (self.tail + data)[-_TAIL_BYTES:]
        return data


@contextmanager
def fitting_count(
    programs: Programs, database: StatsDatabase, wal: Wal, span: Span
) -> Iterator[tuple[Count, list[Table], int]]:
    """A snapshot whose tables are held, and the place in the WAL that has exactly what it sees. Raises SourceAway."""
    for _try in range(_MOMENTS):
        with counting_held(database) as count:
            moment = count.moment()
            place = place_of(moment, list(_received_commits(programs, database, wal, span)), span.end)
            tables = count.tables()
            if place is not None and count.hold(tables):
                wal.end()
                yield count, tables, place
                return
    raise SourceAway(
        f"no moment was found in {_MOMENTS} tries at which the WAL and a snapshot agree and no table is rewritten;"
        " run the backup at a quieter time"
    )


def _received_commits(programs: Programs, database: StatsDatabase, wal: Wal, span: Span) -> Iterator[Commit]:
    """Commits since the backup began, as far as the WAL has come, which is behind all snapshots taken before."""
    with database.session() as cursor:
        cursor.execute(sql.EMIT_MARK)
        cursor.execute(sql.FLUSHED)
        (flushed,) = one_row(cursor)

        def has_come() -> bool:
            cursor.execute(sql.RECEIVED, {"app": wal.app})
            return lsn_from(one_row(cursor)[0]) >= lsn_from(flushed)

        wal.wait_for(has_come, f"the WAL up to {flushed}")
    readable = wal.folder.parent / "readable"
    readable.mkdir(exist_ok=True)
    for segment in wal.folder.iterdir():  # pg_waldump knows them by their final names only
        link = readable / segment.name.removesuffix(".partial")
        link.unlink(missing_ok=True)
        link.symlink_to(segment)
    where = ("-p", readable, "-t", str(span.timeline), "-s", lsn_text(span.start), "-e", flushed)
    with programs.started("pg_waldump", *where, "-r", "Transaction") as output:
        yield from commits_in(line.decode(errors="replace") for line in output.stdout)


def store_wal(shelf: Shelf, name: str, wal: Wal, level: int) -> list[StoredFile]:
    stored = []
    for segment in sorted(wal.folder.iterdir()):
        with segment.open("rb") as content:
            stored.append(shelf.store(name, f"{WAL}/{segment.name}.zst", content, level))
    return stored


def fetch(shelf: Shelf, manifest: Manifest, data: Path, wal: Path) -> None:
    """The server's files into `data` and its WAL into `wal`, both made. Raises BackupDamaged."""
    data.mkdir(mode=0o700, parents=True)
    wal.mkdir(parents=True, exist_ok=True)
    for file in manifest.files:
        with shelf.reading(manifest.name, file) as content:
            if file.name == BASE:
                _unpack(content, data, manifest.name)
            else:
                with (wal / Path(file.name).name.removesuffix(".zst")).open("wb") as target:
                    while chunk := content.read(1 << 20):
                        target.write(chunk)
    data.chmod(0o700)


def _unpack(content: BinaryIO, data: Path, name: str) -> None:
    try:
        with tarfile.open(fileobj=content, mode="r|") as tar:
            tar.extractall(data, filter="data")
    except tarfile.TarError as error:
        raise BackupDamaged(f"backup {name}: {BASE} does not unpack: {error}") from error


def verify(programs: Programs, data: Path, wal: Path) -> None:
    """By pg_verifybackup: every file by its checksum, and that the WAL needed is there and reads."""
    try:
        programs.run("pg_verifybackup", "-q", "-w", wal, data)
    except ProgramFailed as error:
        raise BackupDamaged(f"pg_verifybackup does not accept the copy: {error}") from error
