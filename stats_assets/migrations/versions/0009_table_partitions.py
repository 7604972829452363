"""The room table_partitions: its policies, events, attic, archives and inventory."""

from stats_assets.migrations import run_sql_beside

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_sql_beside(__file__)
