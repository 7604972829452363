"""Versions and their builds from the releases feed: betas, rapid betas with their parent, ESR, sunset. Pure.

Each release counts as of the day the feed saw it (`load_day`), never by the clock of the machine: the same feed
gives the same versions whenever it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import groupby

from stats_assets.crashes.maps import Maps, Product
from stats_assets.crashes.releases import Release, major_sort, version_sort

_NEW_DAYS = 30  # a release is entered while its build is younger than this
_LONG_LIVED = {"release", "esr"}
_SUNSET = {True: timedelta(weeks=18), False: timedelta(weeks=9)}


@dataclass(frozen=True)
class Version:
    """A counted version. Active from `build_date` to `sunset_date`, both included."""

    product_name: str
    version_string: str
    channel: str
    release_version: str
    beta_number: int | None
    build_date: date
    sunset_date: date
    is_rapid_beta: bool
    has_builds: bool | None
    rapid_beta_parent: str | None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.product_name, self.version_string, self.channel

    @property
    def major_version(self) -> str:
        major, minor = major_sort(self.release_version)
        return f"{major}.{minor}"

    @property
    def version_sort(self) -> str:
        return version_sort(self.release_version, self.beta_number)


@dataclass(frozen=True, order=True)
class Build:
    """A build of a version, which is named by its key."""

    version: tuple[str, str, str]
    build_id: int
    platform: str
    repository: str


@dataclass
class Known:
    """All versions and builds so far."""

    versions: dict[tuple[str, str, str], Version] = field(default_factory=dict)
    builds: set[Build] = field(default_factory=set)


def known_versions(releases: Iterable[Release], maps: Maps) -> Known:
    """What the releases make known, day by day as the feed saw them."""
    known = Known()
    for day, seen in groupby(sorted(releases, key=lambda r: r.load_day), key=lambda r: r.load_day):
        _enter(known, [entry for release in seen for entry in _accepted(release, day, maps)])
    return known


@dataclass(frozen=True)
class _Entry:
    """A release under the product it counts for; `is_rapid`: its betas are summed up."""

    release: Release
    product_name: str
    channel: str
    is_rapid: bool

    @property
    def version_string(self) -> str:
        number = self.release.beta_number
        return f"{self.release.version}b{number}" if number else self.release.version


def _accepted(release: Release, day: date, maps: Maps) -> list[_Entry]:
    entries = []
    for product in maps.products:
        if product.release_name.lower() == release.release_name.lower() and _is_counted(release, product, day, maps):
            name = _renamed(release, maps) or product.name
            is_esr = release.channel == "release" and release.version.endswith("esr")
            channel = "esr" if is_esr else release.channel
            is_rapid = channel == "beta" and major_sort(release.version) >= major_sort(product.rapid_beta_version)
            entries.append(_Entry(release, name, channel, is_rapid))
    return entries


def _is_counted(release: Release, product: Product, day: date, maps: Maps) -> bool:
    return (
        release.repository in maps.release_repositories
        and release.build_date > day - timedelta(days=_NEW_DAYS)
        and _fits(release.version, release.channel)
        and major_sort(release.version) >= major_sort(product.rapid_release_version)
    )


def _fits(version: str, channel: str) -> bool:
    if version.endswith("a1"):
        return channel == "nightly"
    if version.endswith("a2"):
        return channel == "aurora"
    if version.endswith("esr"):
        return channel in _LONG_LIVED
    return "a" not in version and "esr" not in version and channel in ("beta", "release")


def _renamed(release: Release, maps: Maps) -> str | None:
    for special in maps.special_platforms:
        same = (special.platform, special.repository, special.channel, special.release_name.lower()) == (
            release.platform,
            release.repository,
            release.channel,
            release.release_name.lower(),
        )
        if same and major_sort(release.version) >= major_sort(special.min_version):
            return special.product_name
    return None


def _enter(known: Known, entries: Sequence[_Entry]) -> None:
    """Versions are only added: a build of a known version is appended and changes none of its dates."""
    for entry in sorted(entries, key=lambda e: e.release.build_id):
        parent = _parent(entry) if entry.is_rapid else None
        if parent:
            parent = known.versions.setdefault(parent.key, parent)
        version = _version(entry, parent)
        version = known.versions.setdefault(version.key, version)
        known.builds.add(Build(version.key, entry.release.build_id, entry.release.platform, entry.release.repository))


def _version(entry: _Entry, parent: Version | None) -> Version:
    build_date = entry.release.build_date
    sunset = parent.sunset_date if parent else build_date + _SUNSET[entry.channel in _LONG_LIVED]
    return Version(
        product_name=entry.product_name,
        version_string=entry.version_string,
        channel=entry.channel,
        release_version=entry.release.version,
        beta_number=entry.release.beta_number,
        build_date=build_date,
        sunset_date=sunset,
        is_rapid_beta=False,
        has_builds=None if parent else entry.channel in ("aurora", "nightly"),
        rapid_beta_parent=parent.version_string if parent else None,
    )


def _parent(entry: _Entry) -> Version:
    own = _version(entry, None)
    return replace(own, version_string=f"{entry.release.version}b", beta_number=0, is_rapid_beta=True, has_builds=True)
