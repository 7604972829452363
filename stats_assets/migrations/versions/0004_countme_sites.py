"""countme counts several sites; weeks have a status, a coverage and revisions; keys of finished weeks can go."""

from stats_assets.migrations import run_sql_beside

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql_beside(__file__)
