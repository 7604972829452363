"""A log file as arrays that are ready for COPY: the answers of `parse`, some forty times as fast.

A block of lines at a time: `regular` finds the fields of nearly all lines at once, `dictionaries` knows what their
requests and agents mean, `addresses` makes the keys; the few irregular lines go to `parse` one by one. A property
test holds both ways equal on mutated lines. Reading and decompressing files is `load`'s, so is writing rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np

from stats_assets.countme.addresses import AddressKeys, read_address
from stats_assets.countme.blocks import BLOCK_BYTES, Block, BlockReader, ByteStream
from stats_assets.countme.config import Policy
from stats_assets.countme.dictionaries import VERDICTS, Client
from stats_assets.countme.judge import UNREAD, Judge, Judgement
from stats_assets.countme.parse import MAX_LINE_BYTES, Hit, ParsedLine, Window, parse_line
from stats_assets.countme.regular import BlockLines, LineFinder, RegularLines
from stats_assets.countme.samples import Sample, Sampler
from stats_assets.countme.verdicts import Verdict
from stats_assets.countme.weeks import monday_of

__all__ = ["Client", "HitBlock", "LogScanner", "Sample"]


class HitColumns(NamedTuple):
    """Hits as columns, in the order of the file.

    `byte_offset` is where the line starts in the decompressed file, `client` an index of `LogScanner.clients`.
    """

    hit_seconds: np.ndarray  # int64, Unix seconds
    address_key: np.ndarray  # int64
    byte_offset: np.ndarray  # int64
    sys_age: np.ndarray  # int64
    client: np.ndarray  # int32


@dataclass(frozen=True)
class HitBlock:
    """The hits of a block of lines (columns as in HitColumns), and what became of all its lines."""

    hit_seconds: np.ndarray
    address_key: np.ndarray
    byte_offset: np.ndarray
    sys_age: np.ndarray
    client: np.ndarray
    verdicts: Counter[Verdict]  # of all lines, hits included
    samples: list[Sample]
    addresses: dict[int, str]  # by key, those not told before in this file; only with keep_addresses


class LogScanner:
    """Scans files one after the other, and knows more from file to file.

    `window` may be set before each. `clients` grows; when it has become too long, a new list is begun and
    `generation` goes up. That happens between two blocks, so a block's indexes fit the list that is there when
    the block is handed out. One scan at a time: they share the buffer.
    """

    def __init__(
        self,
        policy: Policy,
        window: Window,
        key_of_week: Callable[[date], bytes],
        keep_addresses: bool,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self.window = window
        self.generation = 0
        self._policy: Policy = policy
        self._keep_addresses = keep_addresses
        self._reader = BlockReader(MAX_LINE_BYTES, block_bytes)
        self._finder = LineFinder(policy)
        self._keys = AddressKeys(key_of_week)
        self._judge = Judge(policy, self._keys)

    @property
    def clients(self) -> list[Client]:
        """The distinct clients seen, in the order of their first appearance."""
        return self._judge.clients.clients

    def scan(self, stream: ByteStream) -> Iterator[HitBlock]:
        """The lines of one file, already decompressed, block by block. Raises what the stream raises."""
        sampler = Sampler(self._keep_addresses)
        told: set[int] = set()
        for block in self._reader.blocks(stream):
            if self._judge.is_full:
                self._judge = Judge(self._policy, self._keys)
                self.generation += 1
            yield self._scan_block(block, sampler, told)

    def _scan_block(self, block: Block, sampler: Sampler, told: set[int]) -> HitBlock:
        lines = self._finder.lines(block)
        judgement = self._judge.judge(block.bytes_, lines.regular, self.window)
        parsed = self._parse_one_by_one(block, lines, judgement)
        hits = _in_file_order(_fast_columns(block, lines.regular, judgement), self._exact_columns(parsed))
        return HitBlock(
            *hits,
            verdicts=_counted(judgement.codes, parsed),
            samples=[*_fast_samples(block, lines.regular, judgement, sampler), *_exact_samples(parsed, sampler)],
            addresses=self._new_addresses(block, lines.regular, judgement, parsed, told),
        )

    def _parse_one_by_one(self, block: Block, lines: BlockLines, judgement: Judgement) -> list[ParsedLine]:
        """The lines the fast way cannot judge; `start` of each is its place in the file."""
        unread = np.flatnonzero(judgement.codes == UNREAD)
        starts = np.append(lines.other_start, lines.regular.start[unread])
        ends = np.append(lines.other_end, lines.regular.agent_end[unread] + 2)  # closing quote and LF
        return [
            parsed._replace(start=start + block.shift + parsed.start)
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
            for parsed in parse_line(block.bytes_[start:end].tobytes(), self._policy, self.window)
        ]

    def _exact_columns(self, parsed: list[ParsedLine]) -> HitColumns:
        rows = [
            (hit.seconds, self._key_of(hit), start, hit.sys_age, self._judge.clients.index(_client_of(hit)))
            for start, hit in _hits(parsed)
        ]
        seconds, key, offset, age, client = np.array(rows, dtype=np.int64).reshape(-1, 5).T
        return HitColumns(seconds, key, offset, age, client.astype(np.int32))

    def _key_of(self, hit: Hit) -> int:
        return self._keys.of_text(hit.address, monday_of(hit.seconds))

    def _new_addresses(
        self,
        block: Block,
        lines: RegularLines,
        judgement: Judgement,
        parsed: list[ParsedLine],
        told: set[int],
    ) -> dict[int, str]:
        if not self._keep_addresses:
            return {}
        addresses = {self._key_of(hit): hit.address for _, hit in _hits(parsed)}
        keys, first = np.unique(judgement.address_key, return_index=True)
        for key, row in zip(keys.tolist(), judgement.rows[first].tolist(), strict=True):
            if key not in told and key not in addresses:
                host = block.bytes_[lines.start[row] : lines.host_end[row]].tobytes().decode("ascii")
                addresses[key] = read_address(host, self._policy) or host
        new = {key: address for key, address in addresses.items() if key not in told}
        told.update(new)
        return new


def _fast_columns(block: Block, lines: RegularLines, judgement: Judgement) -> HitColumns:
    offset = lines.start[judgement.rows] + block.shift
    return HitColumns(lines.seconds[judgement.rows], judgement.address_key, offset, judgement.sys_age, judgement.client)


def _in_file_order(fast: HitColumns, exact: HitColumns) -> HitColumns:
    if not len(exact.byte_offset):
        return fast
    both = HitColumns(*map(np.concatenate, zip(fast, exact, strict=True)))
    order = np.argsort(both.byte_offset, kind="stable")
    return HitColumns(*(column[order] for column in both))


def _counted(codes: np.ndarray, parsed: list[ParsedLine]) -> Counter[Verdict]:
    verdicts: Counter[Verdict] = Counter("hit" if isinstance(line.outcome, Hit) else line.outcome for line in parsed)
    counts = np.bincount(codes, minlength=len(VERDICTS))[: len(VERDICTS)]  # without UNREAD
    for verdict, count in zip(VERDICTS, counts.tolist(), strict=True):
        if count:
            verdicts[verdict] += count
    return verdicts


def _fast_samples(block: Block, lines: RegularLines, judgement: Judgement, sampler: Sampler) -> Iterator[Sample]:
    for code in np.unique(judgement.codes):
        if code == UNREAD or not sampler.wants(VERDICTS[code]):
            continue
        for row in np.flatnonzero(judgement.codes == code)[: sampler.wants(VERDICTS[code])].tolist():
            start, end = int(lines.start[row]), int(lines.agent_end[row]) + 1
            yield sampler.sample(start + block.shift, VERDICTS[code], block.bytes_[start:end].tobytes())


def _exact_samples(parsed: list[ParsedLine], sampler: Sampler) -> Iterator[Sample]:
    for line in parsed:
        if not isinstance(line.outcome, Hit) and sampler.wants(line.outcome):
            yield sampler.sample(line.start, line.outcome, line.content)


def _hits(parsed: list[ParsedLine]) -> Iterator[tuple[int, Hit]]:
    return ((line.start, line.outcome) for line in parsed if isinstance(line.outcome, Hit))


def _client_of(hit: Hit) -> Client:
    return Client(hit.os_name, hit.os_version, hit.os_variant, hit.os_arch, hit.repo_tag, hit.repo_arch)
