"""A small world for the room: log files as log_sync would leave them, and lines to fill them with."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from stats_assets.countme.config import CountmeConfig, SiteSection
from stats_assets.countme.load import DayLoader, DayReport
from stats_assets.countme.reports import WeekReport
from stats_assets.countme.totals import replace_week
from stats_assets.shared.archive import Archive
from stats_assets.shared.postgres import StatsDatabase

SITE = "mirrors.fedoraproject.org"
LATER = datetime(2030, 1, 1, tzinfo=UTC)  # when every week of a test is over
FEDORA = "libdnf (Fedora Linux 39; workstation; Linux.x86_64)"

_REGISTER = """
INSERT INTO log_sync.files
    (day, host, site, state, source_url, archive_name, sha256, fetched_at, checked_at, attempts, last_error)
VALUES (%(day)s, %(host)s, %(site)s, %(state)s, 'file:', %(name)s, %(sha256)s, %(at)s, %(at)s, 1, %(error)s)
ON CONFLICT (day, host, site) DO UPDATE SET
    state = excluded.state, archive_name = excluded.archive_name, sha256 = excluded.sha256
"""


def hit_line(
    at: datetime,
    address: str = "192.0.2.1",
    countme: int | None = 1,
    repo: str = "fedora-39",
    agent: str = FEDORA,
    arch: str = "x86_64",
) -> bytes:
    """One access-log line of a request that counts."""
    age = f"&countme={countme}" if countme is not None else ""
    when = at.strftime("%d/%b/%Y:%H:%M:%S +0000")
    request = f"GET /metalink?repo={repo}&arch={arch}{age} HTTP/2.0"
    return f'{address} - - [{when}] "{request}" 200 5000 "-" "{agent}"\n'.encode()


def noon(day: date, seconds: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + timedelta(seconds=seconds)


@dataclass
class World:
    """Delivers log files, loads days, counts weeks, and shows the tables without what a rerun may change."""

    database: StatsDatabase
    folder: Path
    config: CountmeConfig = field(default_factory=lambda: CountmeConfig(site=SITE, keep_addresses=True))

    @property
    def archive(self) -> Archive:
        return Archive(url=str(self.folder))

    def with_config(self, **changes: object) -> World:
        return World(self.database, self.folder, self.config.model_copy(update=changes))

    def sections(self, *others: str) -> list[SiteSection]:
        """This world's site and others, for `with_config(sites=...)`."""
        return [SiteSection(site=site) for site in (SITE, *others)]

    def deliver(self, day: date, lines: Iterable[bytes], host: str = "proxy01", site: str = SITE) -> None:
        """A verified file in the archive and its row in the manifest."""
        contents = b"".join(lines)
        name = f"{host}-{day}.log.gz" if site == SITE else f"{site}-{host}-{day}.log.gz"
        (self.folder / name).write_bytes(gzip.compress(contents, 1))
        self._register(day, host, site, "fetched", name, hashlib.sha256(contents).hexdigest())

    def fail_to_deliver(self, day: date, host: str = "proxy01") -> None:
        self._register(day, host, SITE, "missing", None, None)

    def waive(self, day: date, host: str = "proxy01") -> None:
        """Somebody has decided that this file is not waited for."""
        with self.database.transaction() as cursor:  # a manifest that knows no waivers yet
            cursor.execute("ALTER TABLE log_sync.files DROP CONSTRAINT IF EXISTS files_state_check")
        self._register(day, host, SITE, "waived", None, None)

    def load(self, *days: date) -> list[DayReport]:
        loader = DayLoader(self.database, self.archive, self.config)
        return [loader.replace_day(day) for day in days]

    def count(self, week: date, site: str = "", now: datetime = LATER) -> WeekReport:
        """Counts a week of the named site, or of the only one."""
        (counted,) = [each for each in self.config.counted_sites if site in ("", each.name)]
        return replace_week(self.database, self.config, counted, week, now)

    def hits(self) -> list[tuple]:
        """What counts, with names, in a fixed order."""
        return self.rows(
            """SELECT hit_at, host, os_name, os_version, os_variant, os_arch, sys_age, repo_tag, repo_arch
               FROM countme.hits h ORDER BY h::text COLLATE "C" """
        )

    def totals(self) -> list[tuple]:
        return self.rows("SELECT * FROM countme.weekly_totals t ORDER BY t::text")

    def everything(self) -> dict[str, list[tuple]]:
        """The room's tables, with files in place of source ids: equal for equal input."""
        return {
            "hits": self.rows(
                """SELECT hit_at, host, os_name, os_version, os_variant, os_arch, sys_age, repo_tag, repo_arch,
                          site, day, log_host, byte_offset
                   FROM countme.hits h ORDER BY site, day, log_host, byte_offset"""
            ),
            "verdicts": self.rows(
                """SELECT site, day, host, verdict, v.lines
                   FROM countme.verdicts v JOIN countme.sources USING (source_id) ORDER BY site, day, host, verdict"""
            ),
            "quarantine": self.rows(
                """SELECT site, day, host, byte_offset, verdict, line
                   FROM countme.quarantine JOIN countme.sources USING (source_id)
                   ORDER BY site, day, host, byte_offset"""
            ),
            "repeats": self.rows(
                """SELECT site, day, host, byte_offset FROM countme.repeats JOIN countme.sources USING (source_id)
                   ORDER BY site, day, host, byte_offset"""
            ),
            "spans": self.rows(
                """SELECT site, day, host, hit_day, d.hits, oldest_at, newest_at
                   FROM countme.source_days d JOIN countme.sources USING (source_id)
                   ORDER BY site, day, host, hit_day"""
            ),
            "totals": self.totals(),
            "weeks": self.rows(
                "SELECT site, week, status, coverage, missing, hits FROM countme.weeks ORDER BY site, week"
            ),
        }

    def rows(self, statement: str) -> list[tuple]:
        with self.database.transaction() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def _register(self, day: date, host: str, site: str, state: str, name: str | None, sha256: str | None) -> None:
        row = {"day": day, "host": host, "site": site, "state": state, "name": name, "sha256": sha256}
        row |= {"at": noon(day) + timedelta(days=1), "error": None if name else "404"}
        with self.database.transaction() as cursor:
            cursor.execute(_REGISTER, row)
