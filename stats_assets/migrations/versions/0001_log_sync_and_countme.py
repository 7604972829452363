"""log_sync.files; countme from sources to weekly totals."""

from stats_assets.migrations import run_sql_beside

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_sql_beside(__file__)
