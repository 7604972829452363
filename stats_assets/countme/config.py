"""The `countme` section of stats.yaml: which sites are counted, by which rules, and what is kept of addresses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pydantic import Field

from stats_assets.countme.weeks import Covers
from stats_assets.shared.config import Section

Policy = Literal["strict", "compat"]


@dataclass(frozen=True)
class CountedSite:
    """A site and the rules its logs are counted by."""

    name: str
    policy: Policy
    covers: Covers


class SiteSection(Section):
    """One of several sites; what it does not say is as in the section around it."""

    site: str = Field(min_length=1)
    policy: Policy | None = None
    covers: Covers | None = None


class CountmeConfig(Section):
    """How install counts are made from the logs of one site, or of several."""

    site: str = Field(default="mirrors.fedoraproject.org", min_length=1, description="the one site that is counted")
    sites: list[SiteSection] = Field(default=[], description="instead of `site`: several, each counted for itself")
    policy: Policy = Field(
        default="strict",
        description="strict: our rules; compat: count exactly what the established tool counts",
    )
    covers: Covers = Field(
        default="same_day",
        description="whose traffic a file holds: same_day, that of the date in its name; previous_day, that of the"
        " day before, as when the date is that of the rotation",
    )
    keep_addresses: bool = Field(
        default=False,
        description="false: only a 64-bit keyed hash, whose key changes weekly; true: the address as well",
    )
    keep_week_keys_days: int = Field(
        default=35,
        ge=1,
        description="days a week has to be final, not counted anew, until its hash key is destroyed, unless addresses"
        " are kept; longer than log hosts may deliver late",
    )
    keep_quarantine_days: int = Field(default=90, ge=1, description="days samples of rejected lines are kept")
    check_weeks: int = Field(default=8, ge=1, description="how many weeks back the check looks for partial ones")
    first_day: date = Field(default=date(2020, 2, 10), description="first daily partition")
    suppress_below: int | None = Field(
        default=None,
        ge=2,
        description="published rows with fewer hits are summed up as `other`; the tables keep them. None: no row is",
    )
    publish_unfinished_weeks: bool = Field(
        default=False,
        description="publish partial and provisional weeks, too, under policy strict with their status beside them",
    )
    max_rejected_share: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="a file with a larger share of rejected lines is unreadable: its week is not published",
    )

    @property
    def counted_sites(self) -> tuple[CountedSite, ...]:
        """The sites with their rules, by name: transactions that lock several do so in one order."""
        sections = self.sites or [SiteSection(site=self.site)]
        counted = [CountedSite(each.site, each.policy or self.policy, each.covers or self.covers) for each in sections]
        return tuple(sorted(counted, key=lambda site: site.name))

    def model_post_init(self, _context: Any) -> None:
        if self.sites and "site" in self.model_fields_set:
            raise ValueError("give either `site` or `sites`, not both")
        names = [each.site for each in self.sites]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"sites: {', '.join(twice)} is there more than once")
