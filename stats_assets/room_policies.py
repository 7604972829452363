"""The table partition policies every room declares, in its module `partition_policies`, found by itself."""

from __future__ import annotations

from importlib import import_module

from stats_assets.shared.environment import PROJECT_FOLDER
from stats_assets.shared.partition_policy import PartitionPolicy

_PACKAGE = PROJECT_FOLDER / "stats_assets"


def room_policies() -> tuple[PartitionPolicy, ...]:
    """`POLICIES` of every room that has partitioned tables, rooms by name."""
    rooms = sorted(file.parent.name for file in _PACKAGE.glob("*/partition_policies.py"))
    return tuple(
        policy for room in rooms for policy in import_module(f"stats_assets.{room}.partition_policies").POLICIES
    )
