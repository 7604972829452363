"""The mapping CSV files, columns by name, as `Maps`. Pure.

Operators edit these files: a mistake in one is a ConfigurationMistake that names file, line and what is wrong.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import TypeVar

from stats_assets.crashes.maps import UNKNOWN_OS, CrashType, Maps, Product, SpecialPlatform, UptimeLevel, bare_id
from stats_assets.crashes.releases import major_sort
from stats_assets.shared.failures import ConfigurationMistake

FILES = (
    "products.csv",
    "product_productid_map.csv",
    "special_product_platforms.csv",
    "product_build_types.csv",
    "release_repositories.csv",
    "os_names.csv",
    "os_name_matches.csv",
    "windows_versions.csv",
    "uptime_levels.csv",
    "crash_types.csv",
)
# May be absent: the versions an operator wants to see first.
OPTIONAL_FILES = ("featured_versions.csv",)

_INTERVAL = re.compile(r"(?:(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d)|(?P<years>\d+) years?)", re.ASCII)
# As intervals compare in PostgreSQL, where the limit comes from: twelve months of thirty days.
_YEAR_SECONDS = 360 * 86_400

_Value = TypeVar("_Value")


def parse_maps(texts: Mapping[str, str], place: str) -> Maps:
    """The maps from the texts of FILES by name. Raises ConfigurationMistake."""

    def rows(name: str, *keys: tuple[str, ...]) -> Iterator[_Row]:
        return _rows(f"{place.rstrip('/')}/{name}", texts.get(name, ""), keys)

    os_short_names = {r["os_name"]: r["os_short_name"] for r in rows("os_names.csv", ("os_name",))}
    if UNKNOWN_OS not in os_short_names:
        raise ConfigurationMistake(
            f"{place}/os_names.csv: lacks {UNKNOWN_OS!r}, which all other systems are counted as"
        )
    return Maps(
        products=tuple(map(_product, rows("products.csv", ("product_name",)))),
        product_of_id={r["productid"]: r["product_name"] for r in rows("product_productid_map.csv", ("productid",))},
        special_platforms=tuple(map(_special_platform, rows("special_product_platforms.csv"))),
        throttles={
            (r["product_name"], r["build_type"]): r.value("throttle", _share)
            for r in rows("product_build_types.csv", ("product_name", "build_type"))
        },
        release_repositories=frozenset(r["repository"] for r in rows("release_repositories.csv")),
        os_short_names=os_short_names,
        os_patterns=tuple(
            (r.one_of("os_name", os_short_names, "os_names.csv"), r["match_string"])
            for r in rows("os_name_matches.csv")
        ),
        windows_versions={
            (r.value("major_version", int), r.value("minor_version", int)): r["windows_version_name"]
            for r in rows("windows_versions.csv", ("major_version", "minor_version"))
        },
        uptime_levels=_apart([_uptime_level(r) for r in rows("uptime_levels.csv", ("uptime_string",))]),
        crash_types=tuple(
            map(_crash_type, rows("crash_types.csv", ("crash_type_short",), ("process_type", "has_hang_id")))
        ),
        featured=frozenset((r["product_name"], r["version_string"]) for r in rows("featured_versions.csv")),
    )


# Values that are told apart without what does not matter in them: case, braces around an id.
_FOLDED: Mapping[str, Callable[[str], str]] = {
    "productid": bare_id,
    "build_type": str.lower,
    "process_type": str.lower,
    "has_hang_id": lambda text: _BOOLEANS.get(text.lower(), text),
    "include_agg": lambda text: _BOOLEANS.get(text.lower(), text),
}
_BOOLEANS = {"true": "t", "t": "t", "false": "f", "f": "f"}


class _Row:
    """A row that names its file and line when a column is missing or not what it should be."""

    def __init__(self, place: str, values: Mapping[str, str]) -> None:
        self._place = place
        self._values = values

    def __getitem__(self, column: str) -> str:
        value = self._values.get(column)
        if value is None:
            raise self.wrong(f"has no column {column}; its columns are {', '.join(map(str, self._values))}")
        return _FOLDED.get(column, str)(value)

    def value(self, column: str, kind: Callable[[str], _Value]) -> _Value:
        try:
            return kind(self[column])
        except (ValueError, InvalidOperation) as error:
            raise self.wrong(f"{column} is {self[column]!r}, which is no such value") from error

    def one_of(self, column: str, known: Mapping[str, object], where: str) -> str:
        if self[column] not in known:
            raise self.wrong(f"{column} is {self[column]!r}, which {where} does not have")
        return self[column]

    def wrong(self, what: str) -> ConfigurationMistake:
        return ConfigurationMistake(f"{self._place}: {what}")


def _rows(place: str, text: str, keys: tuple[tuple[str, ...], ...]) -> Iterator[_Row]:
    """The file's rows; no two may have the same values in the columns of one of `keys`."""
    reader = csv.DictReader(io.StringIO(text.replace("\0", "")))
    seen: dict[tuple[str, ...], int] = {}
    try:
        for values in reader:
            row = _Row(f"{place}:{reader.line_num}", values)
            for columns in keys:
                key = (*columns, *(row[column] for column in columns))
                if key in seen:
                    told = ", ".join(f"{column} {row[column]!r}" for column in columns)
                    raise row.wrong(f"{told} was there before, in line {seen[key]}; take one of them out")
                seen[key] = reader.line_num
            yield row
    except csv.Error as error:
        raise ConfigurationMistake(f"{place}:{reader.reader.line_num}: is no CSV: {error}") from error


