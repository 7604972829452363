"""The assets people outside read: files in published/countme/ of the archive.

Files that did not change stay as they are. What they are made of is told by the modules publish_*, when they are made
in `published_automation`.
"""

# No `from __future__ import annotations` here: Dagster reads the annotations of functions it is handed.
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg

from stats_assets.countme import published_sql as sql
from stats_assets.countme.assets import GROUP, OWNERS, WEEKLY_TOTALS
from stats_assets.countme.config import CountmeConfig
from stats_assets.countme.publications import FOLDER, PublishedFile, Publisher
from stats_assets.countme.publish_charts import publish_charts
from stats_assets.countme.publish_index import ALL_SITES, publish_index
from stats_assets.countme.publish_mirrors import held_back_days, publish_mirrors
from stats_assets.countme.publish_totals import (
    TOTALS_CSV_GZ,
    PublishedRows,
    publish_csv,
    publish_databases,
    publish_parquet,
)
from stats_assets.countme.unique_hosts_asset import DAILY_UNIQUE_HOSTS
from stats_assets.shared.archive import Archive
from stats_assets.shared.charts import as_markdown
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, told_to_dagster

TOTALS_CSV = dg.AssetKey(["countme", "totals_csv"])
TOTALS_PARQUET = dg.AssetKey(["countme", "totals_parquet"])
TOTALS_DB = dg.AssetKey(["countme", "totals_db"])
MIRRORS_CSV = dg.AssetKey(["countme", "mirrors_csv"])
CHART_FILES = dg.AssetKey(["countme", "charts"])
INDEX = dg.AssetKey(["countme", "index"])
PUBLISHED = (TOTALS_CSV, TOTALS_PARQUET, TOTALS_DB, MIRRORS_CSV, CHART_FILES, INDEX)

# Made when weeks are, a little later.
_WEEKLY = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=9), warn_window=timedelta(days=8))
_DAILY = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=3), warn_window=timedelta(hours=36))


def build_published_assets(config: CountmeConfig) -> list[dg.AssetsDefinition]:
    sites = published_rows(config)

    @dg.asset(
        key=TOTALS_CSV,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"csv"},
        tags={"layer": "report"},
        deps=[WEEKLY_TOTALS],
        retry_policy=DATABASE_RETRY,
        freshness_policy=_WEEKLY,
        code_version="2",
    )
    def totals_csv(
        database: dg.ResourceParam[StatsDatabase], archive: dg.ResourceParam[Archive]
    ) -> dg.MaterializeResult:
        """totals.csv per site: every published week, replaced as a whole, and the same gzipped.

        Policy compat writes what the established tool does, byte for byte; strict adds status, coverage, revision.
        """
        with told_to_dagster():
            files = _for_each(database, archive, sites, publish_csv)
            weeks, held_back = _weeks(database, sites)
        plain = [file for file in files if file.name != TOTALS_CSV_GZ]
        return dg.MaterializeResult(
            metadata=_metadata(files, archive)
            | {"dagster/row_count": sum(file.contents.rows for file in plain), "weeks": weeks}
            | {"weeks_left_out": held_back}
        )

    @dg.asset(
        key=TOTALS_PARQUET,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"parquet"},
        tags={"layer": "report"},
        deps=[WEEKLY_TOTALS],
        retry_policy=DATABASE_RETRY,
        freshness_policy=_WEEKLY,
        code_version="1",
    )
    def totals_parquet(
        database: dg.ResourceParam[StatsDatabase], archive: dg.ResourceParam[Archive]
    ) -> dg.MaterializeResult:
        """totals.parquet per site: the rows of totals.csv with status, coverage and revision, in its order."""
        with told_to_dagster():
            files = _for_each(database, archive, sites, lambda publisher, rows: [publish_parquet(publisher, rows)])
        return dg.MaterializeResult(metadata=_metadata(files, archive))

    @dg.asset(
        key=TOTALS_DB,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"sqlite"},
        tags={"layer": "report"},
        deps=[WEEKLY_TOTALS],
        retry_policy=DATABASE_RETRY,
        freshness_policy=_WEEKLY,
        code_version="1",
    )
    def totals_db(
        database: dg.ResourceParam[StatsDatabase], archive: dg.ResourceParam[Archive]
    ) -> dg.MaterializeResult:
        """totals.db per site, as readers of the established tool's know it, and its halves totals-countme, -unique."""
        with told_to_dagster():
            files = _for_each(database, archive, sites, publish_databases)
        return dg.MaterializeResult(metadata=_metadata(files, archive))

    @dg.asset(
        key=MIRRORS_CSV,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"csv"},
        tags={"layer": "report"},
        deps=[DAILY_UNIQUE_HOSTS],
        retry_policy=DATABASE_RETRY,
        freshness_policy=_DAILY,
        code_version="1",
    )
    def mirrors_csv(
        database: dg.ResourceParam[StatsDatabase], archive: dg.ResourceParam[Archive]
    ) -> dg.MaterializeResult:
        """mirrors.csv per site: hosts per day by repository and architecture, and their means over seven days.

        A day is in it when the files that hold it are loaded. The columns are those of the established mirrors
        report and ours behind them; it loses a host each day, this does not.
        """
        without_column: dict[str, int] = {}
        held_back: list[str] = []

        def publish(publisher: Publisher, rows: PublishedRows) -> list[PublishedFile]:
            files, report = publish_mirrors(publisher, rows)
            without_column.update(report.without_column)
            held_back.extend(f"{rows.site} {day}" for day in held_back_days(database, rows))
            return files

        with told_to_dagster():
            files = _for_each(database, archive, sites, publish)
        told = {"hosts_without_column": without_column, "days_left_out": held_back}
        return dg.MaterializeResult(metadata=_metadata(files, archive) | told)

    @dg.asset(
        key=CHART_FILES,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"matplotlib"},
        tags={"layer": "report"},
        deps=[WEEKLY_TOTALS, DAILY_UNIQUE_HOSTS],
        retry_policy=DATABASE_RETRY,
        code_version="2",
    )
    def charts(database: dg.ResourceParam[StatsDatabase], archive: dg.ResourceParam[Archive]) -> dg.MaterializeResult:
        """Pictures per site: systems per week by release, variant, architecture and age; hosts per day by version."""
        previews: dict[str, bytes] = {}

        def publish(publisher: Publisher, rows: PublishedRows) -> list[PublishedFile]:
            drawn = publish_charts(publisher, rows)
            titles = {each.chart.title: each.preview for each in drawn}
            previews.update(titles if len(sites) == 1 else {f"{rows.site}: {t}": png for t, png in titles.items()})
            return [each.file for each in drawn]

        with told_to_dagster():
            files = _for_each(database, archive, sites, publish)
        return dg.MaterializeResult(
            metadata=_metadata(files, archive) | {"charts": dg.MetadataValue.md(as_markdown(previews))}
        )

    @dg.asset(
        key=INDEX,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"html"},
        tags={"layer": "report"},
        deps=[TOTALS_CSV, TOTALS_PARQUET, TOTALS_DB, MIRRORS_CSV, CHART_FILES],
        retry_policy=DATABASE_RETRY,
        code_version="1",
    )
    def index(database: dg.ResourceParam[StatsDatabase], archive: dg.ResourceParam[Archive]) -> dg.MaterializeResult:
        """index.html over all sites: files, state of the newest weeks, pictures."""
        with told_to_dagster():
            page = publish_index(Publisher(database, archive, ALL_SITES, inputs_of_all(database, sites)), sites)
        return dg.MaterializeResult(metadata=_metadata([page], archive))

    return [totals_csv, totals_parquet, totals_db, mirrors_csv, charts, index]


