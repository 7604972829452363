"""Several sites by configuration alone: two sets of counts that never mix."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from stats_assets.countme.config import CountedSite, CountmeConfig, SiteSection
from stats_assets.countme.export import export
from stats_assets.countme.unique_hosts import replace_host_day
from tests.countme.world import SITE, World, hit_line, noon

OTHER = "mirrors.centos.org"
MONDAY = date(2024, 3, 4)
DAYS = [MONDAY + timedelta(days=n) for n in range(-1, 8)]


def test_the_simple_form_is_one_site_by_the_rules_around_it():
    config = CountmeConfig(site="a.example", policy="compat")
    assert config.counted_sites == (CountedSite("a.example", "compat", "same_day"),)


def test_each_of_several_sites_may_have_rules_of_its_own():
    config = CountmeConfig.model_validate(
        {
            "policy": "compat",
            "sites": [{"site": "b.example", "covers": "previous_day"}, {"site": "a.example", "policy": "strict"}],
        }
    )
    assert config.counted_sites == (
        CountedSite("a.example", "strict", "same_day"),
        CountedSite("b.example", "compat", "previous_day"),
    )


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        ({"site": "a", "sites": [{"site": "b"}]}, "either `site` or `sites`"),
        ({"sites": [{"site": "b"}, {"site": "b"}]}, "b is there more than once"),
    ],
)
def test_contradictions_are_refused(section: dict[str, object], complaint: str):
    with pytest.raises(ValidationError, match=complaint):
        CountmeConfig.model_validate(section)


@pytest.fixture
def both(world: World) -> World:
    """Two sites; the other has an address a day more and dates its files by their rotation."""
    sites = [SiteSection(site=SITE), SiteSection(site=OTHER, policy="compat", covers="previous_day")]
    both = world.with_config(sites=sites, first_day=DAYS[0])
    for day in DAYS:
        both.deliver(day, [hit_line(noon(day, n), f"192.0.2.{n}") for n in range(2)])
        before = day - timedelta(days=1)
        ages = (1, 1, None)
        both.deliver(day, [hit_line(noon(before, n), f"192.0.2.{n}", ages[n]) for n in range(3)], site=OTHER)
    return both


def totals(world: World) -> list[tuple]:
    return world.rows("SELECT site, sys_age, hits FROM countme.weekly_totals ORDER BY 1, 2")


def test_two_sites_have_two_sets_of_totals(both: World):
    both.load(*DAYS)
    assert both.count(MONDAY, SITE).status == "final"
    assert both.count(MONDAY, OTHER).status == "provisional"  # compat: nothing later was seen
    assert totals(both) == [(SITE, -1, 14), (SITE, 1, 14)]
    later = DAYS[-1] + timedelta(days=2)
    late = noon(later - timedelta(days=1))
    both.deliver(later, [hit_line(late), hit_line(late, countme=None)], site=OTHER)
    both.load(later)
    assert both.count(MONDAY, OTHER).status == "final"
    assert totals(both) == [(OTHER, -1, 21), (OTHER, 1, 14), (SITE, -1, 14), (SITE, 1, 14)]
    assert both.rows("SELECT site, policy, hits FROM countme.weeks ORDER BY 1") == [
        (OTHER, "compat", 14),
        (SITE, "strict", 14),
    ]


def test_reloading_a_day_replaces_both_sites_and_changes_neither(both: World):
    both.load(*DAYS)
    both.count(MONDAY, SITE)
    before = both.everything()
    both.load(*reversed(DAYS))
    both.count(MONDAY, SITE)
    assert both.everything() == before


def test_a_change_of_one_site_leaves_the_other_as_it_is(both: World):
    both.load(*DAYS)
    both.count(MONDAY, SITE)
    both.deliver(DAYS[3], [hit_line(noon(DAYS[2], n), f"192.0.2.{n}") for n in range(9)], site=OTHER)
    both.load(DAYS[3])
    assert both.count(MONDAY, SITE).revision == 1
    assert totals(both) == [(SITE, -1, 14), (SITE, 1, 14)]


def test_repeats_are_looked_for_within_a_site(both: World):
    compat = both.with_config(sites=both.sections(OTHER), policy="compat")
    compat.deliver(MONDAY, [hit_line(noon(MONDAY))])
    compat.deliver(MONDAY, [hit_line(noon(MONDAY))] * 2, site=OTHER)
    compat.load(MONDAY)
    assert compat.rows("SELECT site FROM countme.repeats JOIN countme.sources USING (source_id)") == [(OTHER,)]


def test_unique_hosts_are_those_of_the_site(both: World):
    both.load(*DAYS)
    for site in both.config.counted_sites:
        replace_host_day(both.database, site, MONDAY)
    assert both.rows("SELECT site, hosts FROM countme.daily_unique_hosts ORDER BY 1") == [(OTHER, 3), (SITE, 2)]


def test_the_exports_of_two_sites_are_in_two_folders_and_are_those_of_one_site_each(both: World, tmp_path: Path):
    both.load(*DAYS)
    both.count(MONDAY, SITE)
    written = export(both.database, tmp_path / "both")
    assert [str(path.relative_to(tmp_path / "both")) for path in written] == [
        f"{site}/{name}.csv" for site in (OTHER, SITE) for name in ("hits", "weekly_totals", "daily_unique_hosts")
    ]
    with both.database.transaction() as cursor:
        cursor.execute(f"DELETE FROM countme.sources WHERE site = '{OTHER}'")
        cursor.execute(f"DELETE FROM countme.weekly_totals WHERE site = '{OTHER}'")
    alone = export(both.database, tmp_path / "alone")
    assert [path.name for path in alone] == ["hits.csv", "weekly_totals.csv", "daily_unique_hosts.csv"]
    for path in alone:
        assert path.read_bytes() == (tmp_path / "both" / SITE / path.name).read_bytes()
    assert len((tmp_path / "alone" / "hits.csv").read_text().splitlines()) == 1 + 2 * len(DAYS)
