"""Hosts reached by the external program rsync: its daemon (`rsync:` URLs) or rsync over ssh (`ssh:` URLs).

What the program's answers mean is in `rsync_answers.py`.
"""

from __future__ import annotations

import math
import os
import shlex
import subprocess
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from stats_assets.log_sync.expected import SourceFile
from stats_assets.log_sync.plan import Absent, Present, Probe
from stats_assets.log_sync.transports.limits import Limits, SourceRefused
from stats_assets.log_sync.transports.program import Ended, run
from stats_assets.log_sync.transports.rsync_answers import FORMAT, failure, is_missing, version_told
from stats_assets.shared.failures import SourceAway

# To connect and to answer each have the host's patience; the rest is for rsync to notice it and say so itself.
_PROBE_PATIENCE = 3


class RsyncTransport:
    """A file's version is its size and the second it was last written."""

    def __init__(self, limits: Limits, program: str = "rsync") -> None:
        self._limits = limits
        self._program = program

    def probe(self, source: SourceFile) -> Probe:
        """A dry run of the transfer: one way to read what rsync tells of a file."""
        ended = self._run(source, ("--dry-run",), Path(os.devnull), self._limits.answer_seconds * _PROBE_PATIENCE)
        if is_missing(ended):
            return Absent(f"no such file: {source.shown}")
        if ended.code:
            raise failure(ended, source.shown)
        if version := version_told(ended):
            return version
        raise SourceRefused(f"{source.shown} is no file (rsync said {ended.out.strip()[:100]!r})")

    def fetch(self, source: SourceFile, version: Present, part: Path) -> None:
        self._limits.check_size(version.size_bytes or 0, source.shown)
        # In place, so that whatever ends a transfer leaves what has come. The next one compares it block by block
        # with the host's file: only what is absent or garbled is sent.
        options = ("--inplace", "--no-whole-file", f"--max-size={self._limits.max_file_bytes}")
        ended = self._run(source, options, part, self._limits.try_seconds)
        if ended.code:
            raise failure(ended, source.shown)
        if version_told(ended) != version:
            part.unlink(missing_ok=True)
            raise SourceAway(f"{source.shown} changed since it was asked for: it is still being written")

    def close(self) -> None:
        """Nothing is kept open."""

    def _run(self, source: SourceFile, options: tuple[str, ...], target: Path, seconds: float) -> Ended:
        parts = urlsplit(source.base)
        command = [self._program, *self._common_options(source, parts), *options, "--", _remote(source, parts)]
        try:
            return run([*command, str(target)], _surroundings(parts), seconds)
        except FileNotFoundError as error:
            raise SourceRefused("rsync is not installed on this machine: apt-get install rsync") from error
        except subprocess.TimeoutExpired as error:
            raise SourceAway(f"{source.shown}: rsync was not done within {seconds:g} s and was ended") from error

    def _common_options(self, source: SourceFile, parts: SplitResult) -> list[str]:
        silence = max(1, math.ceil(self._limits.answer_seconds))  # 0 would mean for ever
        # --ignore-times: rsync else skips a part of the right size; --protect-args: no shell there reads the path.
        options = ["--ignore-times", "--copy-links", "--protect-args", f"--out-format={FORMAT}", f"--timeout={silence}"]
        if source.options.bandwidth_limit_kb_per_second:
            options.append(f"--bwlimit={source.options.bandwidth_limit_kb_per_second}")
        if parts.scheme == "ssh":
            return [*options, f"--rsh={shlex.join(_remote_shell(source, parts, silence))}"]
        return [*options, "--no-motd", f"--contimeout={silence}"]


def _remote_shell(source: SourceFile, parts: SplitResult, silence: int) -> list[str]:
    """ssh that never asks anything: an unknown host key or a key with a passphrase is an error."""
    settings = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "ConnectTimeout": silence,
        "ServerAliveInterval": silence,
        "ServerAliveCountMax": 1,
        "ClearAllForwardings": "yes",
    }
    if source.options.ssh_key:
        settings |= {"IdentityFile": source.options.ssh_key, "IdentitiesOnly": "yes"}
    if source.options.ssh_known_hosts:
        settings["UserKnownHostsFile"] = source.options.ssh_known_hosts
    command = ["ssh", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]
    return [*command, "-p", str(parts.port)] if parts.port else command


def _remote(source: SourceFile, parts: SplitResult) -> str:
    """The file as rsync names it: without quoting, and without the password, which `ps` would show."""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    user = f"{unquote(parts.username)}@" if parts.username else ""
    path = f"{unquote(parts.path)}/{source.path}"
    if parts.scheme == "ssh":
        return f"{user}{host}:{path}"
    return f"rsync://{user}{host}{f':{parts.port}' if parts.port else ''}{path}"


def _surroundings(parts: SplitResult) -> dict[str, str]:
    """Messages in English, times in UTC. A password is always given, else rsync asks the terminal for one."""
    return {**os.environ, "LC_ALL": "C", "TZ": "UTC", "RSYNC_PASSWORD": unquote(parts.password or "")}
