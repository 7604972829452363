"""countme.daily_unique_hosts, and from what each of its days was counted."""

from stats_assets.migrations import run_sql_beside

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql_beside(__file__)
