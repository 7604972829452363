"""The `log_sync` section of stats.yaml: which hosts write access logs, and where each keeps the file of a day."""

from __future__ import annotations

import string
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, field_validator, model_validator

from stats_assets.log_sync.urls import BY_RSYNC, OWN_SCHEMES, listed, reachable_url, scheme_of
from stats_assets.shared.compression import suffix_of
from stats_assets.shared.config import Section
from stats_assets.shared.environment import PROJECT_FOLDER
from stats_assets.shared.failures import ConfigurationMistake

_PLACEHOLDERS = {"site", "host"}
# Absolute, and nothing that rsync, ssh or a shell between them would take for more than a name.
_PLAIN_FILE = r"^/[A-Za-z0-9/._@+-]+$"
_WILD = "*?["
_BELONGS_TO = {"bandwidth_limit_kb_per_second": BY_RSYNC, "ssh_key": ("ssh",), "ssh_known_hosts": ("ssh",)}
# Days that differ in nothing but day, month or year: a path must tell each from the first.
_SOME_DAYS = (date(2024, 1, 2), date(2024, 1, 3), date(2024, 2, 2), date(2025, 1, 2))


def _daily_path(path: str) -> str:
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError("must stay below the host's url: no leading / and no ..")
    _refuse_unknown_placeholders(path)
    if len({day.strftime(path) for day in _SOME_DAYS}) < len(_SOME_DAYS):
        raise ValueError("is the same for different days; name the day, e.g. %Y/%m/%d/{site}-access.log.xz")
    return path


def _refuse_unknown_placeholders(path: str) -> None:
    """Also raises ValueError itself when a brace is left open."""
    unknown = {name for _, name, _, _ in string.Formatter().parse(path) if name is not None} - _PLACEHOLDERS
    if unknown:
        raise ValueError(f"holds {{{min(unknown)}}}; only {{site}}, {{host}} and strftime codes are replaced")


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # unknown, or a name that is a path
        raise ValueError("is no time zone; write one such as Europe/Prague") from error
    return name


def _local_folder(folder: str) -> str:
    """A relative folder is meant from the project, wherever a process happens to run."""
    return str((PROJECT_FOLDER / Path(folder)).resolve())


class HostOptions(Section):
    """How one host is to be reached, beyond its URL. Each belongs to some kinds of URL and is refused for others."""

    bandwidth_limit_kb_per_second: int | None = Field(
        default=None, ge=1, description="per transfer, in KiB; rsync: and ssh: only. As fast as it goes when absent"
    )
    parallel_downloads: int = Field(
        default=4, ge=1, le=64, description="of its files at once, within the total of log_sync.parallel_downloads"
    )
    ssh_key: str | None = Field(
        default=None,
        pattern=_PLAIN_FILE,
        description="file of the private key, without a passphrase; ssh: only. ssh's own choice when absent",
    )
    ssh_known_hosts: str | None = Field(
        default=None,
        pattern=_PLAIN_FILE,
        description="file with the host's public key; ssh: only. The user's known_hosts when absent",
    )
    # Not shown in reprs: it may hold credentials that came from the environment.
    storage_options: dict[str, Any] | None = Field(
        default=None, repr=False, description="arguments of the fsspec driver, e.g. endpoint_url; its URLs only"
    )


