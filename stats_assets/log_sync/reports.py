"""What became of a day, in numbers and in words for people. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from stats_assets.log_sync.expected import ExpectedFile
from stats_assets.log_sync.manifest import ManifestRow

# fetched: a new copy; up_to_date: unchanged; kept: no news from the source, our copy stands;
# waived: excused in stats.yaml; missing, failed: somebody has to look.
Result = Literal["fetched", "up_to_date", "kept", "waived", "missing", "failed"]

_GAPS_NAMED = 5


@dataclass(frozen=True)
class Outcome:
    """What became of one expected file, and the row that says so."""

    file: ExpectedFile
    result: Result
    row: ManifestRow

    @property
    def is_gap(self) -> bool:
        return self.result in ("missing", "failed")

    @property
    def gap(self) -> str:
        """What is wrong, with the host's name first."""
        if self.result == "missing":
            return f"{self.file.host} has no {self.file.file_name} ({self.row.last_error})"
        return f"{self.file.host}: {self.row.last_error}"


@dataclass(frozen=True)
class DayReport:
    """All outcomes of a day; `seconds` is how long it took."""

    day: date
    outcomes: Sequence[Outcome]
    seconds: float

    @property
    def gaps(self) -> list[str]:
        return [outcome.gap for outcome in self.outcomes if outcome.is_gap]

    @property
    def is_complete(self) -> bool:
        return not self.gaps

    @property
    def metadata(self) -> dict[str, Any]:
        """The numbers an operator asks for; times are ISO 8601, UTC."""
        rows = [outcome.row for outcome in self.outcomes if outcome.row.state == "fetched"]
        fetched_at = [row.fetched_at for row in rows if row.fetched_at]
        oldest = [row.oldest_line_at for row in rows if row.oldest_line_at]
        newest = [row.newest_line_at for row in rows if row.newest_line_at]
        counts = Counter(outcome.result for outcome in self.outcomes)
        return {
            "dagster/row_count": len(self.outcomes),
            "fetched": counts["fetched"],
            "up_to_date": counts["up_to_date"],
            "kept": counts["kept"],
            "waived": counts["waived"],
            "missing": counts["missing"],
            "failed": counts["failed"],
            "file_bytes": sum(row.file_bytes or 0 for row in rows),
            "content_bytes": sum(row.content_bytes or 0 for row in rows),
            "lines": sum(row.lines or 0 for row in rows),
            "undatable_lines": sum(row.undatable_lines or 0 for row in rows),
            "oldest_line": _shown(min(oldest, default=None)),
            "newest_line": _shown(max(newest, default=None)),
            "oldest_copy": _shown(min(fetched_at, default=None)),
            "newest_copy": _shown(max(fetched_at, default=None)),
            "files": {f"{outcome.file.host} {outcome.file.site}": outcome.result for outcome in self.outcomes},
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        counts = Counter(outcome.result for outcome in self.outcomes)
        told = ", ".join(f"{count} {result}" for result, count in counts.items()) or "no file is expected"
        return f"{self.day}: {told}"


def _shown(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else "none"


def failure_text(reports: Sequence[DayReport]) -> str:
    """One line that says which days are incomplete, why, what is done and what to do next."""
    incomplete = [report for report in reports if not report.is_complete]
    again = "that day" if len(incomplete) == 1 else "those days"
    told = _single_day(reports[0]) if len(reports) == 1 else _range(reports, incomplete)
    return f"log_sync/files: {told}. Once the host has delivered, rerun {again}; nothing else is needed."


def _single_day(report: DayReport) -> str:
    others = len(report.outcomes) - len(report.gaps)
    kept = {0: "", 1: "; its other file is kept"}.get(others, f"; its other {others} files are kept")
    return f"{report.day} is incomplete: {_named(report.gaps)}{kept}"


def _range(reports: Sequence[DayReport], incomplete: Sequence[DayReport]) -> str:
    gaps = [f"{report.day}: {gap}" for report in incomplete for gap in report.gaps]
    others = len(reports) - len(incomplete)
    done = {0: "what has come is kept", 1: "the other day is done"}.get(others, f"the other {others} days are done")
    return f"{len(incomplete)} of {len(reports)} days incomplete: {_named(gaps)}; {done}"


def _named(gaps: Sequence[str]) -> str:
    more = len(gaps) - _GAPS_NAMED
    return "; ".join(gaps[:_GAPS_NAMED]) + (f"; and {more} more" if more > 0 else "")
