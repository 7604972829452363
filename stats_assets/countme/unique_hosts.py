"""Counting a day: countme.raw_hits into countme.daily_unique_hosts, by the names of `repositories`.

A host is an address. The day is the UTC day of the hits: files of several dates hold hits of one day, because logs
are rotated late and clocks differ, so a day is counted from all rows of that day and again when any of them change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from stats_assets.countme import unique_hosts_sql as sql
from stats_assets.countme.config import CountedSite, CountmeConfig
from stats_assets.countme.repositories import UNMAPPED, NamingRules, naming_rules
from stats_assets.shared.days import midnight
from stats_assets.shared.failures import OurMistake
from stats_assets.shared.postgres import Cursor, StatsDatabase, lock_slice, one_row, plan_for_bulk


class IncomparableDay(OurMistake):
    """The addresses of a day's hits do not compare (see `week_keys`). Its rows stay; other days can be counted."""


@dataclass(frozen=True)
class HostDayReport:
    """One counted day of a site. `hosts` counts an address once per repository and architecture.

    `unmapped_tags`: the repository tags without a name that most hosts asked for, with their hosts, most first.
    """

    site: str
    day: date
    rows: int
    hosts: int
    unmapped: int
    unmapped_tags: dict[str, int]

    def __str__(self) -> str:
        return f"{self.site} {self.day}: {self.hosts} hosts, {self.unmapped} unmapped"


@dataclass(frozen=True)
class _NamedClient:
    client_id: int
    repository: str
    architecture: str


def replace_host_day(
    database: StatsDatabase, site: CountedSite, day: date, rules: NamingRules | None = None
) -> HostDayReport:
    """Counts this UTC day anew, in one transaction; running it twice changes nothing. A day without hits has no rows.

    `rules`: other names than those this version comes with. Raises IncomparableDay; then its rows
    stay as they are.
    """
    window = _window(site, day)
    with database.transaction() as cursor:
        lock_slice(cursor, "countme.daily_unique_hosts", f"{site.name} {day}")
        # Read before the hits: a load that commits in between makes the day look outdated, never up to date.
        inputs = _inputs(cursor, window)
        _must_compare(cursor, window)
        plan_for_bulk(cursor)
        clients = _named_clients(cursor, window, rules or naming_rules())
        _replace_rows(cursor, window, clients)
        cursor.execute(sql.KEEP_HOST_DAY, window | {"inputs": inputs})
        return _report(cursor, window, site, day, clients)


def changed_host_days(cursor: Cursor, config: CountmeConfig, site: CountedSite, today: date) -> list[date]:
    """Days from the first to yesterday that were counted from other hits than there are now, oldest first."""
    cursor.execute(sql.CHANGED_HOST_DAYS, {"site": site.name, "first_day": config.first_day, "end_day": today})
    return [day for (day,) in cursor.fetchall()]


def _inputs(cursor: Cursor, window: dict[str, object]) -> str:
    cursor.execute(sql.HOST_DAY_INPUTS, window)
    row = cursor.fetchone()
    return row[0] if row else ""


def _named_clients(cursor: Cursor, window: dict[str, object], rules: NamingRules) -> list[_NamedClient]:
    cursor.execute(sql.HOST_DAY_CLIENTS, window)
    return [
        _NamedClient(client_id, rules.repositories.name_of(repo_tag), rules.architectures.name_of(repo_arch))
        for client_id, repo_tag, repo_arch in cursor.fetchall()
    ]


def _replace_rows(cursor: Cursor, window: dict[str, object], clients: Sequence[_NamedClient]) -> None:
    cursor.execute(sql.DELETE_HOST_DAY, window)
    names = {
        "client_ids": [client.client_id for client in clients],
        "repositories": [client.repository for client in clients],
        "architectures": [client.architecture for client in clients],
    }
    cursor.execute(sql.ADD_HOST_DAY, window | names)


def _must_compare(cursor: Cursor, window: dict[str, object]) -> None:
    cursor.execute(sql.OUTDATED_HOST_DAY_FILES, window)
    outdated = ", ".join(f"{day}" for (day,) in cursor.fetchall())
    if outdated:
        raise IncomparableDay(
            f"countme/daily_unique_hosts {window['site']} {window['day']}: a file was loaded anew after the week's key"
            f" had been destroyed, so the others' addresses do not compare to its; materialize countme/raw_hits for"
            f" {outdated} (countme_changed_days asks for them), then this day; until then the hosts stay"
        )


def _report(
    cursor: Cursor, window: dict[str, object], site: CountedSite, day: date, clients: Sequence[_NamedClient]
) -> HostDayReport:
    cursor.execute(sql.HOST_DAY_SIZE, window | {"unmapped": UNMAPPED})
    rows, hosts, unmapped = map(int, one_row(cursor))
    unmapped_ids = [client.client_id for client in clients if client.repository == UNMAPPED]
    cursor.execute(sql.LARGEST_UNMAPPED_TAGS, window | {"unmapped_ids": unmapped_ids})
    return HostDayReport(site.name, day, rows, hosts, unmapped, dict(cursor.fetchall()))


def _window(site: CountedSite, day: date) -> dict[str, object]:
    start = midnight(day)
    return {
        "site": site.name,
        "day": day,
        "start": start,
        "end": start + timedelta(days=1),
    }
