"""The daily counts as assets: any of the tables, any range of days in one run. Counting itself is in `counts`."""

# No `from __future__ import annotations`: Dagster reads the annotations of functions it is handed.
from datetime import date

import dagster as dg

from stats_assets.forum.assets import GROUP, POSTS, common
from stats_assets.forum.config import ForumConfig
from stats_assets.forum.counts import DayReport, replace_day
from stats_assets.shared.partitions import daily
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, told_to_dagster

_OF_POSTS = dg.AssetDep(POSTS, partition_mapping=dg.AllPartitionMapping())
_DESCRIPTIONS = {
    "post_quotes": "Which posts quote which, per UTC day of the quoting post.",
    "post_links": "Links, pictures and videos in posts, outside of quotes, per UTC day of the post.",
    "daily_stats": "Posts, edits, lengths, new threads and active users per UTC day and board.",
    "poster_stats": "Posts, edits, lengths and new threads per UTC day, board and user.",
    "quote_stats": "Who quotes whom how often, per UTC day and board.",
    "link_relation": "Who links to which domains how often, per UTC day.",
}
_UPSTREAM = {"quote_stats": "post_quotes", "link_relation": "post_links"}


def build_count_assets(config: ForumConfig) -> list[dg.AssetsDefinition]:
    """One definition of all tables: those of a run that read posts' texts read them once."""

    @dg.multi_asset(
        name="forum_counts",
        specs=[_spec(table) for table in _DESCRIPTIONS],
        can_subset=True,
        partitions_def=daily(config.first_day),
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=DATABASE_RETRY,
    )
    def forum_counts(context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]):
        # In our order, upstream first, as Dagster wants them; selected are they in none.
        tables = [table for table in _DESCRIPTIONS if dg.AssetKey([GROUP, table]) in context.selected_asset_keys]
        with told_to_dagster():
            for key in context.partition_keys:
                report = replace_day(database, date.fromisoformat(key), tables, config.public_url)
                for table in tables:
                    context.add_asset_metadata(
                        day_metadata(report, table), asset_key=dg.AssetKey([GROUP, table]), partition_key=key
                    )
        for table in tables:
            yield dg.MaterializeResult(asset_key=dg.AssetKey([GROUP, table]))

    return [forum_counts]


def day_metadata(report: DayReport, table: str) -> dict[str, int | float]:
    return {
        "dagster/row_count": report.rows[table],
        "data_generation": report.generation,
        "seconds": round(report.seconds, 3),
    }


def _spec(table: str) -> dg.AssetSpec:
    upstream = _UPSTREAM.get(table)
    layer = "clean" if table in ("post_quotes", "post_links") else "aggregate"
    return dg.AssetSpec(
        **common(table, layer),
        description=_DESCRIPTIONS[table],
        deps=[dg.AssetKey([GROUP, upstream])] if upstream else [_OF_POSTS],
        skippable=False,
    )
