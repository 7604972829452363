"""The mirrors report: by hand from a few rows, and beside the established report of the same rows."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from stats_assets.countme.mirrors import MirrorsReport, MirrorsRules, mirrors_report, mirrors_rules

RULES = mirrors_rules()
MONDAY = date(2024, 3, 4)
TUESDAY = date(2024, 3, 5)


def filled(report: MirrorsReport, day: date) -> dict[str, int]:
    """The columns of a day that are not zero."""
    counts = report.hosts[list(report.days).index(day)]
    return {name: int(count) for name, count in zip(RULES.columns[1:], counts, strict=True) if count}


def test_a_host_counts_in_each_column_it_belongs_to():
    rows = [
        (MONDAY, "f39", "x86_64", 3),
        (MONDAY, "f28", "x86_64", 1),
        (MONDAY, "epel9", "x86_64", 5),
        (MONDAY, "modular_f38", "aarch64", 2),
        (MONDAY, "unmapped", "unmapped", 4),
        (TUESDAY, "epel10", "ppc64le", 7),
        (TUESDAY, "f44", "aarch64", 6),
        (TUESDAY, "eln", "s390", 1),
    ]
    report = mirrors_report(RULES, "strict", rows)
    assert report.days == [MONDAY, TUESDAY]
    assert filled(report, MONDAY) == {
        "f39": 3, "f28": 1, "fedora": 4, "epel9": 5, "epel": 5, "modular_f38": 2, "modular": 2, "unk_rel": 4,
        "x86_64": 9, "x86_64_f": 4, "x86_64_e": 5, "arm64": 2, "unk_arc": 4,
    }  # fmt: skip
    assert filled(report, TUESDAY) == {
        "epel10": 7, "epel": 7, "f44": 6, "fedora": 7, "eln": 1, "ppc64le": 7, "ppc_e": 7, "arm64": 6, "s390": 1,
    }  # fmt: skip


def test_compat_counts_fedora_by_architecture_up_to_release_29_as_the_established_report():
    report = mirrors_report(RULES, "compat", [(MONDAY, "f39", "x86_64", 3), (MONDAY, "f28", "x86_64", 1)])
    assert filled(report, MONDAY) == {"f39": 3, "f28": 1, "fedora": 4, "x86_64": 4, "x86_64_f": 1}


def test_a_release_without_a_column_is_told_and_still_in_the_sum():
    report = mirrors_report(RULES, "strict", [(MONDAY, "f77", "x86_64", 3)])
    assert filled(report, MONDAY) == {"fedora": 3, "x86_64": 3, "x86_64_f": 3}
    assert report.without_column == {"f77": 3}


def test_the_report_of_nothing_has_no_row():
    report = mirrors_report(RULES, "strict", [])
    assert (report.days, report.hosts.shape) == ([], (0, len(RULES.columns) - 1))
    assert report.averages()[0] == []


def test_an_average_is_of_seven_days_and_only_of_seven_days_that_are_all_there():
    days = [MONDAY + timedelta(days=n) for n in range(18) if n != 8]
    report = mirrors_report(RULES, "strict", [(day, "f39", "x86_64", (day - MONDAY).days) for day in days])
    averaged, means = report.averages()
    assert averaged == [days[6], days[7], days[14], days[15], days[16]]
    f39 = means[:, RULES.columns.index("f39") - 1]
    assert f39.tolist() == [3.0, 4.0, 12.0, 13.0, 14.0]


def test_the_rules_name_columns_that_exist_and_none_twice():
    text = RULES.model_dump()
    for change in ({"columns": RULES.columns[:-20]}, {"columns": (*RULES.columns, "f39")}):
        with pytest.raises(ValidationError):
            MirrorsRules.model_validate(text | change)


@pytest.fixture(scope="module")
def established(reference_data: Path) -> list[list[str]]:
    """The established report, header first, without the row of 1970-01-02."""
    text = gzip.decompress((reference_data / "countme/expected/mirrorsdata.csv.gz").read_bytes()).decode()
    header, fake, *rows = csv.reader(io.StringIO(text))
    assert fake[0] == "1970-01-02"
    return [header, *rows]


@pytest.fixture(scope="module")
def condensed(reference_data: Path) -> list[tuple[date, str, str]]:
    """What the established report was made of: day, repository and architecture of a host a line."""
    text = gzip.decompress((reference_data / "countme/expected/condensed.txt.gz").read_bytes()).decode()
    lines = [line.split() for line in text.splitlines()]
    return [(date.fromisoformat(day), repository, arch) for day, _, repository, arch in lines]


def test_the_first_85_columns_are_headed_as_in_the_established_report(established: list[list[str]]):
    assert RULES.header("compat")[:85] == established[0]
    assert RULES.header("strict")[:2] == ["01-date", "02-epel4"]


def test_compat_is_the_established_report_and_the_host_it_loses_each_day(
    established: list[list[str]], condensed: list[tuple[date, str, str]]
):
    first_of_day = {day: (repository, arch) for day, repository, arch in reversed(condensed)}
    rows = [(*row, hosts) for row, hosts in Counter(condensed).items()]
    report = mirrors_report(RULES, "compat", rows)
    ours = report.hosts[:, :84]
    lost = mirrors_report(RULES, "compat", [(day, *pair, 1) for day, pair in first_of_day.items()]).hosts[:, :84]
    theirs = [[int(count) for count in row[1:]] for row in established[1:]]
    assert [f"{day}" for day in report.days] == [row[0] for row in established[1:]]
    assert (ours - lost).tolist() == theirs
    # Each day lost a host, in a column of its repository and in one of its architecture.
    assert lost.sum(axis=1).min() >= 2
