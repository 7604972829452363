"""What the manifest lacks, by what should be there. Pure; the asset checks tell it to people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from stats_assets.log_sync.expected import ExpectedFile
from stats_assets.log_sync.manifest import ManifestRow
from stats_assets.shared.charts import State

_ENOUGH_FILES = 7  # below a week of files a median says nothing
_MARKS = {"fetched": "■", "waived": "w", "missing": "□", "failed": "x", None: "·"}
_PRESENT = ("fetched", "waived")


_STATES = {
    "fetched": State("here", "tab:green"),
    "waived": State("waived", "0.75"),
    "missing": State("missing", "tab:orange"),
    "failed": State("failed", "tab:red"),
    None: State("not asked for", "0.92"),
}


@dataclass(frozen=True)
class Coverage:
    """Which of the expected files are there. `gaps`: asked for in vain; `unasked`: days nobody has asked for.

    `chart` shows it as text, `cells` as states by host (and site) and day.
    """

    gaps: dict[str, str]
    unasked: list[date]
    chart: str
    cells: dict[str, dict[date, State]]

    @property
    def is_complete(self) -> bool:
        return not self.gaps and not self.unasked


def coverage(expected: Sequence[ExpectedFile], rows: Mapping[tuple[date, str, str], ManifestRow]) -> Coverage:
    """How far the rows cover the expected files; the chart has a line per host and site, a mark per day."""
    asked_days = {row.day for row in rows.values()}
    gaps: dict[str, str] = {}
    marks: defaultdict[str, list[str]] = defaultdict(list)
    cells: defaultdict[str, dict[date, State]] = defaultdict(dict)
    for file in expected:
        row = rows.get(file.key)
        state = row.state if row else None
        marks[f"{file.host} {file.site}"].append(_MARKS[state])
        cells[f"{file.host} {file.site}"][file.day] = _STATES[state]
        if file.day in asked_days and (row is None or row.state not in _PRESENT):
            error = row.last_error if row else "not asked since it was added to stats.yaml"
            gaps[f"{file.day} {file.host} {file.site}"] = error or ""
    unasked = sorted({file.day for file in expected} - asked_days)
    chart = "\n".join(f"{''.join(line)} {name}" for name, line in marks.items())
    return Coverage(gaps, unasked, chart, dict(cells))


def unusually_small(rows: Iterable[ManifestRow], share: float) -> dict[str, str]:
    """Files below `share` of the median content of their host and site: 'day host site' to the sizes."""
    groups: defaultdict[tuple[str, str], list[ManifestRow]] = defaultdict(list)
    for row in rows:
        if row.state == "fetched" and row.content_bytes is not None:
            groups[row.host, row.site].append(row)
    found: dict[str, str] = {}
    for group in groups.values():
        usual = median(row.content_bytes or 0 for row in group)
        for row in group if len(group) >= _ENOUGH_FILES else ():
            if (row.content_bytes or 0) < share * usual:
                found[f"{row.day} {row.host} {row.site}"] = f"{row.content_bytes} bytes, usual are {usual:.0f}"
    return found
