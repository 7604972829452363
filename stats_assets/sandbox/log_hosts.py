"""The simulated log hosts: which there are, and what each has to offer at a given moment.

The lines of a file are made in `access_log.py`; here is only where it stands and whether it is there yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

SITE = "mirrors.fedoraproject.org"
OLDEST_DAY = date(2020, 1, 1)


@dataclass(frozen=True)
class LogHost:
    """A machine that writes one log file a day and offers it as a folder or over HTTP."""

    name: str
    offered: Literal["folder", "http"]
    suffix: Literal[".gz", ".xz"]

    def file_name(self, day: date) -> str:
        """Where the file of a day stands below the host, '/'-separated."""
        return f"{day:%Y/%m/%d}/{SITE}-access.log{self.suffix}"


HOSTS = (
    LogHost("proxy01", "folder", ".gz"),
    LogHost("proxy02", "folder", ".xz"),
    LogHost("proxy03", "http", ".xz"),
    LogHost("proxy04", "http", ".gz"),
)

# What goes wrong on purpose, counted in days before today.
MISSING_HOST, MISSING_DAYS_AGO = "proxy03", 12
LATE_HOST, LATE_DAYS_AGO = "proxy04", 1


def host_named(name: str) -> LogHost | None:
    return next((host for host in HOSTS if host.name == name), None)


def missing_day(today: date) -> date:
    """The day MISSING_HOST lost; it turns up when the calendar has moved on."""
    return today - timedelta(days=MISSING_DAYS_AGO)


def late_day(today: date) -> date:
    """The day whose last lines LATE_HOST delivers late: at first its file ends early."""
    return today - timedelta(days=LATE_DAYS_AGO)


def has_file(host: LogHost, day: date, today: date) -> bool:
    """Whether the host has a file of `day`: every day that is over, but the missing one."""
    is_missing = host.name == MISSING_HOST and day == missing_day(today)
    return OLDEST_DAY <= day < today and not is_missing


def is_unfinished(host: LogHost, day: date, today: date, age_seconds: float, late_seconds: float) -> bool:
    """Whether the host has only the first part of the file yet, its world being so old."""
    return host.name == LATE_HOST and day == late_day(today) and age_seconds < late_seconds


def days_ahead(today: date, weeks: int) -> Iterator[date]:
    """The days whose files folder hosts keep, newest first."""
    return (today - timedelta(days=n) for n in range(1, weeks * 7 + 1))
