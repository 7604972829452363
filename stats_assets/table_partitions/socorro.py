"""Socorro's report_partition_info as policies: weeks ahead, dropped after a year, two tables emptied earlier.

The table has one row per partitioned parent, with partition_column and timetype; Socorro drops, after a year, parents
whose partition_column is date_processed, and empties raw_crashes and processed_crashes after weeks_to_keep. The text
that comes out takes nothing away until somebody writes confirm: true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import psycopg2
import yaml

from stats_assets.shared.failures import ConfigurationMistake, first_line
from stats_assets.shared.identifiers import quoted
from stats_assets.shared.partition_policy import PartitionPolicy
from stats_assets.shared.postgres import StatsDatabase, one_row

_ROWS = """
SELECT t.table_name::text, t.partition_column::text, upper(t.timetype::text), n.nspname::text, c.relkind::text
FROM {table} t
LEFT JOIN pg_class c ON c.oid = to_regclass(quote_ident(t.table_name::text))
LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY t.build_order, t.table_name
"""
_KINDS = {"TIMESTAMPTZ": "timestamptz", "DATE": "date"}
_DROPPED_BY = "date_processed"
_EMPTIED = {"raw_crashes", "processed_crashes"}
_HEAD = """\
# From report_partition_info. Nothing is taken away before confirm: true is written beside an action.
# A table has one action: those that are emptied are not dropped later; what remains of a week then is an empty table.
"""


@dataclass(frozen=True)
class PartitionInfo:
    """A row of report_partition_info, with the schema its table was found in."""

    table: str
    column: str
    timetype: str
    schema: str | None
    relkind: str | None = None


def import_policies(database: StatsDatabase, table: tuple[str, str], truncate_after: str | None) -> str:
    """The section of stats.yaml. Raises ConfigurationMistake when there is no such table, or a row makes no sense."""
    with database.session() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (quoted(*table),))
        if one_row(cursor) == (False,):
            raise ConfigurationMistake(f"{'.'.join(table)} is not there; name Socorro's report_partition_info")
        try:
            cursor.execute(_ROWS.format(table=quoted(*table)))
        except psycopg2.errors.UndefinedColumn as error:
            raise ConfigurationMistake(f"{'.'.join(table)} is not Socorro's: {first_line(error)}") from error
        rows = [PartitionInfo(*row) for row in cursor.fetchall()]
    return as_yaml(list(policies(rows, truncate_after)), [row for row in rows if row.relkind != "p"])


def policies(rows: Iterable[PartitionInfo], truncate_after: str | None) -> Iterator[PartitionPolicy]:
    """A policy per row. Socorro makes the current week and two more."""
    for row in rows:
        kind = _KINDS.get(row.timetype)
        if kind is None:
            raise ConfigurationMistake(f"report_partition_info: {row.table} has timetype {row.timetype!r}")
        facts = {"table": f"{row.schema or 'public'}.{row.table}", "key": row.column, "kind": kind, "step": "week"}
        if row.table in _EMPTIED and truncate_after is not None:
            facts |= {"retention": truncate_after, "action": "truncate"}
        elif row.column == _DROPPED_BY:
            facts |= {"retention": "1 year", "action": "drop"}
        yield PartitionPolicy.model_validate(facts | {"ahead": 2})


def as_yaml(found: list[PartitionPolicy], not_partitioned: Iterable[PartitionInfo] = ()) -> str:
    """Text for stats.yaml, with a note for each table that is not partitioned declaratively yet."""
    notes = "".join(
        f"# {row.table} is {'not there' if row.relkind is None else 'partitioned by inheritance or not at all'}:"
        " its policy is refused until it is PARTITION BY RANGE.\n"
        for row in not_partitioned
    )
    section = {"table_partitions": {"policies": [policy.model_dump(exclude_none=True) for policy in found]}}
    return _HEAD + notes + yaml.safe_dump(section, sort_keys=False)
