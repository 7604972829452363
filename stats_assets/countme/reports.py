"""What loads and counts report: per file, day and week. Plain values; who shows or stores them decides how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import numpy as np

from stats_assets.countme.completeness import Status
from stats_assets.countme.scan import HitBlock
from stats_assets.countme.verdicts import REJECTIONS
from stats_assets.countme.weeks import SECONDS_PER_DAY


@dataclass
class Span:
    """Hits of one UTC day: how many, and between which Unix seconds (both included)."""

    hits: int
    oldest: int
    newest: int

    def widened(self, other: Span) -> Span:
        return Span(self.hits + other.hits, min(self.oldest, other.oldest), max(self.newest, other.newest))


@dataclass
class SourceReport:
    """What one file held."""

    site: str
    host: str
    verdicts: Counter[str] = field(default_factory=Counter)
    spans: dict[date, Span] = field(default_factory=dict)

    def add(self, block: HitBlock) -> None:
        """Takes the counts and the time spans of a scanned block in."""
        self.verdicts.update(block.verdicts)
        days = block.hit_seconds // SECONDS_PER_DAY
        for number in np.unique(days):
            seconds = block.hit_seconds[days == number]
            span = Span(len(seconds), int(seconds.min()), int(seconds.max()))
            day = datetime.fromtimestamp(span.oldest, tz=UTC).date()
            self.spans[day] = self.spans[day].widened(span) if day in self.spans else span

    @property
    def lines(self) -> int:
        return self.verdicts.total()

    @property
    def hits(self) -> int:
        return self.verdicts["hit"]

    @property
    def rejected(self) -> int:
        return sum(lines for verdict, lines in self.verdicts.items() if verdict in REJECTIONS)


@dataclass(frozen=True)
class DayReport:
    """What a day's load did; `repeats` are hits the policy does not count."""

    day: date
    sources: Sequence[SourceReport]
    repeats: int
    seconds: float

    @property
    def verdicts(self) -> Counter[str]:
        return sum((source.verdicts for source in self.sources), Counter())

    @property
    def hits_by_site(self) -> dict[str, int]:
        hits = Counter[str]()
        for source in self.sources:
            hits[source.site] += source.hits
        return dict(hits)

    @property
    def metadata(self) -> dict[str, object]:
        """The numbers an operator asks for."""
        verdicts = self.verdicts
        spans = [span for source in self.sources for span in source.spans.values()]
        return {
            "dagster/row_count": verdicts["hit"],
            "lines": verdicts.total(),
            "files": len(self.sources),
            "hits_by_site": self.hits_by_site,
            "rejected_lines": sum(source.rejected for source in self.sources),
            "repeats": self.repeats,
            "verdicts": dict(verdicts.most_common()),
            "oldest": _iso(min(span.oldest for span in spans)) if spans else "none",
            "newest": _iso(max(span.newest for span in spans)) if spans else "none",
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        verdicts = self.verdicts
        return f"{self.day}: {verdicts['hit']} hits in {verdicts.total()} lines of {len(self.sources)} files"


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat()


def merged_by_day(spans: Iterable[Span]) -> list[Span]:
    """One span per UTC day, around all of that day's."""
    merged: dict[int, Span] = {}
    for span in spans:
        day = span.oldest // SECONDS_PER_DAY
        merged[day] = merged[day].widened(span) if day in merged else span
    return list(merged.values())


@dataclass(frozen=True)
class WeekReport:
    """One counted week of a site. `missing` is for people, empty when nothing is; `hits` are those with countme."""

    site: str
    week: date
    rows: int
    hits: int
    status: Status
    coverage: float
    missing: str
    revision: int

    def __str__(self) -> str:
        lacks = f", lacks {self.missing}" if self.missing else ""
        return f"{self.site} {self.week}: {self.hits} hits, {self.status}, revision {self.revision}{lacks}"


_WORST_FIRST: tuple[Status, ...] = ("partial", "provisional", "final")


def week_metadata(reports: Sequence[WeekReport]) -> dict[str, object]:
    """The numbers of a week over all sites; its status and coverage are those of the site that is worst off."""
    return {
        "dagster/row_count": sum(report.rows for report in reports),
        "hits": sum(report.hits for report in reports),
        "status": min((report.status for report in reports), key=_WORST_FIRST.index),
        "coverage": min(report.coverage for report in reports),
        "sites": {
            report.site: {
                "status": report.status,
                "coverage": round(report.coverage, 4),
                "revision": report.revision,
                "hits": report.hits,
                "missing": report.missing or "nothing",
            }
            for report in reports
        },
    }
