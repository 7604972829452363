"""Carries a run plan out, level by level, and tells what became of every partition."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from stats_assets.local.launchers import Launcher
from stats_assets.local.run_plan import (
    ONLY,
    Asset,
    Days,
    Outcome,
    Run,
    Together,
    levels,
    runnable,
    runs,
    still_to_do,
    wanted,
)
from stats_assets.local.verdicts import Verdict

_LINES_PER_REASON = 20
_ALL_DAYS = Days(date.min, date.max)


@dataclass(frozen=True)
class Request:
    """What is asked for: days, one partition by its key, or (neither) the latest.

    With `present` (asset key to materialized partitions), what is there already is not made again.
    """

    days: Days | None = None
    partition: str | None = None
    present: Mapping[str, Collection[str]] | None = None


class Watcher(Protocol):
    """Is told how it goes."""

    def begins(self, runs: Sequence[Run]) -> None: ...

    def ended(self, run: Run, verdict: Verdict) -> None: ...


@dataclass
class Work:
    """One execution of a request over the selected assets."""

    assets: Sequence[Asset]
    request: Request
    launcher: Launcher
    watcher: Watcher
    outcome: Outcome = field(default_factory=Outcome)
    # Gives an asset with the partitions there are now: a run may have added or retired dynamic ones.
    reread: Callable[[Asset], Asset] = lambda asset: asset

    def carry_out(self) -> Outcome:
        by_key = {asset.key: asset for asset in self.assets}
        for level in levels(self.assets):
            level = [tuple(map(self.reread, together)) for together in level]
            by_key.update((asset.key, asset) for together in level for asset in together)
            planned = [run for together in level for run in self._runs_of(together, by_key)]
            if planned:
                self.watcher.begins(planned)
            for run, verdict in self.launcher.execute(planned):
                self._note(run, verdict)
                self.watcher.ended(run, verdict)
        return self.outcome

    def _runs_of(self, together: Together, by_key: Mapping[str, Asset]) -> list[Run]:
        """Of assets made together each gets what any of them needs."""
        keys = set().union(*(self._to_do(asset, by_key) for asset in together))
        possible = keys.intersection(*(runnable(asset, keys, by_key, self.outcome) for asset in together))
        if keys - possible:
            self.outcome.not_run.update((asset.key, keys - possible) for asset in together)
        return runs(together, possible)

    def _to_do(self, asset: Asset, by_key: Mapping[str, Asset]) -> set[str]:
        keys = wanted(asset, self.request.days, self.request.partition)
        if self.request.present is None:
            return keys
        fresh = [days for key in asset.upstream & by_key.keys() for days in self._fresh_days(by_key[key])]
        return still_to_do(asset, keys, self.request.present.get(asset.key, ()), fresh)

    def _fresh_days(self, asset: Asset) -> Iterable[Days]:
        """The days for which this work has just made the asset anew."""
        done = self.outcome.done.get(asset.key, set())
        if ONLY in done:
            yield _ALL_DAYS
        for each in asset.partitions:
            if each.key in done:
                yield Days(each.first_day or date.min, each.last_day or date.max)

    def _note(self, run: Run, verdict: Verdict) -> None:
        for asset in run.assets:
            self.outcome.done.setdefault(asset, set()).update(verdict.done)
        if verdict.reason is not None:
            failed = [key for key in run.partitions if key not in verdict.done]
            if not failed:  # all are made, but a check blocks or an error came after the last: whom does it name?
                failed = [key for key in run.partitions if verdict.own_reason(key)] or list(run.partitions)
            reasons = {key: verdict.reason_for(key) or verdict.reason for key in failed}
            for asset in run.assets:
                self.outcome.failed.setdefault(asset, {}).update(reasons)


def unplanned(outcome: Outcome, planned: Mapping[str, Collection[str]]) -> list[str]:
    """Lines for the failed partitions that were not meant to fail."""
    return _failed(outcome, lambda asset, key: key not in planned.get(asset, ()))


def as_planned(outcome: Outcome, planned: Mapping[str, Collection[str]]) -> list[str]:
    """Lines for the failed partitions that were meant to fail."""
    return _failed(outcome, lambda asset, key: key in planned.get(asset, ()))


def left_out(outcome: Outcome) -> list[str]:
    """Lines for the partitions that were not run, because the same one failed upstream."""
    reason = "not run: upstream failed"
    return [line for asset, keys in outcome.not_run.items() for line in _lines(asset, dict.fromkeys(keys, reason))]


def failure_lines(outcome: Outcome) -> list[str]:
    """Lines for everything that is not made."""
    return unplanned(outcome, {}) + left_out(outcome)


def _failed(outcome: Outcome, is_meant: Callable[[str, str], bool]) -> list[str]:
    return [
        line
        for asset, reasons in outcome.failed.items()
        for line in _lines(asset, {key: reason for key, reason in reasons.items() if is_meant(asset, key)})
    ]


def _lines(asset: str, reasons: Mapping[str, str]) -> list[str]:
    """A line per partition, but one for all when many have the same reason: a killed run of a year says little more."""
    lines = []
    for reason in dict.fromkeys(reasons[key] for key in sorted(reasons)):
        keys = sorted(key for key, why in reasons.items() if why == reason)
        named = keys if len(keys) <= _LINES_PER_REASON else [f"{len(keys)} partitions from {keys[0]} to {keys[-1]}"]
        lines += [f"{asset} {name}".strip() + f": {reason.removeprefix(f'{asset}: ')}" for name in named]
    return lines
