"""The section `backups` of stats.yaml."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from stats_assets.backups.plan import Keep
from stats_assets.shared.config import Section

Method = Literal["auto", "physical", "dump"]


class BackupsConfig(Section):
    """Where backups go, how many are kept, and when their absence is told."""

    url: str | None = Field(
        default=None, min_length=1, description="folder or fsspec URL; below the archive when absent"
    )
    staging: str = Field(
        default=".local/backups-staging",
        min_length=1,
        description="local folder in which backups are verified and restored; takes the database's size and a half",
    )
    method: Method = Field(
        default="auto",
        description="physical: the whole server; dump: the data database by schema; auto: what is possible",
    )
    keep_daily: int = Field(default=7, ge=1, le=3650, description="days whose newest backup is kept")
    keep_weekly: int = Field(default=4, ge=0, le=520, description="weeks whose newest backup is kept")
    keep_monthly: int = Field(default=12, ge=0, le=120, description="months whose newest backup is kept")
    compression_level: int = Field(default=3, ge=1, le=19, description="of zstd")
    max_rate_kb_per_second: int | None = Field(default=None, ge=32, description="of reading the server's files")
    backup_hour: int = Field(default=1, ge=0, le=23, description="UTC hour of the daily backup")
    drill_hour: int = Field(default=4, ge=0, le=23, description="UTC hour of the drill on Sundays")
    max_backup_age_hours: int = Field(default=30, ge=1, description="when the newest backup is older, a check fails")
    max_drill_age_days: int = Field(default=8, ge=1, description="when the last good drill is older, a check fails")
    restic_repository: str | None = Field(
        default=None,
        min_length=1,
        description="also hand every backup to restic; RESTIC_PASSWORD and the like come from the environment",
    )
    first_day: date = Field(default=date(2026, 1, 1), description="first daily Dagster partition")

    @property
    def keep(self) -> Keep:
        return Keep(self.keep_daily, self.keep_weekly, self.keep_monthly)
