"""Which reports tell of the same crash: crashes.duplicates, made of crashes.reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from stats_assets.crashes import sql
from stats_assets.crashes.day_state import NotThere, digest_of_inputs, keep_made, missing_inputs
from stats_assets.crashes.windows import day_window
from stats_assets.shared.days import midnight
from stats_assets.shared.postgres import StatsDatabase, lock_slice, one_row, plan_for_bulk

TABLE, INPUTS = "duplicates", ("reports",)

# A window is an hour long, so a day's reports decide verdicts up to an hour beside it, and are decided with
# reports up to an hour further.
_REACH = timedelta(hours=1)


@dataclass(frozen=True)
class DuplicatesReport:
    """A day's reports, how many of them are duplicates of another, and of how many."""

    day: date
    reports: int
    duplicates: int
    leaders: int

    def __str__(self) -> str:
        return f"{self.duplicates} duplicates of {self.leaders} among {self.reports} reports"

    @property
    def metadata(self) -> dict[str, object]:
        return {
            "dagster/row_count": self.duplicates + self.leaders,
            "reports": self.reports,
            "duplicates": self.duplicates,
            "leaders": self.leaders,
        }


def replace_duplicates(database: StatsDatabase, day: date) -> DuplicatesReport:
    """Decides anew on the day's reports and those an hour beside it, in one transaction.

    Whatever days were loaded in whatever order, the verdicts are those of all reports that are there. Verdicts on
    reports that were retired stay. Raises NotThere when the day's own reports are not there.
    """
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    with database.transaction() as cursor:
        # Neighbours write into each other's first and last hour.
        for each in (before, day, after):
            lock_slice(cursor, "crashes.duplicates", f"{each}")
        if missing := missing_inputs(cursor, INPUTS, day):
            raise NotThere(f"crashes/duplicates {day}: {missing[0]}")
        start, end = midnight(day), midnight(after)
        window = {
            "verdicts_from": start if missing_inputs(cursor, INPUTS, before) else start - _REACH,
            "verdicts_to": end if missing_inputs(cursor, INPUTS, after) else end + _REACH,
            "read_from": start - 2 * _REACH,
            "read_to": end + 2 * _REACH,
        }
        plan_for_bulk(cursor)
        cursor.execute(sql.DELETE_DUPLICATES, window)
        cursor.execute(sql.ADD_DUPLICATES, window)
        cursor.execute(sql.COUNT_DUPLICATES, day_window(day))
        report = DuplicatesReport(day, *one_row(cursor))
        # Counted are the reports: neighbours still add to and take from the rows.
        keep_made(cursor, TABLE, day, digest_of_inputs(cursor, INPUTS, day), report.reports)
        return report
