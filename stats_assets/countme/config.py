"""The `countme` section of stats.yaml: which site is counted, by which rules, and what is kept of addresses."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from stats_assets.shared.config import Section

Policy = Literal["strict", "compat"]


class CountmeConfig(Section):
    """How install counts are made from the logs of one site."""

    site: str = Field(default="mirrors.fedoraproject.org", min_length=1)
    policy: Policy = Field(
        default="strict",
        description="strict: our rules; compat: count exactly what the established tool counts",
    )
    keep_addresses: bool = Field(
        default=False,
        description="false: only a 64-bit keyed hash, whose key changes weekly; true: the address as well",
    )
    first_day: date = Field(default=date(2020, 2, 10), description="first daily partition")
    max_rejected_share: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="a file with a larger share of rejected lines is unreadable: its week is not published",
    )
