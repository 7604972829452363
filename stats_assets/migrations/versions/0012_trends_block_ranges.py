"""trends: the many rows of a log are found by their place, not by a key each."""

from stats_assets.migrations import run_sql_beside

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_sql_beside(__file__)
