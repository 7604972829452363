"""Versions and maps in the database, replaced as a whole; maps and releases as they are read from their feeds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from stats_assets.crashes import sql
from stats_assets.crashes.config import CrashesConfig
from stats_assets.crashes.feeds import Feed, FeedAway, patiently, shown
from stats_assets.crashes.map_files import FILES, OPTIONAL_FILES, parse_maps
from stats_assets.crashes.maps import Maps
from stats_assets.crashes.releases import BadRelease, parse_releases
from stats_assets.crashes.versions import Known, known_versions
from stats_assets.shared.bulk_load import copy_text
from stats_assets.shared.postgres import Cursor, StatsDatabase, lock_slice

_ANY_DAY = date(2000, 1, 1)  # maps and releases are not of a day


@dataclass(frozen=True)
class VersionsReport:
    """What the releases feed gave."""

    versions: int
    builds: int
    releases: int
    bad: list[BadRelease]


def read_maps(config: CrashesConfig) -> Maps:
    """The maps as they are now. Raises FeedAway when a file is missing, ConfigurationMistake when one is wrong."""
    folder = Feed(config, config.feed("maps"))
    texts = {name: _text(config, folder.inside(_ANY_DAY, name)) for name in FILES}
    for name in OPTIONAL_FILES:
        optional = folder.inside(_ANY_DAY, name)
        if optional.files_or_none(_ANY_DAY):
            texts[name] = _text(config, optional)
    return parse_maps(texts, shown(config.feed("maps")))


def replace_versions(database: StatsDatabase, config: CrashesConfig, maps: Maps) -> VersionsReport:
    """Makes all versions and the maps of the database anew from the releases feed, in one transaction."""
    text = _text(config, Feed(config, config.feed("releases_feed")))
    releases, bad = parse_releases(text)
    known = known_versions(releases, maps)
    if not known.versions:
        raise FeedAway(
            f"{shown(config.feed('releases_feed'))}: of {len(releases)} releases none is of a product of the maps;"
            " the versions stay as they were"
        )
    with database.transaction() as cursor:
        lock_slice(cursor, "crashes.product_versions", "all")
        _write_versions(cursor, known, maps)
        _write_maps(cursor, maps)
        cursor.execute(sql.KEEP_RELEASE_FEED, {"maps_version": maps.digest()})
    return VersionsReport(len(known.versions), len(known.builds), len(releases), bad)


def _text(config: CrashesConfig, feed: Feed) -> str:
    return patiently(config, lambda: "".join(feed.text(file) for file in feed.files(_ANY_DAY)))


def _write_versions(cursor: Cursor, known: Known, maps: Maps) -> None:
    cursor.execute(sql.DELETE_VERSIONS)
    columns = (
        *("product_name", "version_string", "channel", "release_version", "major_version", "beta_number"),
        *("version_sort", "build_date", "sunset_date", "is_rapid_beta", "has_builds", "rapid_beta_parent"),
        "is_featured",
    )
    rows = (
        (
            *(v.product_name, v.version_string, v.channel, v.release_version, v.major_version, v.beta_number),
            *(v.version_sort, v.build_date, v.sunset_date, v.is_rapid_beta, v.has_builds, v.rapid_beta_parent),
            (v.product_name, v.version_string) in maps.featured,
        )
        for v in known.versions.values()
    )
    copy_text(cursor, ("crashes", "product_versions"), columns, rows)
    columns = ("product_name", "version_string", "channel", "build_id", "platform", "repository")
    builds = ((*b.version, b.build_id, b.platform, b.repository) for b in sorted(known.builds))
    copy_text(cursor, ("crashes", "product_version_builds"), columns, builds)


def _write_maps(cursor: Cursor, maps: Maps) -> None:
    cursor.execute(sql.DELETE_MAPS)
    tables = {
        ("crash_types", "crash_type", "is_in_rates"): [(t.short_name, t.is_in_rates) for t in maps.crash_types],
        ("operating_systems", "os_name", "short_name"): maps.os_short_names.items(),
        ("throttles", "product_name", "channel", "throttle"): [(*key, t) for key, t in maps.throttles.items()],
        ("uptime_levels", "label", "from_seconds", "to_seconds"): [
            (level.label, level.from_seconds, level.to_seconds) for level in maps.uptime_levels
        ],
    }
    for (table, *columns), rows in tables.items():
        copy_text(cursor, ("crashes", table), columns, rows)
