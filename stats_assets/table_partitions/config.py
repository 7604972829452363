"""The section `table_partitions` of stats.yaml."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pydantic import Field, field_validator

from stats_assets.shared.config import Section
from stats_assets.shared.failures import ConfigurationMistake
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.table_partitions.limits import Limits
from stats_assets.table_partitions.patience import Patience

# Loaders make table partitions, too, where rows come before us, and write straight into them.
_LOADERS_KNOW = ("key", "kind", "step", "zone")


class TablePartitionsConfig(Section):
    """Which tables are kept how, beyond what the rooms declare, and how much one run may do."""

    policies: list[PartitionPolicy] = Field(
        default_factory=list, description="take the place of a room's policy of the same table, or add tables"
    )
    attic_days: int = Field(default=7, ge=0, le=3650, description="days between detach and drop")
    max_created: int = Field(default=60, ge=1, description="table partitions made per table and run")
    max_retired: int = Field(
        default=8, ge=1, description="table partitions taken away per table and run, so that a mistake stays small"
    )
    max_drained_rows: int = Field(
        default=1_000_000, ge=0, description="most rows moved out of a default partition in one transaction"
    )
    retire_hour: int = Field(default=3, ge=0, le=23, description="UTC hour of the daily run that takes away")
    lock_timeout_milliseconds: int = Field(
        default=50, ge=1, le=60_000, description="longest wait for a lock: the longest anybody waits behind us"
    )
    lock_budget_seconds: float = Field(
        default=60, gt=0, le=3600, description="how long a step tries again before it is deferred to the next run"
    )

    @property
    def limits(self) -> Limits:
        return Limits(self.max_created, self.max_retired, self.max_drained_rows, self.attic_days)

    @property
    def patience(self) -> Patience:
        return Patience(self.lock_timeout_milliseconds, self.lock_budget_seconds)

    @field_validator("policies")
    @classmethod
    def _one_per_table(cls, policies: list[PartitionPolicy]) -> list[PartitionPolicy]:
        repeated = [table for table, count in Counter(policy.table for policy in policies).items() if count > 1]
        if repeated:
            raise ValueError(f"{repeated[0]} has two policies; which one counts?")
        return policies


def effective(built_in: Sequence[PartitionPolicy], config: TablePartitionsConfig) -> tuple[PartitionPolicy, ...]:
    """The rooms' policies, each replaced by that of stats.yaml for the same table, and those of stats.yaml alone.

    Raises ConfigurationMistake for one that would cut a room's table otherwise than its loader does.
    """
    by_table = {policy.table: policy for policy in built_in}
    for policy in config.policies:
        room_s = by_table.get(policy.table, policy)
        if any(getattr(policy, name) != getattr(room_s, name) for name in _LOADERS_KNOW):
            wanted = ", ".join(f"{name}: {getattr(room_s, name)}" for name in _LOADERS_KNOW)
            raise ConfigurationMistake(
                f"table_partitions.policies: {policy.table} is loaded by a room that cuts it by {wanted};"
                " give these, and choose ahead, retention, action and confirm"
            )
        by_table[policy.table] = policy
    return tuple(by_table.values())
