"""The releases feed: one CSV line per build of a version on a platform. Pure.

Columns by name: product_name (the release name), version, platform, build_id (YYYYMMDDhhmmss), update_channel,
repository; may be absent: beta_number, load_day (when the feed saw it). What they make known is `versions`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

_COLUMNS = ("product_name", "version", "platform", "build_id", "update_channel", "repository")
_LONGEST_TEXT = 100  # they are parts of keys, and no name of theirs comes near
_FIRST_YEAR, _LAST_YEAR = 1990, 2200
_HIGHEST_BETA = 999  # three digits is what sorting has for it
_VERSION = re.compile(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?", re.ASCII)
_LETTER = re.compile(r"([a-z])(\d+)$", re.ASCII)
_BUILD = re.compile(r"\d{8,18}", re.ASCII)


@dataclass(frozen=True)
class Release:
    """A line of the feed: one build of a version on one platform."""

    release_name: str
    version: str
    platform: str
    build_id: int
    channel: str
    beta_number: int | None
    repository: str
    build_date: date
    load_day: date


@dataclass(frozen=True)
class BadRelease:
    """A line of the feed that is no release, with the reason."""

    place: int
    reason: str


def parse_releases(text: str) -> tuple[list[Release], list[BadRelease]]:
    """The feed's lines, good and bad. Where it has no load_day, a release was seen on the day it was built."""
    good: list[Release] = []
    bad: list[BadRelease] = []
    for place, row in _rows(text):
        try:
            if isinstance(row, csv.Error):
                raise ValueError(str(row))
            good.append(_release(row))
        except ValueError as error:
            bad.append(BadRelease(place, f"not a release: {error}"))
    return good, bad


def major_sort(version: str) -> tuple[int, int]:
    """First and second number; an absent one is 0. Raises ValueError when there is no number in front."""
    match = _VERSION.match(version)
    if match is None:
        raise ValueError(f"{version!r} begins with no number")
    return int(match[1]), int(match[2] or 0)


def version_sort(version: str, beta_number: int | None) -> str:
    """Text that sorts as versions follow each other: alphas, betas, the release, its long-lived branch."""
    match = _VERSION.match(version)
    numbers = [int(n or 0) for n in match.groups()] if match else [0, 0, 0]
    tail = version[match.end() :] if match else ""
    letter = _LETTER.search(tail)
    if tail == "esr":
        suffix = "x000"
    elif letter:
        suffix = f"{letter[1]}{int(letter[2]):03d}"
    elif beta_number:
        suffix = f"b{beta_number:03d}"
    else:
        suffix = "r000"
    return "".join(f"{n:03d}" for n in numbers) + suffix


def _rows(text: str) -> Iterator[tuple[int, dict[str, str] | csv.Error]]:
    """Line number and columns; a line that is no CSV is an error among the others."""
    reader = csv.DictReader(io.StringIO(text.replace("\0", "")))
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.reader.line_num, error
        else:
            yield reader.line_num, row


def _release(row: dict[str, str]) -> Release:
    """Raises ValueError."""
    texts = {column: row.get(column) or "" for column in _COLUMNS}
    missing = [column for column, text in texts.items() if not text]
    if missing:
        raise ValueError(f"it has no {', '.join(missing)}")
    if too_long := [column for column, text in texts.items() if len(text) > _LONGEST_TEXT]:
        raise ValueError(f"longer than {_LONGEST_TEXT} characters: {', '.join(too_long)}")
    major_sort(texts["version"])
    build_date = _build_date(texts["build_id"])
    seen = row.get("load_day")
    return Release(
        release_name=texts["product_name"],
        version=texts["version"].lower(),  # versions are told apart without regard to case
        platform=texts["platform"],
        build_id=int(texts["build_id"]),
        channel=texts["update_channel"].lower(),
        beta_number=_beta_number(row.get("beta_number")),
        repository=texts["repository"],
        build_date=build_date,
        load_day=_day(seen) if seen else build_date,
    )


def _build_date(build: str) -> date:
    if not _BUILD.fullmatch(build):
        raise ValueError(f"build_id {build[:30]!r} is no YYYYMMDDhhmmss")
    return _sane(date(int(build[:4]), int(build[4:6]), int(build[6:8])))


def _beta_number(text: str | None) -> int | None:
    if not text:
        return None
    number = int(text)
    if not 0 <= number <= _HIGHEST_BETA:
        raise ValueError(f"beta_number {text} is not from 0 to {_HIGHEST_BETA}")
    return number


def _day(text: str) -> date:
    is_bare = text.isdigit() and len(text) == 8
    return _sane(date.fromisoformat(f"{text[:4]}-{text[4:6]}-{text[6:]}" if is_bare else text))


def _sane(day: date) -> date:
    """Days that weeks can be added to and taken from."""
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError(f"{day} is not in the years from {_FIRST_YEAR} to {_LAST_YEAR}")
    return day
