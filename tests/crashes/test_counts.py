"""Every figure of one day, derived by hand.

The reports of Tuesday, in the order of their numbers:
    1  release, Windows, browser, signature A, up for 30 s, while collecting garbage
    2  release, Windows, content, signature A
    3  release, Mac, browser, signature B          no installs on Mac
    4  release, Windows, plugin that hangs, A      counted, but not of the rates: its other half is
    5  release, Windows, gpu, A                    a process type the maps do not know
    6  beta 11.0b1, Windows, browser, A
    7  release, not completed                      not counted
    8  9.9, a version nobody knows                 rejected
    9  release, the last microsecond of the day, A, content
Installs: release 400 on Windows, 100 on Linux; beta 50 on Windows, 8 of its 50 of a build nobody knows; nightly 20.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.crashes.world import BETA, NIGHTLY, RELEASE, TUESDAY, World, noon, report


@pytest.fixture
def counted(world: World) -> World:
    beta = {"version": "11.0b1", "build": BETA, "release_channel": "Beta"}
    documents = [
        report(1, noon(TUESDAY), uptime=30),
        report(2, noon(TUESDAY), process_type="content"),
        report(3, noon(TUESDAY), os_name="Mac OS X", os_version="10.11.3", signature="B"),
        report(4, noon(TUESDAY), process_type="plugin", hangid="h4", hang_type=-1),
        report(5, noon(TUESDAY), process_type="gpu"),
        report(6, noon(TUESDAY), **beta),
        report(7, noon(TUESDAY), completeddatetime=None),
        report(8, noon(TUESDAY), version="9.9"),
        report(9, noon(TUESDAY, 43_200) - timedelta(microseconds=1), process_type="content"),
    ]
    world.deliver_reports(TUESDAY, documents)
    world.deliver_raw(
        TUESDAY,
        {
            documents[0]["uuid"]: {"IsGarbageCollecting": "1", "AdapterVendorID": "0x1", "AdapterDeviceID": "0x2"},
            documents[1]["uuid"]: {"AdapterVendorID": "0x1"},
        },
    )
    world.deliver_installs(
        TUESDAY,
        {
            ("Windows", "10.0", RELEASE, "release"): 300,
            ("Windows", "10.0", RELEASE, "release-cck-owls"): 100,
            ("Linux", "10.0", RELEASE, "release"): 100,
            ("Windows", "11.0", BETA, "beta"): 42,
            ("Windows", "11.0", "20260308999999", "beta"): 8,
            ("Windows", "12.0a1", NIGHTLY, "nightly"): 20,
            ("Windows", "12.0a1", NIGHTLY, "nightly-oak"): 7,
        },
    )
    world.load(TUESDAY)
    world.count(TUESDAY)
    return world


def test_rates_are_crashes_over_throttle_per_100_installs(counted: World):
    rows = counted.rows(
        """SELECT version_string, crashes, installs, throttle, crashes_per_100_installs
           FROM crashes.daily_crash_rates ORDER BY version_string"""
    )
    assert rows == [
        # Reports 1, 2, 3 and 9: 4 * 100 / 500 / 0.5. Not 4 (its hang is not of the rates), not 5 (other).
        ("10.0", 4, 500, Decimal("0.5"), Decimal("1.600")),
        # The parent of the beta has what the beta has: 1 * 100 / 42 / 0.25 = 9.5238...
        ("11.0b", 1, 42, Decimal("0.25"), Decimal("9.524")),
        ("11.0b1", 1, 42, Decimal("0.25"), Decimal("9.524")),
        # No crash, and yet a row. nightly-oak is not the nightly channel of the installs.
        ("12.0a1", 0, 20, Decimal("1.0"), Decimal("0.000")),
    ]


def test_installs_are_told_by_version_and_system(counted: World):
    rows = counted.rows("SELECT version_string, os_name, installs FROM crashes.product_adu ORDER BY 1, 2")
    # 'release-cck-owls' is the release channel: 300 + 100. The beta's unknown build belongs to no version.
    assert rows == [
        ("10.0", "Linux", 100),
        ("10.0", "Windows", 400),
        ("11.0b1", "Windows", 42),
        ("12.0a1", "Windows", 20),
    ]


def test_installs_of_young_builds_are_told_by_build_and_betas_at_their_parent(counted: World):
    rows = counted.rows("SELECT version_string, build_date::text, installs FROM crashes.build_adu ORDER BY 1")
    assert rows == [("11.0b", "2026-03-08", 42), ("12.0a1", "2026-03-09", 20)]


def test_crash_types_stand_beside_the_installs_of_their_system(counted: World):
    rows = counted.rows(
        """SELECT os_name, crash_type, crashes, installs FROM crashes.crashes_by_user
           WHERE version_string = '10.0' ORDER BY 1, 2"""
    )
    assert rows == [
        *(("Linux", kind, 0, 100) for kind in ("content", "crash", "hang-b", "oop")),  # nothing crashed there
        ("Mac OS X", "crash", 1, 0),  # report 3: nobody has it installed, and it crashed all the same
        ("Windows", "content", 2, 400),  # reports 2 and 9
        ("Windows", "crash", 1, 400),  # report 1
        ("Windows", "hang-b", 1, 400),  # report 4
        ("Windows", "oop", 0, 400),
        ("Windows", "other", 1, 400),  # report 5
    ]


def test_rates_by_system_sum_up_to_those_of_the_version(counted: World):
    rows = counted.rows(
        """SELECT os_name, crashes, installs, crashes_per_100_installs FROM crashes.crash_rates_by_os
           WHERE version_string = '10.0' ORDER BY 1"""
    )
    assert rows == [
        ("Linux", 0, 100, Decimal("0.000")),
        ("Mac OS X", 1, 0, None),  # report 3: of how many installs, nobody knows
        ("Windows", 3, 400, Decimal("1.500")),  # reports 1, 2 and 9: 3 * 100 / 400 / 0.5
    ]
    differing = """
        SELECT * FROM (SELECT version_string, sum(crashes) AS crashes FROM crashes.crash_rates_by_os GROUP BY 1) AS os
        JOIN crashes.daily_crash_rates USING (version_string) WHERE os.crashes <> daily_crash_rates.crashes"""
    assert counted.rows(differing) == []


def test_rates_by_signature_count_every_process_type(counted: World):
    rows = counted.rows(
        """SELECT version_string, signature, crashes, crashes_per_100_installs FROM crashes.crash_rates_by_signature
           ORDER BY 1, 2"""
    )
    assert rows == [
        ("10.0", "A", 5, Decimal("2.000")),  # reports 1, 2, 4, 5 and 9: 5 * 100 / 500 / 0.5
        ("10.0", "B", 1, Decimal("0.400")),  # report 3
        ("11.0b", "A", 1, Decimal("9.524")),  # as the version: it has no other crash
        ("11.0b1", "A", 1, Decimal("9.524")),
    ]


def test_signatures_are_counted_by_process_type_with_hangs_and_startup_crashes(counted: World):
    rows = counted.rows(
        """SELECT signature, process_type, crashes, windows_crashes, mac_crashes, hangs, startup_crashes, gc_crashes
           FROM crashes.signature_counts WHERE version_string = '10.0' ORDER BY 1, 2"""
    )
    assert rows == [
        ("A", "browser", 1, 1, 0, 0, 1, 1),
        ("A", "content", 2, 2, 0, 0, 0, 0),
        ("A", "gpu", 1, 1, 0, 0, 0, 0),
        ("A", "plugin", 1, 1, 0, 1, 0, 0),
        ("B", "browser", 1, 0, 1, 0, 0, 0),
    ]


def test_summaries_tell_the_values_of_each_attribute(counted: World):
    rows = counted.rows(
        """SELECT attribute, value, crashes, installations FROM crashes.signature_summary
           WHERE version_string = '10.0' AND signature = 'A' ORDER BY 1, 2"""
    )
    assert rows == [
        ("architecture", ["amd64"], 5, None),  # reports 1, 2, 4, 5 and 9
        ("flash_version", ["Unknown/No Flash"], 5, None),
        ("graphics", ["0x1", "0x2"], 1, None),  # report 2 names no adapter
        # Clocks of 1, 2, 4 and 5 agree, 9 is half a day later: two installations by crash time less age.
        ("installations", [], 5, 2),
        ("os", ["Windows 7"], 5, None),
        ("process_type", ["browser"], 1, None),
        ("process_type", ["content"], 2, None),
        ("process_type", ["gpu"], 1, None),
        ("process_type", ["plugin"], 1, None),
        ("products", [], 5, None),
        ("uptime", ["< 1 min"], 1, None),
        ("uptime", ["> 1 min"], 4, None),
    ]


def test_crashes_of_a_build_stand_beside_its_installs(counted: World):
    rows = counted.rows(
        """SELECT version_string, build_id, signature, crashes, installs
           FROM crashes.crash_adu_by_build_signature ORDER BY 1"""
    )
    # The beta's crash meets the installs at the parent; of the nightly nothing crashed.
    assert rows == [("11.0b", int(BETA), "A", 1, 42), ("12.0a1", 0, "", 0, 20)]


def test_reports_of_unknown_versions_are_kept_and_count_once_the_version_is_known(counted: World):
    rejected = "SELECT version, unknown FROM crashes.rejected_reports"
    assert counted.rows(rejected) == [("9.9", "version")]
    releases = (counted.folder / "releases.csv").read_text()
    counted.write("releases.csv", releases + "owl,9.9,win32,20260302000000,release,,release,build1,20260302\n")
    counted.make_versions()
    counted.count(TUESDAY)
    assert counted.rows(rejected) == []
    assert counted.rows("SELECT crashes FROM crashes.daily_crash_rates WHERE version_string = '9.9'") == [(1,)]


def test_without_installs_there_is_no_rate(world: World):
    world.deliver(TUESDAY)
    world.deliver_installs(TUESDAY, {("Windows", "10.0", RELEASE, "release"): 0})
    world.load(TUESDAY)
    world.count(TUESDAY)
    rates = (
        "SELECT crashes, installs, crashes_per_100_installs FROM crashes.daily_crash_rates WHERE channel = 'release'"
    )
    assert world.rows(rates) == [(1, 0, None)]


def test_midnight_belongs_to_the_day_that_begins(world: World):
    wednesday = TUESDAY + timedelta(days=1)
    for day in (TUESDAY, wednesday):
        world.deliver(day)
    midnight = noon(TUESDAY, 43_200)
    world.deliver_reports(wednesday, [report(1, midnight)])
    world.load(TUESDAY, wednesday)
    world.count(TUESDAY, wednesday)
    rows = world.rows("SELECT day, sum(crashes) FROM crashes.signature_counts GROUP BY day ORDER BY day")
    assert rows == [(TUESDAY, 1), (wednesday, 1)]


def test_versions_count_from_their_build_to_their_sunset(world: World):
    # A release is counted for 18 weeks from its build, the last day included: 2026-03-01 + 126 days.
    last = TUESDAY + timedelta(days=117)
    assert last.isoformat() == "2026-07-05"
    for day in (last, last + timedelta(days=1)):
        world.deliver(day)
    world.load(last, last + timedelta(days=1))
    world.count(last, last + timedelta(days=1))
    assert world.rows("SELECT DISTINCT day FROM crashes.daily_crash_rates WHERE channel = 'release'") == [(last,)]
