"""The `crashes` section of stats.yaml: where the feeds are, what the maps say, what is kept of private fields."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from stats_assets.shared.config import Section
from stats_assets.shared.environment import PROJECT_FOLDER


def _from_the_project(url: str) -> str:
    """A relative path is meant from the project, wherever a process happens to run."""
    return url if "://" in url else str((PROJECT_FOLDER / Path(url)).resolve())


Url = Annotated[str, AfterValidator(_from_the_project)]


class CrashesConfig(Section):
    """Where crash reports and installs come from. Without the feeds and maps the room is empty."""

    adi_feed: Url | None = Field(
        default=None,
        repr=False,
        description="URL of a day's active installs, CSV or TSV, with strftime codes; plain, .gz, .xz or .zst",
    )
    reports_feed: Url | None = Field(
        default=None,
        repr=False,
        description="URL of a day's processed crashes: JSON lines, or a folder (ending in /) or glob of files",
    )
    raw_feed: Url | None = Field(
        default=None, repr=False, description="the same for what clients sent; without it nothing is known of that"
    )
    releases_feed: Url | None = Field(default=None, repr=False, description="URL of the one CSV file of all releases")
    maps: Url | None = Field(default=None, repr=False, description="folder of the mapping CSV files")
    # Not shown in reprs: it may hold credentials that came from the environment.
    storage_options: dict[str, Any] = Field(
        default_factory=dict, repr=False, description="arguments of the fsspec driver, e.g. endpoint_url for s3:"
    )
    first_day: date = Field(default=date(2025, 11, 3), description="first daily partition")
    private_fields: Literal["drop", "restricted"] = Field(
        default="drop",
        description="e-mail, URL, comments and app notes: dropped, or kept in crashes.reports_private",
    )
    max_document_bytes: int = Field(
        default=4 * 2**20, ge=1024, description="a longer document is quarantined: stacks grow without end"
    )
    max_feed_bytes: int = Field(
        default=64 * 2**30, ge=1024, description="most a day's files may unpack to; more is a mistake or an attack"
    )
    max_samples: int = Field(default=500, ge=1, description="samples kept in quarantine per input and day")
    attempts: int = Field(default=3, ge=1, le=20, description="how often a feed is asked in one run")
    attempt_seconds: float = Field(default=2, ge=0, description="pause before the second try; doubles with each")
    answer_timeout_seconds: float = Field(default=60, gt=0, description="longest silence of an HTTP source")
    late_window_days: int = Field(
        default=28, ge=1, le=366, description="how many days back the sensor looks for late feeds and stale days"
    )
    keep_raw_weeks: int = Field(
        default=26, ge=2, description="weeks that reports and raw crashes stay; aggregates stay for ever"
    )
    raw_action: Literal["keep", "truncate", "archive"] = Field(
        default="keep", description="what happens to reports and raw crashes older than keep_raw_weeks"
    )
    max_quarantined_share: float = Field(default=0.05, gt=0, le=1, description="a larger share of a day is unusual")
    max_duplicate_share: float = Field(default=0.25, gt=0, le=1, description="a larger share of a day is unusual")
    max_unknown_product_share: float = Field(default=0.05, gt=0, le=1, description="a larger share is unusual")
    usual_change: float = Field(
        default=0.5,
        gt=0,
        description="installs and crashes further than this share from the median of the same weekday are unusual",
    )

    @property
    def is_configured(self) -> bool:
        return self.adi_feed is not None

    @model_validator(mode="after")
    def _all_or_nothing(self) -> Self:
        feeds = {name: getattr(self, name) for name in ("adi_feed", "reports_feed", "releases_feed", "maps")}
        missing = [name for name, url in feeds.items() if url is None]
        if missing and len(missing) < len(feeds):
            raise ValueError(f"{', '.join(missing)} must be given too: the room needs all of {', '.join(feeds)}")
        if missing and self.raw_feed is not None:
            raise ValueError(f"{', '.join(missing)} must be given beside raw_feed")
        return self

    def feed(self, name: Literal["adi_feed", "reports_feed", "releases_feed", "maps"]) -> str:
        """The URL of a feed that a configured room has."""
        url = getattr(self, name)
        assert url is not None, f"crashes.{name} is not configured"
        return url
