"""events: what the typed tables were made from, and what is counted of them."""

from stats_assets.migrations import run_sql_beside

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    run_sql_beside(__file__)
