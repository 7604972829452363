"""What rsync's exit code and words mean for us. Pure; rsync is run in `rsync.py`.

Exit codes: rsync(1), section EXIT VALUES. 255 is ssh's own, 127 a remote shell's. They alone do not tell a missing
file from a forbidden one, or a full daemon from an unknown module; its messages do, in English by LC_ALL=C.
"""

from __future__ import annotations

import re

from stats_assets.log_sync.plan import Present
from stats_assets.log_sync.transports.limits import SourceRefused
from stats_assets.log_sync.transports.program import Ended
from stats_assets.shared.failures import SourceAway

# `--out-format` gives one such line per file; whatever else a server prints is not ours.
FORMAT = "file %M %l"
_FILE = re.compile(r"^file (?P<modified>\d{4}/\d\d/\d\d-\d\d:\d\d:\d\d) (?P<bytes>\d+)$", re.MULTILINE)

_SOME_FILES_FAILED = 23
_NOT_INSTALLED_THERE = 127
# Sockets, streams, time-outs, signals, a file that vanished, our disk: each may be over at the next try.
_PASSING = {-9, -15, 10, 11, 12, 14, 16, 19, 20, 21, 22, 24, 30, 35, 255}
_NO_SUCH_FILE = "No such file or directory (2)"
_DAEMON_IS_FULL = "max connections"
_SUMMARY = re.compile(r"^rsync error: .*$")
# Of ssh, which gives 255 to all its troubles.
_NOT_LET_IN = ("Permission denied (", "Host key verification failed", "Too many authentication failures")
_MOST_CHARACTERS = 300


def version_told(ended: Ended) -> Present | None:
    """The version of the one file asked for; None when it is none that can be fetched, such as a folder."""
    match = _FILE.search(ended.out)
    return match and Present(f"modified={match['modified']} bytes={match['bytes']}", int(match["bytes"]))


def is_missing(ended: Ended) -> bool:
    """The host answered, but there is no such file."""
    return ended.code == _SOME_FILES_FAILED and _NO_SUCH_FILE in ended.err


def failure(ended: Ended, shown: str) -> SourceAway | SourceRefused:
    """What to raise for an exit code other than 0."""
    if ended.code == _NOT_INSTALLED_THERE:
        return SourceRefused(f"{shown}: rsync is not installed on that host")
    message = f"{shown}: rsync ended with {ended.code} ({_words(ended)})"
    if any(words in ended.err for words in _NOT_LET_IN):
        return SourceRefused(f"{message}; check user, ssh_key and ssh_known_hosts of the host in log_sync.hosts")
    if ended.code in _PASSING or is_missing(ended) or _DAEMON_IS_FULL in ended.err:
        return SourceAway(message)
    return SourceRefused(message)


def _words(ended: Ended) -> str:
    """What it said, without its summary of the code, unless there is nothing else."""
    lines = [line.strip() for line in ended.err.splitlines() if line.strip()]
    told = [line for line in lines if not _SUMMARY.match(line)] or lines or ["without a word"]
    return "; ".join(told)[:_MOST_CHARACTERS]