class LogHost(HostOptions):
    """One machine that writes access logs."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="short name, unique; also a folder name")
    # Not shown in reprs: it may hold a password that came from the environment.
    url: Annotated[str, AfterValidator(reachable_url)] = Field(
        repr=False, description="the folder its logs are below; the scheme says how to get there"
    )
    path: Annotated[str, AfterValidator(_daily_path)] = Field(
        min_length=1, description="below url; strftime codes of the partition's day, {site} and {host}"
    )
    time_zone: Annotated[str, AfterValidator(_known_zone)] = Field(
        default="UTC",
        description="zone of the dates in its file names; its file of a day is asked for when that is over",
    )
    compression: Literal["gz", "xz", "zst", "none"] | None = Field(
        default=None, description="of its files, for names that do not tell; by the path's ending when absent"
    )
    since: date | None = Field(default=None, description="first day it has a log of; always when absent")
    until: date | None = Field(default=None, description="last day it has a log of; for ever when absent")

    @model_validator(mode="after")
    def _compression_is_known(self) -> Self:
        try:
            suffix_of(self.stored_as)
        except ConfigurationMistake as error:
            raise ValueError(f"path of {self.name}: {error}; or say compression") from error
        return self

    @property
    def stored_as(self) -> str:
        """A name whose ending tells the compression of its files."""
        return (
            self.path if self.compression is None else f"x.{'log' if self.compression == 'none' else self.compression}"
        )

    @model_validator(mode="after")
    def _options_fit_the_url(self) -> Self:
        scheme = scheme_of(self.url)
        for option, schemes in _BELONGS_TO.items():
            if getattr(self, option) is not None and scheme not in schemes:
                raise ValueError(
                    f"{option} of {self.name} has no effect on {scheme}: URLs; it is for {listed(schemes)}"
                )
        if self.storage_options is not None and scheme in OWN_SCHEMES:
            raise ValueError(f"storage_options of {self.name} have no effect on {scheme}: URLs; they are fsspec's")
        if scheme in BY_RSYNC and (wild := set(_WILD) & set(unquote(urlsplit(self.url).path) + self.path)):
            raise ValueError(f"url and path of {self.name} must not hold {min(wild)}: rsync takes it for a pattern")
        return self


class Waiver(Section):
    """Days on which a host is excused: what it has not delivered is not asked for and counts as present."""

    host: str = Field(description="name of a host of log_sync.hosts")
    site: str | None = Field(default=None, description="one of log_sync.sites; all of them when absent")
    first_day: date = Field(alias="from", description="first day that is waived")
    last_day: date | None = Field(default=None, alias="to", description="last day that is waived; for ever when absent")
    reason: str = Field(min_length=1, max_length=200, description="told wherever the file is missed")

    def covers(self, day: date, host: str, site: str) -> bool:
        return host == self.host and self.site in (None, site) and self.first_day <= day <= (self.last_day or date.max)


class CombinedLogs(Section):
    """The time-ordered files over all hosts."""

    compression: Literal["zst", "gz"] = Field(default="zst", description="of new files; earlier ones stay as they are")
    level: int = Field(default=3, ge=1, le=19, description="of zstd; above 3 it takes much longer than all the rest")
    keep_days: int | None = Field(
        default=None, ge=1, description="days kept; older ones are removed and not made. All of them when absent"
    )
    reorder_seconds: int = Field(
        default=900, ge=0, description="a file whose lines step back further is sorted on disk before it is merged"
    )
    memory_mb: int = Field(default=128, ge=16, description="for lines under way; more hosts share it")
    max_undatable_share: float = Field(
        default=0.05, gt=0, lt=1, description="of a day's lines; above it the check of the asset fails"
    )


class LogSyncConfig(Section):
    """Sites times hosts times days gives the files we expect."""

    sites: list[str] = Field(default=["mirrors.fedoraproject.org"], min_length=1, description="names of web sites")
    hosts: list[LogHost] = Field(default_factory=list, description="every machine that writes logs of the sites")
    waivers: list[Waiver] = Field(default_factory=list, description="hosts and days that are excused")
    combined_logs: CombinedLogs = Field(default_factory=CombinedLogs, description="one file per site and day")
    first_day: date | None = Field(default=None, description="first daily partition; countme.first_day when absent")
    spool: Annotated[str, AfterValidator(_local_folder)] = Field(
        default=".local/spool",
        min_length=1,
        description="local folder for transfers under way; keeps broken ones, so that they can be resumed",
    )
    parallel_downloads: int = Field(
        default=8, ge=1, le=64, description="files fetched at once; hosts share the line and our disk"
    )
    attempts: int = Field(
        default=3, ge=1, le=20, description="tries per file and run; a host that restarts is back within three"
    )
    answer_timeout_seconds: float = Field(
        default=30, gt=0, le=3600, description="longest silence of a host, to connect or between two pieces of a file"
    )
    try_timeout_seconds: float = Field(
        default=3600, gt=0, description="longest time for one try of one file; what has come is kept and resumed"
    )
    total_timeout_seconds: float = Field(
        default=7200, gt=0, description="no new try of a file is begun after this time; the day fails, others go on"
    )
    max_file_bytes: int = Field(
        default=20 * 2**30, gt=0, description="largest file as stored; a larger one is a mistake or an attack"
    )
    max_content_bytes: int = Field(
        default=200 * 2**30, gt=0, description="most it may unpack to; a few bytes can be made to unpack without end"
    )
    late_window_days: int = Field(
        default=14, ge=1, le=90, description="how many days back the sensor looks for late or changed files"
    )
    check_days: int = Field(default=35, ge=1, description="how many days back the asset checks look")
    small_file_share: float = Field(
        default=0.2, gt=0, lt=1, description="a file below this share of its host's median size is told as unusual"
    )

    @field_validator("hosts")
    @classmethod
    def _names_are_unique(cls, hosts: list[LogHost]) -> list[LogHost]:
        repeated = [name for name, count in Counter(host.name for host in hosts).items() if count > 1]
        if repeated:
            raise ValueError(f"the host name {repeated[0]} is given twice; each host is fetched once")
        return hosts

    @field_validator("sites")
    @classmethod
    def _sites_are_unique_names(cls, sites: list[str]) -> list[str]:
        for site in sites:
            if not site or "/" in site or site.startswith(".") or sites.count(site) > 1:
                raise ValueError(f"the site name {site!r} is given twice or is no name; it becomes part of a file name")
        return sites

    def model_post_init(self, _context: object) -> None:
        for host in self.hosts:
            if len(self.sites) > 1 and "{site}" not in host.path:
                raise ValueError(f"the path of {host.name} must hold {{site}}, because there are several sites")
        for waiver in self.waivers:
            _refuse_unknown("host", waiver.host, [host.name for host in self.hosts])
            _refuse_unknown("site", waiver.site or self.sites[0], self.sites)

    def waiver_of(self, day: date, host: str, site: str) -> Waiver | None:
        return next((waiver for waiver in self.waivers if waiver.covers(day, host, site)), None)


def _refuse_unknown(what: str, name: str, known: list[str]) -> None:
    if name not in known:
        raise ValueError(f"waivers name the {what} {name!r}, which is not one of log_sync.{what}s ({', '.join(known)})")
