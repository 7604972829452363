"""The mapping CSV files as values: products, product ids, operating systems, crash types and so on. Pure.

Each file is data an operator edits; a mistake in one is a ConfigurationMistake that names file and line.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import TypeVar

from stats_assets.shared.failures import ConfigurationMistake

_Value = TypeVar("_Value")

UNKNOWN_OS = "Unknown"
OTHER_CRASH_TYPE = "other"
CHANNELS = ("release", "esr", "aurora", "beta", "nightly")
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

_INTERVAL = re.compile(r"(?:(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d)|(?P<years>\d+) years?)")
# As intervals compare in PostgreSQL, where the limit comes from: twelve months of thirty days.
_YEAR_SECONDS = 360 * 86_400


@dataclass(frozen=True)
class Product:
    """`rapid_beta_version`: betas from it on are summed up under a parent; 999.0 means never."""

    name: str
    release_name: str
    rapid_release_version: str
    rapid_beta_version: str


@dataclass(frozen=True)
class SpecialPlatform:
    """Releases of this platform, repository, name and channel from `min_version` on are another product's."""

    platform: str
    repository: str
    channel: str
    release_name: str
    product_name: str
    min_version: str


@dataclass(frozen=True)
class CrashType:
    """A process type with or without a hang id, and whether it belongs to the crash rates."""

    short_name: str
    process_type: str
    is_hang: bool
    is_in_rates: bool


@dataclass(frozen=True)
class UptimeLevel:
    label: str
    from_seconds: int
    to_seconds: int


@dataclass(frozen=True)
class Maps:
    """All maps of the room."""

    products: tuple[Product, ...]
    product_of_id: Mapping[str, str]  # ids without braces
    special_platforms: tuple[SpecialPlatform, ...]
    throttles: Mapping[tuple[str, str], Decimal]
    release_repositories: frozenset[str]
    os_short_names: Mapping[str, str]
    os_patterns: tuple[tuple[str, str], ...]  # name, SQL LIKE pattern
    windows_versions: Mapping[tuple[int, int], str]
    uptime_levels: tuple[UptimeLevel, ...]
    crash_types: tuple[CrashType, ...]
    featured: frozenset[tuple[str, str]]

    @cached_property
    def product_names(self) -> frozenset[str]:
        """In lower case."""
        return frozenset(product.name.lower() for product in self.products)

    @cached_property
    def _matchers(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        return tuple((name, _like(pattern)) for name, pattern in self.os_patterns)

    @cached_property
    def _crash_type_names(self) -> dict[tuple[str, bool], str]:
        return {(each.process_type, each.is_hang): each.short_name for each in self.crash_types}

    def os_name_of(self, text: str) -> str:
        """The first operating system whose pattern matches, so that two patterns never count twice."""
        return next((name for name, matcher in self._matchers if matcher.fullmatch(text)), UNKNOWN_OS)

    def digest(self) -> str:
        """Differs when any map does."""
        fields = {name: value for name, value in vars(self).items() if name in self.__dataclass_fields__}
        parts = {name: sorted(map(repr, value)) for name, value in fields.items() if isinstance(value, frozenset)}
        return hashlib.sha256(repr({**fields, **parts}).encode()).hexdigest()[:32]

    def crash_type_of(self, process_type: str, is_hang: bool) -> str:
        return self._crash_type_names.get((process_type, is_hang), OTHER_CRASH_TYPE)


def parse_maps(texts: Mapping[str, str], place: str) -> Maps:
    """The maps from the texts of FILES by name. Raises ConfigurationMistake naming file, line and problem."""

    def rows(name: str) -> Iterator[_Row]:
        return _rows(f"{place.rstrip('/')}/{name}", texts.get(name, ""))

    return Maps(
        products=tuple(
            Product(r["product_name"], r["release_name"], r["rapid_release_version"], r["rapid_beta_version"])
            for r in rows("products.csv")
        ),
        product_of_id={bare_id(r["productid"]): r["product_name"] for r in rows("product_productid_map.csv")},
        special_platforms=tuple(
            SpecialPlatform(
                platform=r["platform"],
                repository=r["repository"],
                channel=r["release_channel"],
                release_name=r["release_name"],
                product_name=r["product_name"],
                min_version=r["min_version"],
            )
            for r in rows("special_product_platforms.csv")
        ),
        throttles={
            (r["product_name"], r["build_type"].lower()): r.value("throttle", _share)
            for r in rows("product_build_types.csv")
        },
        release_repositories=frozenset(r["repository"] for r in rows("release_repositories.csv")),
        os_short_names={r["os_name"]: r["os_short_name"] for r in rows("os_names.csv")},
        os_patterns=tuple((r["os_name"], r["match_string"]) for r in rows("os_name_matches.csv")),
        windows_versions={
            (r.value("major_version", int), r.value("minor_version", int)): r["windows_version_name"]
            for r in rows("windows_versions.csv")
        },
        uptime_levels=tuple(
            UptimeLevel(r["uptime_string"], r.value("min_uptime", _seconds), r.value("max_uptime", _seconds))
            for r in rows("uptime_levels.csv")
        ),
        crash_types=tuple(
            CrashType(
                r["crash_type_short"],
                r["process_type"].lower(),
                r.value("has_hang_id", _boolean),
                r.value("include_agg", _boolean),
            )
            for r in rows("crash_types.csv")
        ),
        featured=frozenset((r["product_name"], r["version_string"]) for r in rows("featured_versions.csv")),
    )


def bare_id(product_id: str) -> str:
    """A product id without the braces some write around it."""
    return product_id.strip().removeprefix("{").removesuffix("}")


class _Row:
    """A row that names its file and line when a column is missing or not what it should be."""

    def __init__(self, place: str, values: dict[str, str]) -> None:
        self._place = place
        self._values = values

    def __getitem__(self, column: str) -> str:
        value = self._values.get(column)
        if value is None:
            raise ConfigurationMistake(f"{self._place}: has no column {column}; its columns are {list(self._values)}")
        return value

    def value(self, column: str, kind: Callable[[str], _Value]) -> _Value:
        try:
            return kind(self[column])
        except (ValueError, InvalidOperation) as error:
            raise ConfigurationMistake(
                f"{self._place}: {column} is {self[column]!r}, which is no such value"
            ) from error


def _rows(place: str, text: str) -> Iterator[_Row]:
    reader = csv.DictReader(io.StringIO(text))
    return (_Row(f"{place}:{reader.line_num}", values) for values in reader)


def _like(pattern: str) -> re.Pattern[str]:
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(c, re.escape(c)) for c in pattern), re.IGNORECASE | re.DOTALL)


def _boolean(text: str) -> bool:
    known = {"true": True, "t": True, "false": False, "f": False}
    if text.lower() not in known:
        raise ValueError(text)
    return known[text.lower()]


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
