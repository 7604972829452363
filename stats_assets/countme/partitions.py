"""The room's own Dagster partitions: weeks, named by their Monday, UTC. Days are everybody's: `shared.partitions`."""

from __future__ import annotations

from datetime import date

import dagster as dg

from stats_assets.countme.weeks import monday_of_day


def weekly(first_day: date) -> dg.WeeklyPartitionsDefinition:
    """Weeks from the one that holds the first day, though it may be cut: a cut week is told, not hidden."""
    return dg.WeeklyPartitionsDefinition(start_date=f"{monday_of_day(first_day)}", day_offset=1, timezone="UTC")
