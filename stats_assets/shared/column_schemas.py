"""What a table's columns mean, as the Dagster UI shows it. Meanings are the rooms'; tables are made in migrations."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg


def column_schema(columns: Mapping[str, tuple[str, str]]) -> dg.TableSchema:
    """Columns in their order: type in PostgreSQL and meaning by name."""
    return dg.TableSchema([dg.TableColumn(name, kind, meaning) for name, (kind, meaning) in columns.items()])
