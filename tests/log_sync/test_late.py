"""Which files the sensor looks at, and which days it asks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from stats_assets.log_sync.config import LogHost
from stats_assets.log_sync.expected import ExpectedFile, expected_files
from stats_assets.log_sync.late import DaysToAsk, days_to_ask, files_to_probe
from stats_assets.log_sync.manifest import ManifestRow, without_copy
from stats_assets.log_sync.plan import Absent, Present, Probe
from tests.log_sync.sources import NOW, PATH, config_of
from tests.log_sync.test_plan import COPY

DAYS = [date(2026, 3, d) for d in range(1, 10)]
LONG_AGO = NOW - timedelta(hours=3)


def files() -> list[ExpectedFile]:
    config = config_of(Path("/tmp"), LogHost(name="web1", url="http://h", path=PATH))
    return [file for day in DAYS for file in expected_files(config, day)]


def rows(**changed: ManifestRow | None) -> dict:
    """Every day fetched, but those given as d3=row."""
    found = {file.key: replace(COPY, day=file.day) for file in files()}
    for name, row in changed.items():
        key = files()[int(name[1:]) - 1].key
        if row is None:
            del found[key]
        else:
            found[key] = row
    return found


def missing(day: int) -> ManifestRow:
    return without_copy(files()[day - 1], "missing", LONG_AGO, "404")


def failed(day: int, minutes_ago: int, damaged: str | None = None) -> ManifestRow:
    return without_copy(files()[day - 1], "failed", NOW - timedelta(minutes=minutes_ago), "away", damaged)


def asked(manifest: dict, answers: dict[int, Probe]) -> list[DaysToAsk]:
    return days_to_ask([(files()[day - 1], probe) for day, probe in answers.items()], manifest)


def spans(found: Iterable[DaysToAsk]) -> list[tuple[int, int]]:
    return [(days.first.day, days.last.day) for days in found]


def probed(manifest: dict, oldest: date | None = DAYS[0], turn: int = 0, limit: int = 100) -> list[int]:
    return [file.day.day for file in files_to_probe(files(), manifest, oldest, NOW, turn, limit)]


def test_a_missing_file_that_is_now_there_is_asked_for():
    assert spans(asked(rows(d3=missing(3)), {3: Present("v1")})) == [(3, 3)]


def test_a_file_that_is_still_missing_is_not_asked_for():
    assert asked(rows(d3=missing(3)), {3: Absent("404")}) == []


def test_a_day_nobody_asked_for_is_asked_for_only_when_it_is_there():
    manifest = rows(d3=None, d4=None)
    assert spans(asked(manifest, {3: Absent("404"), 4: Present("v1")})) == [(4, 4)]


def test_an_unchanged_file_is_not_asked_for():
    assert asked(rows(), {3: Present("v1")}) == []


def test_a_changed_file_is_asked_for():
    assert spans(asked(rows(), {3: Present("v2")})) == [(3, 3)]


def test_the_same_change_has_the_same_key_whatever_was_tried_meanwhile_and_another_change_another():
    (first,), (other,) = asked(rows(), {3: Present("v2")}), asked(rows(), {3: Present("v3")})
    assert first.run_key != other.run_key
    one, later = rows(d3=failed(3, minutes_ago=60)), rows(d3=failed(3, minutes_ago=1))
    assert asked(one, {3: Present("v1")}) == asked(later, {3: Present("v1")})


def test_a_damaged_file_is_not_asked_for_until_it_changes():
    manifest = rows(d3=failed(3, minutes_ago=60, damaged="v1"))
    assert asked(manifest, {3: Present("v1")}) == []
    assert spans(asked(manifest, {3: Present("v2")})) == [(3, 3)]


def test_neighbouring_days_are_asked_for_in_one_run():
    manifest = rows(d2=missing(2), d3=missing(3), d5=missing(5))
    assert spans(asked(manifest, {d: Present("v1") for d in (2, 3, 5)})) == [(2, 3), (5, 5)]


def test_nothing_is_probed_before_anybody_has_asked_for_a_day():
    assert probed({}, oldest=None) == []


def test_days_before_the_first_one_asked_for_are_left_to_the_operator():
    assert probed({}, oldest=DAYS[6]) == [7, 8, 9]


def test_files_we_lack_are_looked_at_first():
    assert probed(rows(d8=missing(8)))[0] == 8


def test_a_host_that_has_just_failed_is_looked_at_like_others():
    assert probed(rows(d8=failed(8, minutes_ago=1)))[0] == 8


def test_when_there_are_too_many_files_the_next_look_goes_on_behind_the_last():
    assert probed(rows(), turn=0, limit=4) == [1, 2, 3, 4]
    assert probed(rows(), turn=1, limit=4) == [5, 6, 7, 8]
    assert probed(rows(), turn=2, limit=4) == [9, 1, 2, 3]


def test_files_that_never_come_do_not_hide_that_another_has_changed():
    manifest = rows(**{f"d{day}": missing(day) for day in range(2, 10)})
    assert 1 in probed(manifest, limit=4)
