from __future__ import annotations

from datetime import date

import pytest

from stats_assets.crashes.maps import parse_maps
from stats_assets.crashes.versions import Known, known_versions, parse_releases, version_sort
from stats_assets.shared.failures import ConfigurationMistake
from tests.crashes.world import MAPS

HEAD = "product_name,version,platform,build_id,update_channel,beta_number,repository,version_build,load_day\n"


def known(*lines: str, **changed: str) -> Known:
    releases, bad = parse_releases(HEAD + "\n".join(lines))
    assert bad == []
    return known_versions(releases, parse_maps(MAPS | changed, "maps"))


def strings(found: Known) -> set[str]:
    return {f"{v.version_string} {v.channel}" for v in found.versions.values()}


@pytest.mark.parametrize(
    ("version", "beta", "expected"),
    [
        ("45.0", None, "045000000r000"),
        ("45.0", 3, "045000000b003"),
        ("38.6.0esr", None, "038006000x000"),
        ("44.0.2", None, "044000002r000"),
        ("47.0a1", None, "047000000a001"),
    ],
)
def test_versions_sort_as_they_follow_each_other(version: str, beta: int | None, expected: str):
    assert version_sort(version, beta) == expected


def test_a_rapid_beta_has_a_parent_and_its_sunset():
    found = known(
        "owl,11.0,win32,20260301000000,beta,1,beta,b,20260301", "owl,11.0,win32,20260308000000,beta,2,beta,b,20260308"
    )
    assert strings(found) == {"11.0b beta", "11.0b1 beta", "11.0b2 beta"}
    # Nine weeks after the first beta's build, for all of them.
    assert {v.sunset_date for v in found.versions.values()} == {date(2026, 5, 3)}
    assert found.versions["Owl", "11.0b2", "beta"].build_date == date(2026, 3, 8)


def test_a_beta_without_a_number_does_not_stand_in_the_way_of_the_release():
    found = known(
        "owl,4.0,win32,20260301000000,beta,,beta,b,20260301",
        "owl,4.0,win32,20260308000000,release,,release,b,20260308",
        **{"products.csv": MAPS["products.csv"].replace("5.0,owl,5.0", "1.0,owl,999.0")},
    )
    assert strings(found) == {"4.0 beta", "4.0 release"}


def test_what_does_not_fit_its_channel_or_is_old_or_of_nobody_is_left_out():
    found = known(
        "owl,12.0a1,win32,20260301000000,beta,4,beta,b,20260301",
        "owl,12.0a1,win32,20260301000000,nightly-x,,dev,b,20260301",
        "owl,10.0,win32,20260130000000,release,,release,b,20260301",  # built 30 days before
        "owl,10.1,win32,20260301000000,release,,try,b,20260301",
        "owl,3.6,win32,20260301000000,release,,release,b,20260301",
        "elk,10.0,win32,20260301000000,release,,release,b,20260301",
        "OWL,10.2,win32,20260131000000,release,,release,b,20260301",  # built 29 days before
    )
    assert strings(found) == {"10.2 release"}


def test_later_builds_are_appended_and_change_no_date():
    found = known(
        "owl,10.0,win32,20260301000000,release,,release,b,20260301",
        "owl,10.0,mac,20260305000000,release,,release,b,20260305",
    )
    assert found.versions["Owl", "10.0", "release"].build_date == date(2026, 3, 1)
    assert len(found.builds) == 2


def test_a_release_of_a_special_platform_is_another_product():
    special = MAPS["special_product_platforms.csv"] + "android,release,release,owl,Owlet,5.0\n"
    found = known(
        "owl,10.0,android,20260301000000,release,,release,b,20260301", **{"special_product_platforms.csv": special}
    )
    assert list(found.versions) == [("Owlet", "10.0", "release")]


def test_long_lived_releases_have_a_channel_of_their_own_and_stay_18_weeks():
    found = known("owl,10.2.0esr,win32,20260301000000,release,,release,b,20260301")
    version = found.versions["Owl", "10.2.0esr", "esr"]
    assert version.sunset_date == date(2026, 7, 5)


def test_odd_lines_of_the_feed_are_told_and_left_out():
    _, bad = parse_releases(HEAD + "owl,ten,win32,20260301000000,release,,release,b,20260301\nowl,10.0\n")
    assert [each.place for each in bad] == [2, 3]


def test_a_wrong_map_is_told_with_file_and_line():
    with pytest.raises(ConfigurationMistake, match=r"maps/product_build_types.csv:2: throttle is '7'"):
        parse_maps(MAPS | {"product_build_types.csv": "product_name,build_type,throttle\nOwl,release,7\n"}, "maps")
    with pytest.raises(ConfigurationMistake, match=r"products.csv:2: has no column release_name"):
        parse_maps(MAPS | {"products.csv": "product_name\nOwl\n"}, "maps")
