"""The reference cases, sent to a running collector: statuses, verdicts, and what is stored of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.events.running import RunningCollector, collecting, rows

# Reasons that the cases give in words of their own.
_SAID_OTHERWISE = {"ev29", "ev83", "ev84"}


def load_cases(folder: Path) -> dict[str, Any]:
    with (folder / "events/event_cases.jsonl").open() as lines:
        return {case["id"]: case for case in map(json.loads, lines)}


# fmt: off
CASES = [f"ev{number:02}" for number in (
    2, 3, 6, 8, 9, 11, 12, 13, 14, 16, 17, 18, 19, 20, 22, 23, 24, 25, 28, 29, 31, 33, 34, 36, 38, 39, 41, 42,
    43, 47, 51, 52, 54, 58, 60, 61, 62, 67, 69, 70, 71, 76, 80, 83, 84,
)]
# fmt: on


@pytest.fixture(scope="module")
def collector(
    tmp_path_factory: pytest.TempPathFactory, module_database_dsn: str, reference_data: Path
) -> Iterator[RunningCollector]:
    schema = (reference_data / "events/event_schema.yaml").read_text()
    with collecting(tmp_path_factory.mktemp("collector"), module_database_dsn, schema) as running:
        yield running


def test_every_case_is_tested(reference_data: Path):
    assert set(CASES) == set(load_cases(reference_data))


@pytest.mark.parametrize("case_id", CASES)
def test_case(case_id: str, reference_data: Path, collector: RunningCollector, module_database_dsn: str):
    case = load_cases(reference_data)[case_id]
    better = case["better"]
    before = rows(module_database_dsn, "SELECT count(*) FROM events.raw_events")[0][0]
    body = None if case["body"] is None else case["body"].encode()
    answer = collector.request(case["method"], case["path"], body, case["headers"])
    stored = rows(module_database_dsn, "SELECT count(*) FROM events.raw_events")[0][0] - before

    assert answer.status == better["status"], answer.body
    assert ("accept" if answer.status == 200 else "reject") == better["verdict"]
    if better["verdict"] == "accept":
        assert stored == len(json.loads(case["body"])["events"]) == answer.json["accepted"]
    else:
        assert stored == (1 if answer.status == 207 else 0)
        if case_id not in _SAID_OTHERWISE:
            assert answer.json["reason"] == better["reason"]


def test_a_partly_good_body_is_told_event_by_event(collector: RunningCollector, reference_data: Path):
    case = load_cases(reference_data)["ev29"]
    answer = collector.request("POST", case["path"], case["body"].encode(), case["headers"]).json
    assert (answer["accepted"], answer["quarantined"]) == (1, 1)
    (refused,) = answer["refused"]
    assert (refused["position"], refused["reason"], refused["column"]) == (1, "unknown table", "_t")
