"""What an operator's maps say: products, product ids, operating systems, crash types and so on. Pure.

The files they are read from are `map_files`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

UNKNOWN_OS = "Unknown"
OTHER_CRASH_TYPE = "other"


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


def bare_id(product_id: str) -> str:
    """A product id without the braces some write around it."""
    return product_id.strip().removeprefix("{").removesuffix("}")


def _like(pattern: str) -> re.Pattern[str]:
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(c, re.escape(c)) for c in pattern), re.IGNORECASE | re.DOTALL)
