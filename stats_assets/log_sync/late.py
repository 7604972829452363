"""Which days the sensor should ask for: files that were late, or have changed at their source. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from stats_assets.log_sync.expected import ExpectedFile
from stats_assets.log_sync.manifest import ManifestRow
from stats_assets.log_sync.plan import Absent, Present, Probe
from stats_assets.shared.days import contiguous, days_between
from stats_assets.shared.turns import some_of

Rows = Mapping[tuple[date, str, str], ManifestRow]


@dataclass(frozen=True)
class DaysToAsk:
    """An unbroken range of days, both included; `run_key` differs whenever something new was seen."""

    first: date
    last: date
    run_key: str


def files_to_probe(
    expected: Sequence[ExpectedFile], rows: Rows, oldest_day: date | None, now: datetime, turn: int, limit: int
) -> list[ExpectedFile]:
    """At most `limit` files worth a question, as `some_of` has it: those we lack, and some of those we have.

    `oldest_day` is the manifest's first: days before it were never asked for, and are left to the operator. No host
    is asked for what is waived, or for a day that is not over there.
    """
    if oldest_day is None:
        return []
    expected = [file for file in expected if file.waived is None and file.over_at <= now]
    lacking = [file for file in expected if file.day >= oldest_day and _is_lacking(rows.get(file.key))]
    present = [file for file in expected if (row := rows.get(file.key)) and row.state == "fetched"]
    return some_of(lacking, present, turn, limit)


def days_to_ask(seen: Iterable[tuple[ExpectedFile, Probe]], rows: Rows) -> list[DaysToAsk]:
    """Ranges of days with at least one file that is newly there or has changed, oldest first."""
    news: dict[date, list[str]] = {}
    for file, probe in seen:
        if not isinstance(probe, Absent) and (what := _news(file, rows.get(file.key), probe)):
            news.setdefault(file.day, []).append(what)
    return [_range(days_between(*ends), news) for ends in contiguous(news, step_days=1)]


def newly_waived(expected: Iterable[ExpectedFile], rows: Rows) -> list[DaysToAsk]:
    """Ranges of days with a file that is still held to be lacking, and is excused in stats.yaml since."""
    news: dict[date, list[str]] = {}
    for file in expected:
        row = rows.get(file.key)
        if file.waived is not None and row is not None and row.state in ("missing", "failed"):
            news.setdefault(file.day, []).append(f"{file.key} waived {row.checked_at.isoformat()}")
    return [_range(days_between(*ends), news) for ends in contiguous(news, step_days=1)]


def _is_lacking(row: ManifestRow | None) -> bool:
    return row is None or row.state != "fetched"


def _news(file: ExpectedFile, row: ManifestRow | None, probe: Present) -> str | None:
    """What is new about a file, in a form that is equal as long as nothing has changed; None for nothing."""
    if row is not None and row.source_version == probe.version:
        return None  # what we have, or the damaged one we have refused
    return f"{file.key} {probe.version} {row.state if row else 'unknown'}"


def _range(days: Sequence[date], news: Mapping[date, Sequence[str]]) -> DaysToAsk:
    seen = "\n".join(what for day in days for what in sorted(news[day]))
    return DaysToAsk(days[0], days[-1], f"{days[0]} {days[-1]} {hashlib.sha256(seen.encode()).hexdigest()[:16]}")
