"""What fails in the sandbox on purpose, for those who must tell a planned failure from a real one."""

from __future__ import annotations

from datetime import date

from stats_assets.sandbox.log_hosts import missing_day


def planned_failures(today: date) -> dict[str, set[str]]:
    """Asset key to the partitions that fail on purpose when materialized on `today` (UTC): a host lost its file."""
    return {"log_sync/files": {missing_day(today).isoformat()}}
