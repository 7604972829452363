"""What fails in the sandbox on purpose, for those who must tell a planned failure from a real one."""

from __future__ import annotations

from datetime import date

from stats_assets.sandbox.log_hosts import late_day, missing_day


def planned_failures(today: date) -> dict[str, set[str]]:
    """Asset key to the partitions that may fail as planned when they are first materialized on `today` (UTC).

    The missing day fails for good; the late one only until its file has arrived.
    """
    return {"log_sync/files": {missing_day(today).isoformat(), late_day(today).isoformat()}}
