"""What people are told when days are incomplete."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from stats_assets.log_sync.config import LogHost
from stats_assets.log_sync.expected import expected_files
from stats_assets.log_sync.manifest import fetched, without_copy
from stats_assets.log_sync.reports import DayReport, Outcome, failure_text
from stats_assets.log_sync.survey import Survey
from stats_assets.log_sync.verify import Verified
from tests.log_sync.sources import NOW, PATH, config_of

HOSTS = [LogHost(name=f"web{n}", url="http://h", path=PATH) for n in (1, 2)]


def report(day_of_march: int, *lacking: str) -> DayReport:
    outcomes = []
    for file in expected_files(config_of(Path("/tmp"), *HOSTS), date(2026, 3, day_of_march)):
        if file.host in lacking:
            outcomes.append(Outcome(file, "missing", without_copy(file, "missing", NOW, "404 at x")))
        else:
            outcomes.append(
                Outcome(file, "fetched", fetched(file, "v1", Verified(10, 100, "00", Survey(1, 0, NOW, NOW, 0)), NOW))
            )
    return DayReport(date(2026, 3, day_of_march), outcomes, seconds=1.5)


def test_a_range_tells_the_day_the_host_and_what_to_do():
    assert failure_text([report(1), report(2, "web2"), report(3)]) == (
        "log_sync/files: 1 of 3 days incomplete: 2026-03-02: web2 has no mirrors.example.org-access.log.gz"
        " (404 at x); the other 2 days are done. Once the host has delivered, rerun that day; nothing else is needed."
    )


def test_a_single_day_tells_what_is_kept():
    text = failure_text([report(2, "web2")])
    assert text.startswith("log_sync/files: 2026-03-02 is incomplete: web2 has no")
    assert "its other file is kept" in text


def test_many_gaps_are_cut_to_a_line_one_can_read():
    text = failure_text([report(day, "web1", "web2") for day in range(1, 21)])
    assert text.count("has no") == 5
    assert "and 35 more" in text
    assert "\n" not in text


def test_a_day_reports_the_numbers_an_operator_asks_for():
    metadata = report(2, "web2").metadata
    assert metadata["dagster/row_count"] == 2
    assert (metadata["fetched"], metadata["missing"]) == (1, 1)
    assert (metadata["file_bytes"], metadata["content_bytes"]) == (10, 100)
    assert metadata["newest_copy"] == "2026-03-10T12:00:00+00:00"
    assert metadata["files"] == {"web1 mirrors.example.org": "fetched", "web2 mirrors.example.org": "missing"}
