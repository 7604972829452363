"""An external program, run to its end or to the end of our patience. What its answers mean is its transport's."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """What a program left behind: exit code (negative: the signal that ended it), standard output and error."""

    code: int
    out: str
    err: str


def run(command: Sequence[str], environ: Mapping[str, str], seconds: float) -> Ended:
    """Runs it with no input and no terminal, so that nothing can ask a person.

    Raises FileNotFoundError when it is not installed and subprocess.TimeoutExpired when it took longer; in that
    case it and everything it has started are gone.
    """
    with subprocess.Popen(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # a group of its own, to end its helpers with it
    ) as process:
        try:
            out, err = process.communicate(timeout=seconds)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    return Ended(process.returncode, out, err)
