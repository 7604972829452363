"""Which partitions of which assets are run, in which order, in how few runs. Pure: knows no Dagster, no clock.

Assets are ordered upstream first, in levels: those of a level do not need each other. One run takes one step, that
is an asset or those that are made together, and one unbroken range of its partitions, so that a day that fails holds up
nothing but itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Partition:
    """A Dagster partition and the days it covers, both included; without days, it is not of any time."""

    key: str
    first_day: date | None = None
    last_day: date | None = None

    def is_inside(self, days: Days) -> bool:
        """True when at least one of the days is the partition's, or it has none."""
        if self.first_day is None or self.last_day is None:
            return True
        return self.first_day <= days.last and days.first <= self.last_day


@dataclass(frozen=True)
class Days:
    """From the first to the last, both included."""

    first: date
    last: date


@dataclass(frozen=True)
class Asset:
    """An asset as the planner sees it: all its partitions that exist by now, in their order.

    `cadence` names the space its partition keys are from ("day", "week"); None: it is not partitioned.
    `step` names what makes it, where that makes several assets at once; None: it is made alone.
    """

    key: str
    upstream: frozenset[str] = frozenset()
    cadence: str | None = None
    partitions: tuple[Partition, ...] = ()
    step: str | None = None


Together = tuple[Asset, ...]  # assets of one step, by key


@dataclass(frozen=True)
class Run:
    """The assets of a step over the partitions from `first` to `last`, both included; None for unpartitioned ones."""

    assets: tuple[str, ...]
    first: str | None = None
    last: str | None = None
    partitions: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For people: the first asset, and how many are made with it."""
        more = len(self.assets) - 1
        return f"{self.assets[0]} and {more} more" if more else self.assets[0]


@dataclass
class Outcome:
    """What became of the partitions so far, by asset key; the key of an unpartitioned asset's only one is ''."""

    done: dict[str, set[str]] = field(default_factory=dict)
    failed: dict[str, dict[str, str]] = field(default_factory=dict)  # with the reason, a line
    not_run: dict[str, set[str]] = field(default_factory=dict)  # because the same partition failed upstream

    def unavailable(self, asset: str) -> set[str]:
        return set(self.failed.get(asset, {})) | self.not_run.get(asset, set())

    def count_done(self) -> int:
        return sum(map(len, self.done.values()))

    def count_not_done(self) -> int:
        return sum(map(len, self.failed.values())) + sum(map(len, self.not_run.values()))


ONLY = ""  # the one partition of an unpartitioned asset


def levels(assets: Collection[Asset]) -> list[list[Together]]:
    """The assets in levels, upstream first; those of one step stand together. By key inside a level.

    An upstream outside of `assets` is no obstacle.
    """
    waiting: dict[str, list[Asset]] = {}
    for asset in sorted(assets, key=lambda asset: asset.key):
        waiting.setdefault(asset.step or asset.key, []).append(asset)
    ordered: list[list[Together]] = []
    while waiting:
        not_yet = {asset.key: step for step, together in waiting.items() for asset in together}
        ready = [step for step, together in waiting.items() if not _steps_before(together, not_yet) - {step}]
        if not ready:
            raise ValueError(f"these assets need each other: {', '.join(sorted(not_yet))}")
        ordered.append([tuple(waiting.pop(step)) for step in ready])
    return ordered


def _steps_before(together: Iterable[Asset], step_of: Mapping[str, str]) -> set[str]:
    return {step_of[key] for asset in together for key in asset.upstream & step_of.keys()}


def wanted(asset: Asset, days: Days | None, partition: str | None) -> set[str]:
    """The partition keys asked for: one by its key, those inside the days, or, with neither, the latest.

    Of partitions that are of no time none is the latest: with neither, all of them.
    """
    if asset.cadence is None:
        return {ONLY} if partition is None else set()
    if partition is not None:
        return {partition} & {each.key for each in asset.partitions}
    if days is None and any(each.first_day for each in asset.partitions):
        return {each.key for each in asset.partitions[-1:]}
    if days is None:
        return {each.key for each in asset.partitions}
    return {each.key for each in asset.partitions if each.is_inside(days)}


def still_to_do(asset: Asset, keys: set[str], present: Collection[str], upstream_days: Sequence[Days]) -> set[str]:
    """Of `keys`, those that are not there yet or were made from something that has been made anew since.

    `present` are the materialized partitions, `upstream_days` what upstream assets have just got (an unpartitioned
    upstream counts as all days).
    """
    if asset.cadence is None:
        return keys if upstream_days or ONLY not in present else set()
    touched = {each.key for each in asset.partitions if any(each.is_inside(days) for days in upstream_days)}
    return {key for key in keys if key not in present or key in touched}


def runnable(asset: Asset, keys: set[str], assets: Mapping[str, Asset], outcome: Outcome) -> set[str]:
    """`keys` without those that failed, or were not run, in an upstream asset of the same cadence.

    An asset of another cadence runs all the same: a week judges itself whether its days are complete.
    """
    for key in asset.upstream & assets.keys():
        if asset.cadence is not None and assets[key].cadence == asset.cadence:
            keys = keys - outcome.unavailable(key)
    return keys


def runs(together: Together, keys: set[str]) -> list[Run]:
    """As few runs as possible: one per unbroken range, in the order of the partitions."""
    names = tuple(asset.key for asset in together)
    if together[0].cadence is None:
        return [Run(names, partitions=(ONLY,))] if keys else []
    return [Run(names, part[0], part[-1], tuple(part)) for part in _unbroken(together[0].partitions, keys)]


def _unbroken(partitions: Iterable[Partition], keys: set[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for partition in partitions:
        if partition.key in keys:
            parts[-1].append(partition.key)
        elif parts[-1]:
            parts.append([])
    return [part for part in parts if part]
