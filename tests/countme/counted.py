"""Counts as they stand in the tables, without the logs behind them: what publishing starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from stats_assets.countme.publications import PublishedFile, Publisher
from stats_assets.shared.archive import Archive
from stats_assets.shared.postgres import StatsDatabase

SITE = "mirrors.example.org"

_ADD_WEEK = """
INSERT INTO countme.weeks (site, week, policy, status, coverage, revision, missing, inputs, hits)
VALUES (%(site)s, %(week)s, %(policy)s, %(status)s, %(coverage)s, %(revision)s, %(missing)s, '', 0)
"""
_ADD_TOTAL = """
INSERT INTO countme.weekly_totals
    (site, week, hits, os_name, os_version, os_variant, os_arch, sys_age, repo_tag, repo_arch, position)
VALUES (%(site)s, %(week)s, %(hits)s, %(os_name)s, %(os_version)s, %(os_variant)s, %(os_arch)s, %(sys_age)s,
        %(repo_tag)s, %(repo_arch)s, %(position)s)
"""
_ADD_HOSTS = """
INSERT INTO countme.daily_unique_hosts (site, day, repository, architecture, hosts)
VALUES (%(site)s, %(day)s, %(repository)s, %(architecture)s, %(hosts)s)
"""
_ADD_HOST_DAY = """
INSERT INTO countme.unique_host_days (site, day, inputs) VALUES (%(site)s, %(day)s, '')
ON CONFLICT DO NOTHING
"""
_ADD_SOURCE = """
INSERT INTO countme.sources (site, day, host, sha256, policy, lines, hits)
VALUES (%(site)s, %(day)s, 'proxy01', '', 'strict', 1, 1)
"""


@dataclass
class Counted:
    """Fills the tables of counts and publishes from them."""

    database: StatsDatabase
    folder: Path
    site: str = SITE

    @property
    def archive(self) -> Archive:
        return Archive(url=str(self.folder))

    @property
    def publisher(self) -> Publisher:
        return Publisher(self.database, self.archive, self.site, "inputs")

    def week(
        self,
        week: date,
        *totals: Sequence[object],
        status: str = "final",
        policy: str = "strict",
        coverage: float = 1.0,
        missing: str = "",
    ) -> None:
        """A counted week; each of the totals is (hits, os_name, sys_age) or has also repo_tag and position."""
        state = {"site": self.site, "week": week, "policy": policy, "status": status, "coverage": coverage}
        self._execute(_ADD_WEEK, state | {"revision": 1, "missing": missing})
        for hits, os_name, sys_age, *more in totals:
            repo_tag, position = [*more, *["fedora-39", None][len(more) :]]
            row = {"site": self.site, "week": week, "hits": hits, "os_name": os_name, "sys_age": sys_age}
            row |= {"os_version": "39", "os_variant": "workstation", "os_arch": "x86_64"}
            self._execute(_ADD_TOTAL, row | {"repo_tag": repo_tag, "repo_arch": "x86_64", "position": position})

    def hosts(self, day: date, **by_repository: int) -> None:
        """A counted day of unique hosts, all of one architecture."""
        self._execute(_ADD_HOST_DAY, {"site": self.site, "day": day})
        for repository, hosts in by_repository.items():
            row = {"site": self.site, "day": day, "repository": repository, "architecture": "x86_64", "hosts": hosts}
            self._execute(_ADD_HOSTS, row)

    def loaded(self, day: date) -> None:
        """A loaded file of this date."""
        self._execute(_ADD_SOURCE, {"site": self.site, "day": day})

    def text(self, file: PublishedFile) -> str:
        """A published file as a text, line ends as they are."""
        return self.bytes(file).decode()

    def bytes(self, file: PublishedFile) -> bytes:
        return (self.folder / "published/countme" / file.site / file.name).read_bytes()

    def _execute(self, statement: str, row: dict[str, object]) -> None:
        with self.database.transaction() as cursor:
            cursor.execute(statement, row)
