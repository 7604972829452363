"""The section `upkeep` of stats.yaml."""

from __future__ import annotations

from pydantic import Field

from stats_assets.shared.config import Section


class UpkeepConfig(Section):
    """How long Dagster's own records are kept."""

    keep_runs_days: int = Field(default=90, ge=1, description="finished runs, with their events and logs")
    keep_failed_runs_days: int = Field(default=180, ge=1, description="failed and canceled ones")
    keep_event_days: int = Field(
        default=30, ge=1, description="all events of runs that stay because a partition rests on them"
    )
    keep_compute_logs_days: int = Field(default=30, ge=1, description="what steps wrote to stdout and stderr")
    max_instance_gb: float = Field(default=20, gt=0, description="size of Dagster's database above which a check warns")
