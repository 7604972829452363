"""The assets that write files people outside read: top crashers and pictures of the crash rates."""

# No `from __future__ import annotations`: Dagster reads the annotations of functions it is handed.
import dagster as dg

from stats_assets.crashes.keys import CHARTS, DAILY_CRASH_RATES, GROUP, SIGNATURE_COUNTS, TOP_CRASHERS
from stats_assets.crashes.publish import FOLDER, TOP_CRASHERS_NAME, publish_charts, publish_top_crashers
from stats_assets.shared.archive import Archive
from stats_assets.shared.charts import as_markdown
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, told_to_dagster

_OWNERS = ["team:stats"]
_CODE_VERSION = "1"


def build_publishing() -> list[dg.AssetsDefinition]:
    @dg.asset(
        key=TOP_CRASHERS,
        group_name=GROUP,
        owners=_OWNERS,
        kinds={"csv"},
        tags={"layer": "report"},
        deps=[SIGNATURE_COUNTS],
        retry_policy=DATABASE_RETRY,
        code_version=_CODE_VERSION,
    )
    def top_crashers(
        database: dg.ResourceParam[StatsDatabase], archive: dg.ResourceParam[Archive]
    ) -> dg.MaterializeResult:
        """top_crashers.csv: what crashes most per product and channel in seven days, beside those before."""
        with told_to_dagster():
            published = publish_top_crashers(database, archive)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": published.rows,
                "first_day": str(published.first_day),
                "last_day": str(published.last_day),
                "file": dg.MetadataValue.path(archive.location(TOP_CRASHERS_NAME)),
                "top_crashers": dg.MetadataValue.md(published.preview),
            }
        )

    @dg.asset(
        key=CHARTS,
        group_name=GROUP,
        owners=_OWNERS,
        kinds={"matplotlib"},
        tags={"layer": "report"},
        deps=[DAILY_CRASH_RATES],
        retry_policy=DATABASE_RETRY,
        code_version=_CODE_VERSION,
    )
    def charts(database: dg.ResourceParam[StatsDatabase], archive: dg.ResourceParam[Archive]) -> dg.MaterializeResult:
        """A picture per product: crashes per 100 active daily installs of its versions over the last 90 days."""
        with told_to_dagster():
            drawn = publish_charts(database, archive)
        return dg.MaterializeResult(
            metadata={
                "charts": dg.MetadataValue.md(as_markdown(drawn.previews)),
                "folder": dg.MetadataValue.path(archive.location(FOLDER)),
                "size_bytes": drawn.size_bytes,
            }
        )

    return [top_crashers, charts]
