"""What a table partition has otherwise than its parent, and the steps that bring it back. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from stats_assets.shared.identifiers import quoted
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.table_partitions import statements
from stats_assets.table_partitions.catalog import Table, TablePartition
from stats_assets.table_partitions.periods import shown
from stats_assets.table_partitions.steps import Lock, Step


def drift(table: Table) -> dict[str, list[str]]:
    """By table partition, the statements that would make it like its parent again; nothing where it is."""
    found = {part.name: [sql for step in _of_part(table, part) for sql in step[0]] for part in table.partitions}
    return {name: differences for name, differences in found.items() if differences}


def repairs(policy: PartitionPolicy, table: Table) -> list[Step]:
    """A step per table partition and kind of trouble."""
    return [
        Step(
            "repair",
            policy.table,
            part.schema,
            part.name,
            sql,
            lock="ACCESS EXCLUSIVE on the table partition" if is_transaction else "SHARE UPDATE EXCLUSIVE on it",
            lower=shown(part.lower),
            upper=shown(part.upper),
            why="it is not as its parent is",
            bytes=part.bytes,
            rows=part.rows,
            is_transaction=is_transaction,
            oid=part.oid,
            waits_for=(Lock("ACCESS EXCLUSIVE", quoted(part.schema, part.name)),) if is_transaction else (),
        )
        for part in table.partitions
        for sql, is_transaction in _of_part(table, part)
    ]


def _of_part(table: Table, part: TablePartition) -> Iterator[tuple[tuple[str, ...], bool]]:
    if traits := statements.like_parent(table.traits, part):
        yield traits, True
    for index in part.missing_indexes:
        yield statements.build_index(part, index), False  # CONCURRENTLY, so in no transaction
