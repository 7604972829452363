"""crashes: reports and installs by day, and the rates made of them."""

from stats_assets.migrations import run_sql_beside

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_sql_beside(__file__)
