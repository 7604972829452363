"""trends: what the site lists, aggregates of game logs, demos and league matches."""

from stats_assets.migrations import run_sql_beside

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql_beside(__file__)
