"""CPU seconds and peak memory of programs, and CPU seconds of a PostgreSQL server. Linux only: it reads /proc."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg2

from stats_assets.local.postgres_binaries import find_binaries
from stats_assets.local.private_postgres import PrivatePostgres, placed
from stats_assets.local.unprivileged import way_to_run
from stats_assets.migrations import migrate
from stats_assets.shared.environment import read_environment

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """What a program used, its children included: CPU seconds (user and system) and the peak resident set."""

    cpu_seconds: float
    peak_mb: float


def run(command: Sequence[str | Path], environ: Mapping[str, str] | None = None) -> Cost:
    """Runs a program to its end, without its output. Raises CalledProcessError when it fails."""
    process = subprocess.Popen(
        command, env={**os.environ, **(environ or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    peak = 0.0
    while True:
        # wait4's own peak would be ours where that is larger: a new process starts with its parent's memory.
        peak = max(peak, peak_mb(process.pid))
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        time.sleep(0.02)
    process.returncode = os.waitstatus_to_exitcode(status)  # reaped here, Popen must not wait for it again
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(map(str, command)))
    return Cost(usage.ru_utime + usage.ru_stime, peak)


def peak_mb(pid: int) -> float:
    """The peak resident set of a program, from /proc/PID/status; 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0)


@dataclass(frozen=True)
class Server:
    """A PostgreSQL of the benchmark's own, durable as in earnest."""

    cluster: PrivatePostgres
    dsn: str

    def cpu_seconds(self) -> float:
        """CPU seconds of the server and all its processes so far, those that have ended included."""
        postmaster = int((self.cluster.data / "postmaster.pid").read_text().split(maxsplit=1)[0])
        while True:  # a backend that ends while we add up would count twice or not at all: then add up again
            own = _times(postmaster)
            children = [_times(pid)[:2] for pid in _children(postmaster)]
            if own[2:] == _times(postmaster)[2:]:
                return (sum(own) + sum(map(sum, children))) / _TICKS_PER_SECOND


def _children(pid: int) -> list[int]:
    return [int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()]


def _times(pid: int) -> tuple[int, int, int, int]:
    """utime, stime and those of reaped children, in clock ticks; see proc_pid_stat(5)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0, 0, 0  # ended meanwhile: its parent has its times now
    return int(fields[11]), int(fields[12]), int(fields[13]), int(fields[14])


@contextmanager
def server() -> Iterator[Server]:
    """A migrated database on a server that is removed afterwards."""
    with TemporaryDirectory(prefix="stats-bench-") as folder:
        binaries = find_binaries(read_environment(os.environ).pg_bin)
        cluster = placed(PrivatePostgres(Path(folder) / "pg", binaries, way_to_run()))
        cluster.start()
        try:
            dsn = cluster.dsn("stats")
            migrate(dsn)
            yield Server(cluster, dsn)
        finally:
            cluster.discard()


def settle(dsn: str) -> None:
    """Vacuums, analyses and writes what is dirty, so that one measurement does not pay for the last.

    Autovacuum would do so some time within the next minute, in the middle of whatever is measured then.
    """
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")
    connection.close()
