"""A PostgreSQL cluster of our own: made on first use, started, found again after any crash, stopped.

It has no TCP port: a Unix socket in a folder only we may enter makes `trust` safe and port clashes
impossible. Which programs run it is `postgres_binaries`, as whom is `unprivileged`, what is in the
databases is `migrations`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

import psycopg2
from psycopg2 import sql

from stats_assets.local.postgres_binaries import Binaries
from stats_assets.local.unprivileged import RunAs
from stats_assets.shared.failures import ConfigurationMistake, SourceAway

OWNER = "stats"
DATABASES = ("stats", "dagster")
FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT  # PostgreSQL's names for the two ways to stop it
# Recovery after a crash fsyncs the whole data folder first: 9 s were seen on a busy disk.
START_TIMEOUT_SECONDS = 180
# struct sockaddr_un holds 108 bytes on Linux and 104 on macOS, the socket's own name takes 14.
_LONGEST_SOCKET_FOLDER = 88
OUTSIDE = Path("/var/lib/stats-assets")

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Dagster opens some 80 sessions per run; a log line for each would bury what matters.
    "log_connections": "off",
    "max_connections": "100",
    # A first load of a year would otherwise force a checkpoint every few seconds.
    "max_wal_size": "2GB",
}
_THROW_AWAY_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


@dataclass(frozen=True)
class PrivatePostgres:
    """A cluster below `folder`; one data folder per major version, an older one is left alone.

    `durable=False` gives up safety for speed: for tests, whose cluster is thrown away. `owner`, `databases` and
    `settings` differ for a restored cluster: whom to connect as, what to make when it is not there, what it runs with.
    """

    folder: Path
    binaries: Binaries
    run_as: RunAs
    durable: bool = True
    owner: str = OWNER
    databases: tuple[str, ...] = DATABASES
    settings: Mapping[str, str] = field(default_factory=dict)
    start_timeout_seconds: int = START_TIMEOUT_SECONDS

    @property
    def data(self) -> Path:
        return self.folder / f"data-{self.binaries.major}"

    @property
    def log_file(self) -> Path:
        return self.folder / "postgresql.log"

    @property
    def socket_folder(self) -> Path:
        return socket_folder(self.folder)

    def dsn(self, database: str) -> str:
        """A libpq URL that psycopg2, SQLAlchemy and psql understand."""
        owner, name = quote(self.owner, safe=""), quote(database, safe="")
        return f"postgresql://{owner}@/{name}?host={quote(str(self.socket_folder), safe='')}"

    def start(self) -> None:
        """Serves when this returns; nothing to do when it already did. Safe from several processes at once.

        Raises SourceAway with the end of the server's log when it does not come up.
        """
        with self._alone():
            if not self._answers():
                self._wait_for_a_dying_or_starting_one()
            if not self._answers():
                self.run_as.give(self.folder)  # never while a server runs: it would lose its own files
                self._make_cluster_once()
                self._remove_stale_locks()
                self._write_settings()
                self._run_server()
            self._make_databases_once()

    def stop(self, how: signal.Signals = FAST) -> bool:
        """Stops the server: `FAST` ends sessions and writes everything, `IMMEDIATE` does not; False when none ran."""
        if not self.folder.exists():
            return False
        with self._alone():
            server = named_in_lock(self.data)
            if server is None or not (server in live_processes(self.data) or self._answers()):
                return False
            os.kill(server, how)
            self._wait_until(lambda: not (self.data / "postmaster.pid").exists(), 60, "did not stop within 60 s")
            return True

    def discard(self) -> None:
        """Stops the server without a last write and removes every file of it."""
        self.stop(IMMEDIATE)
        for folder in (self.folder, self.socket_folder):
            shutil.rmtree(folder, ignore_errors=True)

    def is_running(self) -> bool:
        return self.socket_folder.exists() and self._answers()

    def older_data(self) -> list[Path]:
        """Data folders of other major versions, which this server cannot read."""
        return sorted(path for path in self.folder.glob("data-*") if path != self.data and path.suffix != ".new")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process starts or stops this cluster meanwhile; the kernel lets go when we die."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _answers(self) -> bool:
        try:
            psycopg2.connect(self.dsn("postgres"), connect_timeout=5).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _wait_for_a_dying_or_starting_one(self) -> None:
        """Server processes without an answer: in recovery, or the children of a killed one on their way out."""
        self._wait_until(
            lambda: not live_processes(self.data) or self._answers(),
            self.start_timeout_seconds,
            "runs but does not answer",
        )

    def _make_cluster_once(self) -> None:
        if self.data.exists():
            return
        unfinished = self.data.with_suffix(".new")  # a killed initdb leaves this, never half a data folder
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [self.binaries.folder / "initdb", "-D", unfinished, "-U", OWNER, "-A", "trust"]
        command += ["-E", "UTF8", "--no-locale", "--no-instructions"]
        done = self._run(command if self.durable else [*command, "--no-sync"])
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
            raise ConfigurationMistake(f"private PostgreSQL: initdb in {self.folder} failed: {said}")
        with (unfinished / "postgresql.conf").open("a") as conf:
            conf.write("\n# Written at each start by stats_assets.local.private_postgres:\ninclude 'stats.conf'\n")
        unfinished.rename(self.data)

    def _remove_stale_locks(self) -> None:
        """Removes a dead server's lock files when no process lives in its data folder.

        PostgreSQL itself only asks whether the number in them is taken. It is, for a while or for good, when the
        killed server is a zombie that its parent does not reap (usual in containers) or when a restarted machine
        has given the number to another program.
        """
        if Path("/proc/self/cwd").exists() and not live_processes(self.data):
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            (self.socket_folder / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def _write_settings(self) -> None:
        make_socket_folder(self.socket_folder, self.run_as)
        settings = {**_SETTINGS, **self.settings, "unix_socket_directories": str(self.socket_folder)}
        if not self.durable:
            settings |= _THROW_AWAY_SETTINGS
        quoted = {name: value.replace("'", "''") for name, value in settings.items()}
        conf = self.data / "stats.conf"
        conf.write_text("".join(f"{name} = '{value}'\n" for name, value in quoted.items()))
        self.run_as.give(conf)

    def _run_server(self) -> None:
        self.log_file.touch(mode=0o600)
        self.run_as.give(self.log_file)
        if not self._pg_ctl("start", "-w", "-t", str(self.start_timeout_seconds), "-s", "-l", self.log_file):
            raise SourceAway(self._trouble("did not start"))
        # pg_ctl takes a server for started that still replays its log.
        self._wait_until(
            lambda: self._answers() or not (self.data / "postmaster.pid").exists(),
            self.start_timeout_seconds,
            "does not answer",
        )
        if not self._answers():
            raise SourceAway(self._trouble("ended again"))

    def _pg_ctl(self, action: str, *arguments: str | Path) -> bool:
        return self._run([self.binaries.folder / "pg_ctl", action, "-D", self.data, *arguments]).returncode == 0

    def _run(self, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        return self.run_as.run(command, environ=_plain_environment())

    def _make_databases_once(self) -> None:
        with closing(psycopg2.connect(self.dsn("postgres"))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT datname FROM pg_database")
                present = {name for (name,) in cursor}
                for name in self.databases:
                    if name not in present:
                        cursor.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))

    def _wait_until(self, condition: Callable[[], bool], timeout_seconds: float, otherwise: str) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not condition():
            if time.monotonic() > deadline:
                raise SourceAway(self._trouble(otherwise))
            time.sleep(0.05)

    def _trouble(self, what: str) -> str:
        log = self.log_file.read_text(errors="replace").splitlines() if self.log_file.exists() else []
        last = "; ".join(log[-3:]) or "its log is empty"
        return f"private PostgreSQL {self.binaries.version} {what}: {last} (all of it: {self.log_file})"


def placed(cluster: PrivatePostgres, outside: Path = OUTSIDE) -> PrivatePostgres:
    """The cluster where the one who runs it can reach it.

    Only root without user namespaces needs this: another user runs the server then, and may enter neither
    /root nor programs below it. Opening those folders would be wrong; state and programs move out instead.
    """
    folder, binaries = cluster.folder, cluster.binaries
    if cluster.run_as.user is None:
        return cluster
    own = own_place(folder, outside)
    if not cluster.run_as.can_enter(_existing_parent(folder)):
        folder = own / "pg"
    if not cluster.run_as.can_enter(binaries.folder):
        binaries = replace(binaries, folder=_copied(binaries.folder, own / f"postgresql-{binaries.version}"))
    return replace(cluster, folder=folder, binaries=binaries)


def own_place(folder: Path, outside: Path = OUTSIDE) -> Path:
    """Where the files of a cluster are that could not stay below `folder`."""
    return outside / hashlib.sha256(str(folder).encode()).hexdigest()[:12]


def _copied(programs: Path, into: Path) -> Path:
    """The programs' folder inside a copy of their installation, with the libraries a wheel keeps beside its package."""
    package = programs.parents[1]
    if not into.exists():
        unfinished = into.with_name(f"{into.name}.{os.getpid()}.new")
        for part in (programs.parent, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, unfinished / part.relative_to(package.parent), symlinks=True)
        unfinished.rename(into)
    return into / programs.relative_to(package.parent)


