"""backups: the books of base backups and restore drills."""

from stats_assets.migrations import run_sql_beside

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    run_sql_beside(__file__)
