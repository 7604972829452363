"""How alembic runs a revision here: on the connection `migrate` opened, inside its transaction."""

from alembic import context

from stats_assets.migrations import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
