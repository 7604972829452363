"""What is wrong and who was told of it; how large Dagster's own tables are, and what was taken out of them."""

from stats_assets.migrations import run_sql_beside

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    run_sql_beside(__file__)
