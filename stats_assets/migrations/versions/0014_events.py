"""events: what the collector receives, and what it refuses."""

from stats_assets.migrations import run_sql_beside

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    run_sql_beside(__file__)