def socket_folder(folder: Path) -> Path:
    """Where the socket goes: below `folder`, or, when that path is too long for one, under /tmp by a hash of it."""
    inside = folder / "sock"
    # libpq takes a comma in host= for a list of servers.
    if len(os.fsencode(inside)) <= _LONGEST_SOCKET_FOLDER and "," not in str(inside):
        return inside
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"stats-assets-{os.geteuid()}-{name}"


def make_socket_folder(folder: Path, run_as: RunAs) -> None:
    """Makes it with access for us alone. Raises ConfigurationMistake when somebody else got there first."""
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid not in (os.geteuid(), run_as.user) or folder.is_symlink():
        raise ConfigurationMistake(f"{folder} is another user's; private PostgreSQL will not put its socket there")
    folder.chmod(0o700)
    run_as.give(folder)


def live_processes(data: Path) -> list[int]:
    """Processes at work in the data folder (every server process changes into it); empty where /proc is absent.

    A process we may not look into counts as live when postmaster.pid names it.
    """
    named = named_in_lock(data)
    live = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = (entry / "cwd").readlink() == data.resolve()
        except PermissionError:
            is_ours = int(entry.name) == named
        except OSError:
            continue  # gone, or a zombie: it has no folder any more
        if is_ours:
            live.append(int(entry.name))
    return live


def named_in_lock(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().split(maxsplit=1)[0])
    except (OSError, ValueError, IndexError):
        return None


def _existing_parent(folder: Path) -> Path:
    return next(path for path in folder.parents if path.exists())


def _plain_environment() -> dict[str, str]:
    """Ours without PGDATA, PGPORT and their kind, which would quietly change what the programs do."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
