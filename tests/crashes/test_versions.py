from __future__ import annotations

from datetime import date

import pytest

from stats_assets.crashes.map_files import parse_maps
from stats_assets.crashes.releases import parse_releases, version_sort
from stats_assets.crashes.versions import Known, known_versions
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


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("owl,ten,win32,20260301000000,release,,release,b,20260301", "'ten' begins with no number"),
        ("owl,10.0", "it has no platform, build_id, update_channel, repository"),
        ("owl,10.0,win32,123,release,,release,b,20260301", "build_id '123' is no YYYYMMDDhhmmss"),
        ("owl,10.0,win32,202603010000009999999999,release,,release,b,20260301", "is no YYYYMMDDhhmmss"),
        ("owl,10.0,win32,99990301000000,release,,release,b,20260301", "9999-03-01 is not in the years"),
        ("owl,10.0,win32,20260301000000,release,,release,b,00010101", "0001-01-01 is not in the years"),
        ("owl,10.0,win32,20260301000000,beta,99999999999,beta,b,20260301", "beta_number 99999999999 is not from 0"),
        (f"owl,10.{'0' * 200},win32,20260301000000,release,,release,b,20260301", "longer than 100 characters: version"),
        ("owl,10.0\r1,win32,20260301000000,release,,release,b,20260301", "new-line character"),
    ],
)
def test_odd_lines_of_the_feed_are_told_and_left_out(line: str, reason: str):
    good = "owl,10.2,win32,20260301000000,release,,release,b,20260301"
    releases, (bad,) = parse_releases(f"{HEAD}{line}\n{good}\n")
    assert [release.version for release in releases] == ["10.2"]
    assert bad.place == 2
    assert reason in bad.reason


@pytest.mark.parametrize(
    ("name", "line", "told"),
    [
        ("product_build_types.csv", "Owl,esr,7", "product_build_types.csv:5: throttle is '7', which is no such value"),
        ("products.csv", "Elk,2", "products.csv:3: has no column rapid_release_version"),
        ("products.csv", "Elk,2,five,elk,5.0", "products.csv:3: rapid_release_version is 'five'"),
        ("products.csv", "Owl,2,5.0,owl,5.0", "products.csv:3: product_name 'Owl' was there before, in line 2"),
        ("product_productid_map.csv", "Elk,owl@example.org,f,1.0", "productid 'owl@example.org' was there before"),
        ("product_build_types.csv", "Owl,Release,0.1", "product_name 'Owl', build_type 'release' was there before"),
        ("crash_types.csv", "9,X,crash,gpu,False,C,True", "crash_type_short 'crash' was there before, in line 2"),
        ("crash_types.csv", "9,X,x,browser,f,C,True", "process_type 'browser', has_hang_id 'f' was there before"),
        ("crash_types.csv", "9,X,x,gpu,perhaps,C,True", "has_hang_id is 'perhaps'"),
        ("uptime_levels.csv", "3,more,00:02:00,00:01:00", "min_uptime 00:02:00 is not before max_uptime 00:01:00"),
        ("uptime_levels.csv", "3,more,00:02:00,00:03:00", "'more' overlaps '> 1 min'"),
        ("os_name_matches.csv", "BeOS,Be%", "os_name_matches.csv:6: os_name is 'BeOS', which os_names.csv does not"),
        ("release_repositories.csv", "a\rb", "release_repositories.csv:5: is no CSV"),
    ],
)
def test_a_wrong_map_is_told_with_file_and_line(name: str, line: str, told: str):
    with pytest.raises(ConfigurationMistake) as raised:
        parse_maps(MAPS | {name: f"{MAPS[name]}{line}\n"}, "maps")
    assert told in str(raised.value)


def test_maps_without_the_system_of_all_others_are_refused():
    with pytest.raises(ConfigurationMistake, match=r"maps/os_names.csv: lacks 'Unknown'"):
        parse_maps(MAPS | {"os_names.csv": MAPS["os_names.csv"].replace("Unknown,unknown\n", "")}, "maps")
