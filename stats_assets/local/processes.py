"""Processes of the operating system: started in groups of their own, recognised later, stopped with all they started.

A number alone does not name a process, since numbers are given out again: number and start time do.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A running process: its number and its start time, in whatever words the system uses for it."""

    pid: int
    started: str


@dataclass(frozen=True)
class _Entry:
    group: int
    started: str


def start(command: Sequence[str | Path], environ: Mapping[str, str], folder: Path, log_file: Path) -> Process:
    """Starts the command in a session and group of its own, its output going to `log_file`."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    if log_file.exists():
        log_file.replace(log_file.with_suffix(".log.old"))
    with log_file.open("wb") as log:
        child = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _started_here[child.pid] = child
    return identify(child.pid) or Process(child.pid, "ended at once")


def ourselves() -> Process:
    found = identify(os.getpid())
    assert found is not None, "we are running"
    return found


def identify(pid: int) -> Process | None:
    """The live process with this number; None when there is none (a zombie is dead)."""
    entry = _table().get(pid) if not _PROC.exists() else _read_entry(pid)
    return Process(pid, entry.started) if entry else None


def started_at(pid: int, now: float) -> float | None:
    """When the live process with this number was started, in Unix seconds as the clock is `now`; None: there is none.

    Where the system tells it in words only, any live process counts as one that has always been there.
    """
    process = identify(pid)
    if process is None:
        return None
    if not _PROC.exists():
        return 0.0
    return now - time.clock_gettime(time.CLOCK_BOOTTIME) + int(process.started) / os.sysconf("SC_CLK_TCK")


def is_alive(process: Process) -> bool:
    if process.pid in _started_here:
        _started_here[process.pid].poll()  # takes leave of a dead child, which would stay a zombie
    return identify(process.pid) == process


def group_of(process: Process) -> list[int]:
    """The live members of the group that `process` led or leads; empty when its number now names a stranger.

    The kernel does not give a number out again while a group bears it, so that what runs in the group of a dead
    leader was started by it.
    """
    table = _table()
    leader = table.get(process.pid)
    if leader is not None and leader.started != process.started:
        return []
    return [pid for pid, entry in table.items() if entry.group == process.pid]


def stop_group(process: Process, grace_seconds: float) -> None:
    """Asks the process and all it started to end, and kills what is left after the grace."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if not group_of(process):
            break
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        _wait_until_gone(process, grace_seconds)
    is_alive(process)


def _wait_until_gone(process: Process, timeout_seconds: float) -> None:
    deadline = time.monotonic() + timeout_seconds
    while group_of(process) and time.monotonic() < deadline:
        is_alive(process)
        time.sleep(0.05)


def _table() -> dict[int, _Entry]:
    if not _PROC.exists():
        return _ask_ps()
    found = ((int(entry.name), _read_entry(int(entry.name))) for entry in _PROC.glob("[0-9]*"))
    return {pid: entry for pid, entry in found if entry}


def _read_entry(pid: int) -> _Entry | None:
    """From /proc/PID/stat: after the command in brackets come state, parent, group and, 20th, the start in ticks."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else _Entry(group=int(fields[2]), started=fields[19])


def _ask_ps() -> dict[int, _Entry]:
    listing = subprocess.run(
        ["ps", "-axo", "pid=,pgid=,stat=,lstart="], capture_output=True, text=True, check=True
    ).stdout
    rows = (line.split(maxsplit=3) for line in listing.splitlines())
    return {int(pid): _Entry(int(group), started) for pid, group, state, started in rows if state[0] != "Z"}


_started_here: dict[int, subprocess.Popen[bytes]] = {}
