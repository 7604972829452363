"""The `forum` section of stats.yaml: which forum is copied, how fast, and which of its boards."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, PositiveInt

from stats_assets.shared.config import Section


class ForumConfig(Section):
    """How a forum is crawled."""

    base_url: str = Field(
        default="", pattern=r"^(https?://\S+/)?$", description="where xml/boards.php is; ends in /; empty: no forum"
    )
    public_url: str = Field(
        default="http://forum.mods.de/bb/",
        pattern=r"^https?://\S+/$",
        description="what links without a host mean: /x is of its host, ./x is below it",
    )
    requests_per_second: float | None = Field(
        default=2, gt=0, description="of all crawlers together; null: as fast as it answers"
    )
    boards: Literal["all"] | list[PositiveInt] = Field(default="all", description="all, or the ids of boards")
    page_size: int = Field(default=30, ge=1, le=1000, description="posts and threads on a page")
    first_day: date = Field(default=date(2001, 1, 1), description="first daily partition")
    tags: bool = Field(default=False, description="read the tags of each new thread: one more request each")

    connect_seconds: float = Field(default=5, gt=0, description="to connect")
    read_seconds: float = Field(default=30, gt=0, description="longest silence")
    answer_seconds: float = Field(default=120, gt=0, description="longest answer")
    max_page_bytes: int = Field(default=16_000_000, gt=0, description="a larger answer is refused")
    tries: int = Field(default=3, ge=1, description="of a page before its unit is put off")
    attempts: int = Field(default=5, ge=1, description="of a unit before it is parked")
    retry_seconds: float = Field(default=5, gt=0, description="before the second attempt; doubles")
    outage_seconds: float = Field(default=30, gt=0, description="pause when the forum fails again and again")
    look_seconds: int = Field(default=300, gt=0, description="distance of two looks at a board's newest threads")
    time_box_seconds: int = Field(default=540, gt=0, description="length of a run that a sensor has started")
    audit_pages: int = Field(default=3, ge=1, description="older pages of each listing that are read again every night")
