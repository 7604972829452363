"""What a room declares of each of its partitioned tables: how finely it is cut, how far ahead, how long rows stay.

Policies of the rooms and those of stats.yaml have this one shape; the room table_partitions carries them out.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stats_assets.shared.config import Section


class PartitionPolicy(Section):
    """How one range-partitioned table is kept."""

    table: str = Field(min_length=1, description="schema.table")
    key: str = Field(min_length=1, description="the column it is partitioned by")
    kind: Literal["timestamptz", "date", "int"] = "timestamptz"
    step: Literal["hour", "day", "week", "month"] | int = Field(
        description="size of one table partition: a unit of time, or a number of ids for kind int"
    )
    zone: str = Field(default="UTC", description="time zone the bounds of hours, days, weeks and months are cut in")
    ahead: int = Field(default=4, ge=1, description="table partitions kept ready after the newest one in use")
    retention: str | int | None = Field(
        default=None, description="such as '26 weeks', or a number of ids; none keeps everything"
    )
    action: Literal["keep", "detach", "truncate", "archive", "drop"] = Field(
        default="keep", description="what happens to a table partition beyond its retention"
    )
    confirm: bool = Field(default=False, description="must be true for truncate, archive and drop")
