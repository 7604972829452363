"""Requests nobody would think of, made from the collector's own OpenAPI document, while others send in earnest."""

from __future__ import annotations

import threading
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from stats_assets.events.config import EventLimits
from stats_assets.events.openapi import document
from tests.events.running import collecting, rows, stored_ids

EXAMPLES = 150


@pytest.mark.slow
def test_no_request_makes_it_fail_or_forget(tmp_path: Path, database_dsn: str):
    import schemathesis  # takes seconds, which the collection of all tests need not
    from schemathesis import GenerationMode

    with collecting(tmp_path, database_dsn) as collector:
        acknowledged: list[str] = []
        ending = threading.Event()

        def send() -> None:
            while not ending.wait(0.01):  # beside the others, not instead of them
                event_id = str(uuid4())
                if collector.post({"_t": "levels", "level": 1, "event_id": event_id}).status == 200:
                    acknowledged.append(event_id)

        sender = threading.Thread(target=send)
        sender.start()
        api = schemathesis.openapi.from_dict(document(EventLimits()))
        api.config.update(base_url=f"http://127.0.0.1:{collector.port}")
        statuses: set[int] = set()

        for found in api.get_all_operations():
            operation = found.ok()  # pyright: ignore[reportAttributeAccessIssue]  # or it raises, as it should
            cases = operation.as_strategy(generation_mode=GenerationMode.POSITIVE) | operation.as_strategy(
                generation_mode=GenerationMode.NEGATIVE
            )

            @settings(
                max_examples=EXAMPLES if operation.method == "post" else 10,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            )
            @given(case=cases)
            def asked(case: schemathesis.Case) -> None:
                if case.path_parameters:
                    case.path_parameters["app_id"] = "game"
                answer = case.call(timeout=20)
                statuses.add(answer.status_code)
                assert answer.status_code < 500, (case, answer.text)

            asked()
        ending.set()
        sender.join()
        assert statuses & {400, 403, 415, 422}
        known = set(acknowledged)
        assert sorted(known) == [each for each in stored_ids(database_dsn) if each in known]
        assert rows(database_dsn, "SELECT count(*) FROM events.raw_events")[0][0] >= len(known)
