"""PostgreSQL's own programs: found, run against the database, and ended when we are."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, cast

from stats_assets.local.postgres_binaries import Binaries
from stats_assets.shared.failures import ConfigurationMistake, SourceAway
from stats_assets.shared.libpq import libpq_variables

PHYSICAL = ("pg_basebackup", "pg_receivewal", "pg_verifybackup", "pg_waldump")
DUMP = ("pg_dump", "pg_restore")

_PR_SET_PDEATHSIG = 1


@dataclass
class Output:
    """What a program writes while it runs; `messages` are known when it has ended."""

    stdout: BinaryIO
    messages: str = ""


@dataclass(frozen=True)
class Programs:
    """The programs of one PostgreSQL version, and the database they are to talk to."""

    binaries: Binaries
    dsn: str = field(repr=False)  # may hold a password; travels in the environment, never on a command line

    def need(self, *names: str) -> None:
        """Raises ConfigurationMistake, with what to do, when one is not there."""
        missing = [name for name in names if not (self.binaries.folder / name).exists()]
        if missing:
            major = self.binaries.major
            raise ConfigurationMistake(
                f"backups: no {', '.join(missing)} in {self.binaries.folder}; install PostgreSQL {major}'s programs"
                f" (Debian: apt-get install postgresql-{major}) and set STATS_PG_BIN to their folder"
            )

    def run(self, name: str, *arguments: str | Path) -> str:
        """What the program writes. Raises ProgramFailed."""
        with self.started(name, *arguments) as output:
            return output.stdout.read().decode(errors="replace")

    @contextmanager
    def started(self, name: str, *arguments: str | Path) -> Iterator[Output]:
        """The program's output while it runs. Raises ProgramFailed at the end when it failed; a block that ends early
        ends it."""
        self.need(name)
        with tempfile.TemporaryFile() as messages:
            process = self._popen(name, arguments, subprocess.PIPE, messages, "stats_assets")
            output = Output(cast(BinaryIO, process.stdout))
            try:
                yield output
                code = process.wait()
            except BaseException:
                process.kill()
                process.wait()
                raise
            finally:
                output.stdout.close()
            messages.seek(0)
            output.messages = messages.read().decode(errors="replace")
            if code:
                raise ProgramFailed(name, code, output.messages)

    def begin(self, name: str, *arguments: str | Path, messages: Path, app: str) -> subprocess.Popen[bytes]:
        """A program that runs beside us until it is told to stop."""
        self.need(name)
        with messages.open("wb") as file:
            return self._popen(name, arguments, subprocess.DEVNULL, file, app)

    def _popen(
        self,
        name: str,
        arguments: tuple[str | Path, ...],
        output: int,
        messages: IO[bytes],
        app: str,
    ) -> subprocess.Popen[bytes]:
        plain = {key: value for key, value in os.environ.items() if not key.startswith("PG") or key == "PGPASSFILE"}
        environ = plain | _passwords() | libpq_variables(self.dsn) | {"LC_ALL": "C", "PGAPPNAME": app}
        command = [str(self.binaries.folder / name), *map(str, arguments)]
        return subprocess.Popen(
            command,
            env=environ,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=messages,
            # A worker that was killed must leave nothing that goes on reading or writing.
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )


class ProgramFailed(SourceAway):
    """One of PostgreSQL's programs failed; its own words are in the message."""

    def __init__(self, name: str, code: int, messages: str) -> None:
        told = [line for line in messages.splitlines() if "error" in line or "FATAL" in line] or messages.splitlines()
        super().__init__(f"{name} ended with code {code}: {'; '.join(told[-3:]) or 'no message'}")


def _passwords() -> dict[str, str]:
    """As psycopg2 takes it for the same connection string."""
    return {"PGPASSWORD": os.environ["PGPASSWORD"]} if "PGPASSWORD" in os.environ else {}


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
