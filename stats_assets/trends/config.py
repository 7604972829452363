"""The room's section of stats.yaml."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from stats_assets.trends.sources_config import SourceOptions


class TrendsConfig(SourceOptions):
    """Where game logs come from, and what is unusual about them."""

    batch_folder: str | None = Field(
        default=None,
        description="folder or fsspec URL that is watched for files of logs and batches of clone_logs; none: none is",
    )
    first_day: date = Field(default=date(2025, 11, 3), description="first daily partition, by upload in UTC")
    quarantine_share: float = Field(
        default=0.02, ge=0, le=1, description="largest share of quarantined among the newest logs before a check fails"
    )
    duplicate_share: float = Field(
        default=0.2, ge=0, le=1, description="largest share of duplicates among the newest logs before a check fails"
    )
    check_days: int = Field(default=28, gt=0, description="how far back the checks and charts look, in days")
