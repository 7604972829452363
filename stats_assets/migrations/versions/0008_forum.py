"""The forum: its copy, the frontier of the crawl, and the daily counts made from it."""

from stats_assets.migrations import run_sql_beside

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_sql_beside(__file__)
