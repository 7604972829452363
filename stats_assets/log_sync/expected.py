"""Which files a day should bring, by configuration alone. Pure; whether they are there is asked elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import quote, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from stats_assets.log_sync.config import HostOptions, LogHost, LogSyncConfig
from stats_assets.shared.compression import suffix_of

_PLAIN = (".log", ".txt")


@dataclass(frozen=True)
class SourceFile:
    """A file at a host: the host's URL and a '/'-separated path below it."""

    base: str = field(repr=False)  # may hold a password
    path: str
    options: HostOptions = field(default=HostOptions(), repr=False, compare=False)

    @property
    def url(self) -> str:
        return f"{self.base}/{quote(self.path)}"

    @property
    def shown(self) -> str:
        """The URL without user and password, for tables and messages."""
        return shown(self.url)


@dataclass(frozen=True)
class ExpectedFile:
    """One host's file of one site and day.

    The day is the date in the file's name, as the host's clock shows it; `over_at` is when that day ends there, UTC.
    `waived` is the reason why we do without it, if we do.
    """

    day: date
    host: str
    site: str
    source: SourceFile
    archive_name: str
    over_at: datetime
    waived: str | None = None

    @property
    def key(self) -> tuple[date, str, str]:
        """What tells it from other files: day, host, site."""
        return self.day, self.host, self.site

    @property
    def file_name(self) -> str:
        """The last part of its name at the host."""
        return self.source.path.rsplit("/", 1)[-1]


def expected_files(config: LogSyncConfig, day: date) -> list[ExpectedFile]:
    """The files of a day, in the order of hosts and sites in stats.yaml."""
    return [
        _expected(config, host, site, day)
        for host in config.hosts
        if _is_in_service(host, day)
        for site in config.sites
    ]


def lanes(files: Sequence[ExpectedFile]) -> list[list[ExpectedFile]]:
    """The files dealt out to what may go on at the same time: at most `parallel_downloads` lanes per host."""
    by_host: dict[str, list[ExpectedFile]] = {}
    for file in files:
        by_host.setdefault(file.host, []).append(file)
    return [
        dealt[number :: dealt[0].source.options.parallel_downloads]
        for dealt in by_host.values()
        for number in range(min(len(dealt), dealt[0].source.options.parallel_downloads))
    ]


def shown(url: str) -> str:
    """A URL without user, password and query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _is_in_service(host: LogHost, day: date) -> bool:
    return (host.since or date.min) <= day <= (host.until or date.max)


def _expected(config: LogSyncConfig, host: LogHost, site: str, day: date) -> ExpectedFile:
    zone = ZoneInfo(host.time_zone)
    midnight = datetime.combine(day, time(), zone)  # codes such as %z and %s are the host's own, too
    path = midnight.strftime(host.path).format(site=site, host=host.name)
    suffix = suffix_of(host.stored_as)
    compression = "" if suffix in _PLAIN else suffix
    waiver = config.waiver_of(day, host.name, site)
    return ExpectedFile(
        day=day,
        host=host.name,
        site=site,
        source=SourceFile(host.url, path, host),
        archive_name=f"log_sync/{host.name}/{day:%Y/%m/%d}/{site}-access.log{compression}",
        over_at=datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC),
        waived=waiver.reason if waiver else None,
    )
