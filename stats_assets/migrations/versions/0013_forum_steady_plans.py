"""The room forum: indexes that leave the planner no second way."""

from stats_assets.migrations import run_sql_beside

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_sql_beside(__file__)
