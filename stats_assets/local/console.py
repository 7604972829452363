"""What the operator reads: progress on stderr, results on stdout. Plain lines, so that a log file reads as well."""

from __future__ import annotations

import sys

from rich.console import Console

errors = Console(stderr=True, highlight=False, soft_wrap=True)
results = Console(highlight=False, soft_wrap=True)
# Narrower terminals wrap the lines themselves; a cut-off table would tell nothing.
tables = Console(highlight=False, width=max(results.width, 130))


def say(line: str) -> None:
    """A step that is done or begins."""
    errors.print(line, markup=False)


def complain(line: str) -> None:
    """Why the command ends badly."""
    errors.print(line, style="red", markup=False)


def is_watched() -> bool:
    """True when somebody sits before a terminal: only then do bars move."""
    return sys.stderr.isatty()
