"""The mirrors report: hosts per day by repository and by architecture, a column each. Pure but for reading its rules.

Made of countme.daily_unique_hosts: a host is an address that asked for a repository and an architecture that day, and
counts in several columns (`f39`, `fedora`, `x86_64`, `x86_64_f`). Which, is data: `mirrors_columns.yaml`.

The established report loses a host a day, the one whose row begins the day, and has two rows of days that never were
(1970-01-01, its header, and 1970-01-02); here every host counts and there is a row for counted days only. Under policy
compat the rules are its own; strict mends these: Fedora counts in `x86_32_f`, `x86_64_f` and `ppc_f` from release 30
on, too, `rawhide_modular` has its column instead of that of rawhide, and `cisco_rawhide` is not rawhide.
Publishing the files is in `publish_mirrors`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from stats_assets.countme.config import Policy

AVERAGED_DAYS = 7

_RULES = Path(__file__).with_name("mirrors_columns.yaml")


class _Rules(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnRule(_Rules):
    """Columns to count in when both patterns are found in the names; `{group}` stands for a group of the repository's.

    `policy`: the only one the rule is of.
    """

    repository: re.Pattern[str] = re.compile("")
    architecture: re.Pattern[str] = re.compile("")
    add: tuple[str, ...]
    policy: Policy | None = None

    def columns(self, repository: str, architecture: str) -> tuple[str, ...] | None:
        found = self.repository.search(repository)
        if not found or not self.architecture.search(architecture):
            return None
        return tuple(name.format(**found.groupdict()) for name in self.add)


class MirrorsRules(_Rules):
    """The rules file as a whole."""

    columns: tuple[str, ...]
    first_cell: Mapping[Policy, str]
    repositories: tuple[ColumnRule, ...]
    architectures: tuple[ColumnRule, ...]

    @model_validator(mode="after")
    def _columns_are_there_once(self) -> Self:
        if twice := {name for name in self.columns if self.columns.count(name) > 1}:
            raise ValueError(f"given twice: {', '.join(sorted(twice))}")
        named = {name for rule in (*self.repositories, *self.architectures) for name in rule.add if "{" not in name}
        if unknown := named - set(self.columns):
            raise ValueError(f"rules add to columns that are not there: {', '.join(sorted(unknown))}")
        return self

    def header(self, policy: Policy) -> list[str]:
        """The header: columns are numbered, because scripts that draw them go by number."""
        numbered = [f"{number:02}-{name}" for number, name in enumerate(self.columns[1:], start=2)]
        return [self.first_cell[policy], *numbered]

    def columns_of(self, policy: Policy, repository: str, architecture: str) -> tuple[str, ...]:
        """The columns a host with this repository and architecture counts in, whether or not they are listed."""
        return tuple(
            name
            for rules in (self.repositories, self.architectures)
            for name in _first(rules, policy, repository, architecture)
        )


def _first(rules: Sequence[ColumnRule], policy: Policy, repository: str, architecture: str) -> tuple[str, ...]:
    found = (rule.columns(repository, architecture) for rule in rules if rule.policy in (None, policy))
    return next((columns for columns in found if columns is not None), ())


@cache
def mirrors_rules() -> MirrorsRules:
    """The rules this version comes with. Raises pydantic's ValidationError when the file is not what it should be."""
    return MirrorsRules.model_validate(yaml.safe_load(_RULES.read_text(encoding="utf-8")))


HostRow = tuple[date, str, str, int]


@dataclass(frozen=True)
class MirrorsReport:
    """Hosts by day (rows, oldest first) and column (as in the rules, without the date).

    `without_column`: hosts by the name of a column that is not listed; they are in the sums (`fedora`, `epel`) only.
    """

    days: Sequence[date]
    hosts: np.ndarray
    without_column: dict[str, int]

    def averages(self) -> tuple[list[date], np.ndarray]:
        """The mean of the seven days that end with each day, for days with all seven counted."""
        if len(self.days) < AVERAGED_DAYS:
            return [], np.empty((0, self.hosts.shape[1]))
        sums = np.vstack([np.zeros_like(self.hosts[:1]), self.hosts.cumsum(axis=0)])
        means = (sums[AVERAGED_DAYS:] - sums[:-AVERAGED_DAYS]) / AVERAGED_DAYS
        span = timedelta(days=AVERAGED_DAYS - 1)
        whole = [n for n in range(len(means)) if self.days[n + AVERAGED_DAYS - 1] - self.days[n] == span]
        return [self.days[n + AVERAGED_DAYS - 1] for n in whole], means[whole]


def mirrors_report(rules: MirrorsRules, policy: Policy, rows: Iterable[HostRow]) -> MirrorsReport:
    """The report of rows (day, repository, architecture, hosts) in any order."""
    rows = list(rows)
    days = sorted({day for day, *_ in rows})
    pairs = sorted({(repository, architecture) for _, repository, architecture, _ in rows})
    row_of, pair_of = ({key: number for number, key in enumerate(keys)} for keys in (days, pairs))
    hosts = np.zeros((len(days), len(pairs)), dtype=np.int64)
    for day, repository, architecture, count in rows:
        hosts[row_of[day], pair_of[repository, architecture]] += count
    place_of = {name: place for place, name in enumerate(rules.columns[1:])}
    counts_in = np.zeros((len(pairs), len(place_of)), dtype=np.int64)
    without_column: dict[str, int] = {}
    for number, (repository, architecture) in enumerate(pairs):
        for name in rules.columns_of(policy, repository, architecture):
            if name in place_of:
                counts_in[number, place_of[name]] = 1
            else:
                without_column[name] = without_column.get(name, 0) + int(hosts[:, number].sum())
    return MirrorsReport(days, hosts @ counts_in, without_column)
