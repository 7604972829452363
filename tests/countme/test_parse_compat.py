from __future__ import annotations

import base64
import csv
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from stats_assets.countme.parse import MAX_LINE_BYTES, Hit, Verdict, Window, parse_line

_ANY_TIME = Window(-(2**60), 2**60)
_LINE = (
    b'192.0.2.1 - - [04/Mar/2024:10:00:00 +0000] "GET /metalink?repo=fedora-39&arch=x86_64&countme=2 HTTP/2.0"'
    b' 200 4044 "-" "libdnf (Fedora Linux 39; workstation; Linux.x86_64)"'
)


def outcomes(physical_line: bytes, window: Window = _ANY_TIME) -> list[Hit | Verdict]:
    return [parsed.outcome for parsed in parse_line(physical_line, "compat", window)]


def row(hit: Hit) -> list[str | int]:
    return [hit.seconds, hit.address, hit.os_name, hit.os_version, hit.os_variant, hit.os_arch, hit.sys_age,
            hit.repo_tag, hit.repo_arch]  # fmt: skip


def edge_lines(reference_data: Path) -> list[dict[str, Any]]:
    lines = (reference_data / "countme" / "edge_lines.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 80
    return [json.loads(line) for line in lines]


def test_every_edge_line_gets_the_verdict_of_the_established_tool(reference_data: Path):
    wrong = []
    for case in edge_lines(reference_data):
        if case["sqlite"].startswith("CRASH"):
            continue
        got = outcomes(base64.b64decode(case["line_b64"]))
        hits = [row(outcome) for outcome in got if isinstance(outcome, Hit)]
        is_malformed = bool({"bad_time", "bad_countme"} & {o for o in got if isinstance(o, str)})
        expected = (
            [list(item.values()) for item in case["countme"]["items"]],
            case["countme"]["verdict"] == "malformed",
        )
        if (hits, is_malformed) != expected:
            wrong.append((case["note"], got))
    assert wrong == []


def test_what_stops_the_established_tool_is_rejected_as_out_of_range(reference_data: Path):
    crashes = [case for case in edge_lines(reference_data) if case["sqlite"].startswith("CRASH")]
    assert crashes
    for case in crashes:
        assert outcomes(base64.b64decode(case["line_b64"])) == ["countme_out_of_range"], case["note"]


def test_the_reference_logs_give_the_reference_rows(reference_data: Path):
    hits: Counter[tuple[str, ...]] = Counter()
    verdicts: Counter[str] = Counter()
    for log in sorted((reference_data / "countme" / "logs").glob("*.log.gz")):
        with gzip.open(log) as lines:
            for outcome in (outcome for line in lines for outcome in outcomes(line)):
                if isinstance(outcome, Hit):
                    hits[tuple(map(str, row(outcome)))] += 1
                else:
                    verdicts[outcome] += 1
    info = json.loads(gzip.decompress((reference_data / "countme/expected/info.json.gz").read_bytes()))
    assert hits.total() == info["raw_rows_without_dup_check"]
    assert verdicts["bad_time"] + verdicts["bad_countme"] == info["malformed_lines"]
    assert sorted(hits) == reference_rows(reference_data)


def reference_rows(reference_data: Path) -> list[tuple[str, ...]]:
    with gzip.open(reference_data / "countme/expected/raw_sorted.csv.gz", "rt", newline="", encoding="utf-8") as file:
        return sorted(tuple(row) for row in list(csv.reader(file))[1:])


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (b"", 0),
        (b"\n", 1),
        (b"\r\n", 1),
        (b"a\rb\n", 2),
        (b"a\rb\r\n", 2),
        (b"a\r", 1),
        (b"a\r\r", 2),
        (b"a\r\r\n", 2),
        (b"\r", 1),
        (b"a", 1),
    ],
)
def test_lf_cr_lf_and_a_lone_cr_end_a_line(text: bytes, count: int):
    assert len(outcomes(text)) == count


def test_lines_parted_by_cr_know_where_they_start():
    parsed = parse_line(_LINE + b"\r" + _LINE + b"\r\n", "compat", _ANY_TIME)
    assert [(p.start, p.content) for p in parsed] == [(0, _LINE), (len(_LINE) + 1, _LINE)]
    assert all(isinstance(p.outcome, Hit) for p in parsed)


def test_two_glued_lines_are_one_hit_whose_system_has_an_odd_name():
    (hit,) = outcomes(_LINE + _LINE + b"\n")
    assert isinstance(hit, Hit)
    assert hit.os_name.startswith("Fedora Linux 39; workstation")
    assert hit.os_name.endswith("Fedora Linux")


def test_the_time_runs_on_until_a_request_that_counts():
    text = _LINE.replace(b'+0000] "GET', b'+0000] "x" [y] "GET')
    assert outcomes(text) == outcomes(_LINE)
    assert outcomes(text.replace(b"+0000", b"+x")) == ["bad_time"]


def test_a_nul_cannot_be_kept():
    assert outcomes(b"\0" + _LINE) == ["nul_byte"]
    assert outcomes(_LINE.replace(b"repo=", b"repo=%00")) == ["nul_byte"]
    assert outcomes(_LINE.replace(b"Fedora", b"Fed\0ra")) == ["nul_byte"]


def test_the_window_holds_for_compat_too():
    assert outcomes(_LINE, Window(0, 1709546400)) == ["outside_window"]


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        (b"GET /metalink?repo=fedora-39", b"GET /other?repo=fedora-39", "not_mirror_request"),
        (b" 200 ", b" 404 ", "not_served"),
        (b"GET", b"POST", "not_served"),
        (b"HTTP/2.0", b"HTTP/2", "not_served"),
        (b'"-"', b'""', "malformed_line"),
        (b'"libdnf (', b'"a \\"b\\" (', "malformed_line"),
        (b" 200 4044 ", b" ", "malformed_line"),
    ],
)
def test_what_the_established_tool_passes_over_in_silence_is_told_apart(old: bytes, new: bytes, verdict: Verdict):
    assert outcomes(_LINE.replace(old, new)) == [verdict]


def test_a_line_beyond_any_request_is_one_line_whatever_it_holds():
    assert outcomes(b"x\r" * MAX_LINE_BYTES) == ["line_too_long"]