def published_rows(config: CountmeConfig) -> list[PublishedRows]:
    """Which rows of each site are published."""
    return [
        PublishedRows(site.name, site.policy, site.covers, config.publish_unfinished_weeks, config.suppress_below)
        for site in config.counted_sites
    ]


def inputs_of(database: StatsDatabase, rows: PublishedRows) -> str | None:
    """A digest of what a site's files are made of now; None before anything is counted."""
    with database.transaction() as cursor:
        cursor.execute(sql.PUBLISHING_INPUTS, rows.parameters | {"settings": rows.settings})
        row = cursor.fetchone()
    return row[0] if row else None


def inputs_of_all(database: StatsDatabase, sites: Sequence[PublishedRows]) -> str:
    """The same over all sites, for what belongs to none of them."""
    return ",".join(inputs_of(database, rows) or "" for rows in sites)


def _for_each(
    database: StatsDatabase,
    archive: Archive,
    sites: Sequence[PublishedRows],
    publish: Callable[[Publisher, PublishedRows], Sequence[PublishedFile]],
) -> list[PublishedFile]:
    return [
        file
        for rows in sites
        for file in publish(Publisher(database, archive, rows.site, inputs_of(database, rows) or ""), rows)
    ]


def _weeks(database: StatsDatabase, sites: Sequence[PublishedRows]) -> tuple[int, dict[str, str]]:
    """How many weeks are published, and what the others lack."""
    published, held_back = 0, {}
    for rows in sites:
        with database.transaction() as cursor:
            published += len(rows.weeks(cursor))
            cursor.execute(sql.HELD_BACK_WEEKS, rows.parameters)
            prefix = "" if len(sites) == 1 else f"{rows.site} "
            held_back |= {f"{prefix}{week}": f"{status}: {missing}" for week, status, missing in cursor.fetchall()}
    return published, held_back


def _metadata(files: Sequence[PublishedFile], archive: Archive) -> dict[str, Any]:
    dates = [at for file in files for at in (file.contents.oldest, file.contents.newest) if at]
    return {
        "dagster/row_count": max((file.contents.rows for file in files), default=0),
        "size_bytes": sum(file.size_bytes for file in files),
        "changed_files": sum(file.is_new for file in files),
        "oldest": _told(min(dates, default=None)),
        "newest": _told(max(dates, default=None)),
        "folder": dg.MetadataValue.path(archive.location(FOLDER)),
        "files": dg.MetadataValue.table([dg.TableRecord(_row(file)) for file in files], schema=_FILES_SCHEMA),
    }


_FILES_SCHEMA = dg.TableSchema(
    [
        dg.TableColumn("site"),
        dg.TableColumn("file"),
        dg.TableColumn("rows", "int"),
        dg.TableColumn("bytes", "int"),
        dg.TableColumn("oldest"),
        dg.TableColumn("newest"),
        dg.TableColumn("is_new", "bool", "whether its content has changed"),
    ]
)


def _row(file: PublishedFile) -> dict[str, str | int | float | bool | None]:
    return {
        "site": file.site,
        "file": file.name,
        "rows": file.contents.rows,
        "bytes": file.size_bytes,
        "oldest": _told(file.contents.oldest),
        "newest": _told(file.contents.newest),
        "is_new": file.is_new,
    }


def _told(day: date | None) -> str:
    return str(day) if day else "none"
