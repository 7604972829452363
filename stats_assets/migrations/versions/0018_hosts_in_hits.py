"""countme: the view of hits shows clear addresses to those alone who may read them."""

from stats_assets.migrations import run_sql_beside

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    run_sql_beside(__file__)
