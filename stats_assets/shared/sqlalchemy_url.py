"""A libpq connection string as SQLAlchemy and Dagster want it."""

from __future__ import annotations

from psycopg2.extensions import parse_dsn
from sqlalchemy.engine import URL, make_url


def sqlalchemy_url(dsn: str) -> URL:
    """A libpq URL for SQLAlchemy: SQLAlchemy 2.1 takes a bare postgresql:// to mean psycopg 3, we mean psycopg2."""
    if "://" not in dsn:
        return URL.create("postgresql+psycopg2", query=parse_dsn(dsn))
    return make_url(dsn).set(drivername="postgresql+psycopg2")
