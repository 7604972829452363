"""What fails in the sandbox on purpose, for those who must tell a planned failure from a real one."""

from __future__ import annotations

from datetime import date

from stats_assets.sandbox import crash_site
from stats_assets.sandbox.log_hosts import missing_day


def planned_failures(today: date) -> dict[str, set[str]]:
    """Asset key to the partitions that fail on purpose when materialized on `today` (UTC): a host lost its file, a
    collector a day of installs; its last reports come late, so that at first they may be missing."""
    return {
        "log_sync/files": {missing_day(today).isoformat()},
        "crashes/active_daily_installs": {crash_site.missing_day(today).isoformat()},
        "crashes/reports": {crash_site.late_day(today).isoformat()},
    }
