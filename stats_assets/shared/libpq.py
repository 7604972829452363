"""A connection string as variables: for PostgreSQL's own programs, on whose command line `ps` would show a password."""

from __future__ import annotations

from psycopg2.extensions import parse_dsn

# Where the variable is not simply PG and the keyword.
_NAMES = {
    "dbname": "PGDATABASE",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "application_name": "PGAPPNAME",
    "client_encoding": "PGCLIENTENCODING",
}


def libpq_variables(dsn: str) -> dict[str, str]:
    """The connection string as the PG* variables libpq reads. Raises psycopg2.ProgrammingError for what has none."""
    return {_NAMES.get(key, f"PG{key.replace('_', '').upper()}"): str(value) for key, value in parse_dsn(dsn).items()}
