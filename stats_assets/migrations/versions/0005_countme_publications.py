"""Where a row of countme.weekly_totals stands in the published file, and what is published."""

from stats_assets.migrations import run_sql_beside

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_sql_beside(__file__)
