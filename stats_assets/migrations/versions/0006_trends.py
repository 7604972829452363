"""trends: game logs from raw bytes to typed rows."""

from stats_assets.migrations import run_sql_beside

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql_beside(__file__)