def _product(row: _Row) -> Product:
    for column in ("rapid_release_version", "rapid_beta_version"):
        row.value(column, major_sort)
    return Product(row["product_name"], row["release_name"], row["rapid_release_version"], row["rapid_beta_version"])


def _special_platform(row: _Row) -> SpecialPlatform:
    row.value("min_version", major_sort)
    return SpecialPlatform(
        platform=row["platform"],
        repository=row["repository"],
        channel=row["release_channel"],
        release_name=row["release_name"],
        product_name=row["product_name"],
        min_version=row["min_version"],
    )


def _crash_type(row: _Row) -> CrashType:
    return CrashType(
        row["crash_type_short"],
        row["process_type"],
        row.value("has_hang_id", _boolean),
        row.value("include_agg", _boolean),
    )


def _uptime_level(row: _Row) -> tuple[_Row, UptimeLevel]:
    level = UptimeLevel(row["uptime_string"], row.value("min_uptime", _seconds), row.value("max_uptime", _seconds))
    if level.from_seconds >= level.to_seconds:
        raise row.wrong(f"min_uptime {row['min_uptime']} is not before max_uptime {row['max_uptime']}")
    return row, level


def _apart(levels: list[tuple[_Row, UptimeLevel]]) -> tuple[UptimeLevel, ...]:
    """The levels as they came. Where two overlap, crashes would count twice."""
    ordered = sorted(levels, key=lambda each: each[1].from_seconds)
    for (_, before), (row, level) in pairwise(ordered):
        if level.from_seconds < before.to_seconds:
            raise row.wrong(f"{level.label!r} overlaps {before.label!r}")
    return tuple(level for _, level in levels)


def _boolean(text: str) -> bool:
    if text not in ("t", "f"):
        raise ValueError(text)
    return text == "t"


def _share(text: str) -> Decimal:
    share = Decimal(text)
    if not 0 < share <= 1:
        raise ValueError(text)
    return share


def _seconds(text: str) -> int:
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise ValueError(text)
    if match["years"]:
        return int(match["years"]) * _YEAR_SECONDS
    return int(match["hours"]) * 3600 + int(match["minutes"]) * 60 + int(match["seconds"])
