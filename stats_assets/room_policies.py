"""The table partition policies every room declares, in its module `partition_policies`, found by itself.

A room that lets stats.yaml decide has a function `policies(section)`, the others a constant `POLICIES`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from stats_assets.configuration import StatsConfig
from stats_assets.shared.environment import PROJECT_FOLDER
from stats_assets.shared.partition_policy import PartitionPolicy

_PACKAGE = PROJECT_FOLDER / "stats_assets"


def room_policies(config: StatsConfig) -> tuple[PartitionPolicy, ...]:
    """The policies of every room that has partitioned tables, rooms by name."""
    rooms = sorted(file.parent.name for file in _PACKAGE.glob("*/partition_policies.py"))
    return tuple(policy for room in rooms for policy in _policies_of(room, config))


def _policies_of(room: str, config: StatsConfig) -> Sequence[PartitionPolicy]:
    module = import_module(f"stats_assets.{room}.partition_policies")
    return module.policies(getattr(config, room)) if hasattr(module, "policies") else module.POLICIES
