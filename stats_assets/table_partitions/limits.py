"""How much one run may do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Per table and run. What is left over is told and done by the next run."""

    max_created: int = 60
    max_retired: int = 8
    max_drained_rows: int = 1_000_000
    attic_days: int = 7
