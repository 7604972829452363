"""The seed and the size of the simulated world. What is in it belongs to the modules of each source."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

DEFAULT_SEED = 2020
DEFAULT_LINES = 3000

# Part of every random stream: raise it when the simulation changes, and files kept on disk are made anew.
_GENERATION = 1


@dataclass(frozen=True)
class World:
    """One reproducible world; `lines` is the mean number of log lines per host and day."""

    seed: int = DEFAULT_SEED
    lines: int = DEFAULT_LINES

    def random(self, *names: object) -> np.random.Generator:
        """The random stream that belongs to these names, independent of every other."""
        return np.random.default_rng(int(self.identity(*names), 16))

    def identity(self, *names: object) -> str:
        """32 hex digits that stand for these names in this world; equal for equal content."""
        text = "/".join(map(str, (_GENERATION, self.seed, self.lines, *names)))
        return hashlib.sha256(text.encode()).hexdigest()[:32]
