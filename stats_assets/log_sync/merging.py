"""Many logs that are nearly in order, merged into one that is: by time, then by log, then by the place in it.

Each log holds its lines back until none of its later lines can come before them, which its survey tells; lines that
are out of every log's way go on, sorted. So a block per log is in memory, and what is held back of it. A log that is
too far out of order for that is first cut into sorted runs on disk, each of which is a log of its own.

Lines travel as Arrow arrays: sorting them is one call that copies bytes, not a Python object per line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from stats_assets.log_sync.lines import UNDATABLE, Block, blocks
from stats_assets.shared.compression import compressed, decompressed
from stats_assets.shared.failures import OurMistake

_FOREVER = np.iinfo(np.int64).max
_NO_TIMES = np.empty(0, dtype=np.int64)
_RUN_LEVEL = 1  # runs are read once and thrown away


class OutOfOrder(OurMistake):
    """A line came earlier than its log's survey allows."""


@dataclass(frozen=True)
class Log:
    """Blocks of one log; no line is more than `step_back_seconds` earlier than a line before it."""

    name: str
    blocks: Iterator[Block]
    step_back_seconds: int


@dataclass(frozen=True)
class Merged:
    """Lines in order: their bytes, how many, and when the first and the last was written (Unix seconds)."""

    content: memoryview
    lines: int
    oldest: int
    newest: int


Sink = Callable[[bytes], object]


def merged(logs: Sequence[Log], undatable: Sequence[Sink]) -> Iterator[Merged]:
    """The datable lines of all logs in order. Equal times: by the order of `logs`, then by the place in the log.

    Lines without a time go to the log's own sink of `undatable`, in their order.
    """
    held = [_Held(log, sink) for log, sink in zip(logs, undatable, strict=True)]
    for each in held:
        each.read_on()
    while held:
        slowest = min(held, key=lambda each: each.horizon)
        if piece := _ordered([each.take_before(slowest.horizon) for each in held]):
            yield piece
        if slowest.horizon == _FOREVER:
            return
        slowest.read_on()


def sorted_runs(lines: Iterable[Block], undatable: Sink, folder: Path, run_bytes: int) -> Iterator[Path]:
    """A log as files of `run_bytes` or so in `folder`, each in order; ties lie in the order of the files."""
    for number, run in enumerate(_runs(lines, undatable, run_bytes)):
        path = folder / f"{number:06d}.zst"
        with path.open("wb") as file, compressed(file, path.name, _RUN_LEVEL) as writer:
            writer.write(run.content)
        yield path


def read_run(path: Path, block_bytes: int) -> Iterator[Block]:
    with path.open("rb") as file:
        yield from blocks(decompressed(file, path.name), block_bytes)


def _runs(lines: Iterable[Block], undatable: Sink, run_bytes: int) -> Iterator[Merged]:
    pieces: list[_Lines] = []
    size = 0
    for block in lines:
        pieces.append(_datable(block, undatable))
        size += len(block.data)
        if size >= run_bytes:
            if run := _ordered(pieces):
                yield run
            pieces, size = [], 0
    if run := _ordered(pieces):
        yield run


@dataclass(frozen=True)
class _Lines:
    """Lines and their times, equally many."""

    texts: pa.BinaryArray
    seconds: np.ndarray


class _Held:
    """What has been read of a log and not yet taken, in order."""

    def __init__(self, log: Log, undatable: Sink) -> None:
        self._log = log
        self._undatable = undatable
        self._lines = _Lines(pa.array([], pa.binary()), _NO_TIMES)
        self._newest = UNDATABLE
        self._is_over = False

    @property
    def horizon(self) -> int:
        """No line that is still to come is earlier than this."""
        if self._is_over:
            return _FOREVER
        return UNDATABLE if self._newest == UNDATABLE else self._newest - self._log.step_back_seconds

    def take_before(self, horizon: int) -> _Lines:
        """Lines that are earlier: one that is to come at that very second may belong before them."""
        count = int(np.searchsorted(self._lines.seconds, horizon, side="left"))
        taken = _Lines(self._lines.texts[:count], self._lines.seconds[:count])
        self._lines = _Lines(self._lines.texts[count:], self._lines.seconds[count:])
        return taken

    def read_on(self) -> None:
        block = next(self._log.blocks, None)
        if block is None:
            self._is_over = True
            return
        new = _datable(block, self._undatable)
        if not len(new.seconds):
            return
        if new.seconds.min() < self.horizon:
            raise OutOfOrder(
                f"the log of {self._log.name} is not the one that was surveyed: its lines step back further;"
                " remove its copy, rerun log_sync/files for the day, then this day"
            )
        self._newest = max(self._newest, int(new.seconds.max()))
        self._lines = _sorted([self._lines, new])


def _datable(block: Block, undatable: Sink) -> _Lines:
    offsets, data = pa.py_buffer(block.offsets), pa.py_buffer(block.data)
    texts = pa.BinaryArray.from_buffers(pa.binary(), len(block.seconds), [None, offsets, data])
    is_undatable = block.seconds == UNDATABLE
    if not is_undatable.any():
        return _Lines(texts, block.seconds)
    undatable(bytes(_content(texts.take(pa.array(np.flatnonzero(is_undatable))))))
    kept = np.flatnonzero(~is_undatable)
    return _Lines(texts.take(pa.array(kept)), block.seconds[kept])


def _ordered(parts: Sequence[_Lines]) -> Merged | None:
    parts = [part for part in parts if len(part.seconds)]
    if not parts:
        return None
    lines = _sorted(parts)
    return Merged(_content(lines.texts), len(lines.seconds), int(lines.seconds[0]), int(lines.seconds[-1]))


def _sorted(parts: Sequence[_Lines]) -> _Lines:
    """All of them in the order of time; equal times stay in the order they come in."""
    texts = pa.concat_arrays([part.texts for part in parts]) if len(parts) > 1 else parts[0].texts
    seconds = np.concatenate([part.seconds for part in parts])
    if (seconds[1:] >= seconds[:-1]).all():
        return _Lines(texts, seconds)
    order = np.argsort(seconds, kind="stable")
    return _Lines(texts.take(pa.array(order)), seconds[order])


def _content(texts: pa.BinaryArray) -> memoryview:
    """The bytes of consecutive lines."""
    _, offsets, data = texts.buffers()
    if data is None or not len(texts):
        return memoryview(b"")
    ends = np.frombuffer(offsets, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(data)[int(ends[0]) : int(ends[-1])]
