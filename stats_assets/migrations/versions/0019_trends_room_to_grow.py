"""trends: room in the pages of the cubes, so that sums grow in place."""

from stats_assets.migrations import run_sql_beside

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run_sql_beside(__file__)
