"""A day's feed of active installs as rows of crashes.active_daily_installs. Pure.

Nine columns, with commas or tabs, with or without a line of names: report_date, product_name, product_os_platform,
product_os_version, product_version, build, build_channel, product_guid, count. Values are percent-decoded and freed
of control characters; a line that lacks one is no install.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import unquote

from stats_assets.crashes.maps import Maps, bare_id

FEED_COLUMNS = 9
COLUMNS = (
    "day",
    "product_name",
    "product",
    "os_platform",
    "os_name",
    "os_version",
    "version",
    "build",
    "build_date",
    "product_guid",
    "feed_channel",
    "channel",
    "installs",
)
_MAX_COUNT = 10**12
_LONGEST_LINE = 2000  # bytes: they are a key, which must fit into a third of a page of an index
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BUILD = re.compile(r"\d{10,}", re.ASCII)

Key = tuple[str, ...]
_GUID = 5  # its place in a key


@dataclass(frozen=True)
class BadLine:
    """A line of the feed that is no install, with the reason."""

    place: int
    reason: str
    sample: str


@dataclass
class Installs:
    """The feed of one day: installs by the feed's own columns, what could not be read, lines, those not mapped."""

    day: date
    counts: Counter[Key] = field(default_factory=Counter)
    bad: list[BadLine] = field(default_factory=list)
    lines: int = 0
    unmapped: int = 0


def read_installs(found: Installs, lines: Iterable[str], maps: Maps) -> None:
    """Adds a file's lines to the day's. Products whose id is in no map are counted as unmapped and left out."""
    for place, line in enumerate(lines, start=1):
        if not line.strip() or (place == 1 and "report_date" in line):
            continue
        found.lines += 1
        try:
            key, count = _install(line, found.day)
        except ValueError as error:
            found.bad.append(BadLine(place, str(error), line))
            continue
        if bare_id(key[_GUID]) in maps.product_of_id:
            found.counts[key] += count
        else:
            found.unmapped += 1


def rows(installs: Installs, maps: Maps) -> Iterator[tuple[object, ...]]:
    """Rows in the order of COLUMNS. Equal keys are summed up; zeros stay: they are not the same as no line."""
    for key, count in sorted(installs.counts.items()):
        product_name, platform, os_version, version, build, guid, feed_channel = key
        product = maps.product_of_id[bare_id(guid)]
        yield (
            *(installs.day, product_name, product, platform, maps.os_name_of(platform), os_version, version, build),
            *(_build_date(build), guid, feed_channel, _channel(feed_channel), count),
        )


def _install(line: str, day: date) -> tuple[Key, int]:
    values = _values(line)
    if len(values) != FEED_COLUMNS:
        raise ValueError(f"it has {len(values)} columns instead of {FEED_COLUMNS}")
    cleaned = [_CONTROL.sub("", unquote(value)).strip() for value in values]
    if not all(cleaned):
        raise ValueError("a value is missing")
    if len("".join(cleaned).encode()) > _LONGEST_LINE:
        raise ValueError(f"its values are longer than {_LONGEST_LINE} bytes")
    if cleaned[0] != day.isoformat():
        raise ValueError("report_date is of another day")
    if not (cleaned[8].isascii() and cleaned[8].isdigit()) or int(cleaned[8]) > _MAX_COUNT:
        raise ValueError("count is no number of installs")
    product_name, platform, os_version, version, build, channel, guid = cleaned[1:8]
    return (product_name, platform, os_version, version, build, guid, channel), int(cleaned[8])


def _values(line: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter="\t" if "\t" in line else ","))
    except csv.Error as error:
        raise ValueError(f"it is no CSV: {error}") from error


def _channel(feed_channel: str) -> str:
    return "release" if feed_channel.lower().startswith("release") else feed_channel


def _build_date(build: str) -> date | None:
    """Only builds of ten digits and more are dated."""
    if not _BUILD.fullmatch(build):
        return None
    try:
        return date(int(build[:4]), int(build[4:6]), int(build[6:8]))
    except ValueError:
        return None
