"""The history of the whole database: alembic runs it, the statements are .sql files beside each revision.

All pending revisions run in one transaction: a migration that stops half-way leaves nothing behind.
There are no downgrades; a backup is the way back.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from stats_assets.shared.failures import ConfigurationMistake, SourceAway, first_line
from stats_assets.shared.sqlalchemy_url import sqlalchemy_url

VERSION_TABLE = "stats_migration"
_LOCK = 7_319_402_118  # any number, the same for every migrating process


def run_sql_beside(module_file: str) -> None:
    """Runs the .sql file that has the revision module's name, as one script."""
    script = Path(module_file).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(script.replace("%", "%%"))


def newest_revision() -> str:
    """The revision this code was written for."""
    head = _scripts().get_current_head()
    assert head is not None, "the migrations folder holds no revision"
    return head


def migrate(dsn: str) -> tuple[str | None, str]:
    """Brings the database to `newest_revision`; gives the revisions before and after.

    Safe to run twice or from two processes. Raises ConfigurationMistake when the database is newer than the code.
    """
    engine = create_engine(sqlalchemy_url(dsn), hide_parameters=True)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            before = _known_revision(connection)
            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", str(Path(__file__).parent))
            command.upgrade(config, "head")
    except OperationalError as error:
        raise SourceAway(f"PostgreSQL does not answer: {first_line(error.orig)}") from error
    finally:
        engine.dispose()
    return before, newest_revision()


def _known_revision(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    current = context.get_current_revision()
    if current is not None and current not in {script.revision for script in _scripts().walk_revisions()}:
        raise ConfigurationMistake(
            f"the database is at revision {current}, which this code (newest: {newest_revision()}) does not know:"
            " it was migrated by a newer version; update the code, nothing was changed"
        )
    return current


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(Path(__file__).parent))
