"""The manifest tells expected, waived, versions and times of lines; log_sync.combined_logs; coverage."""

from stats_assets.migrations import run_sql_beside

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql_beside(__file__)
