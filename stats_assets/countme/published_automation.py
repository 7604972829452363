"""When the published files are made: after weeks or days were counted anew, once for all that changed.

The sensor compares what the files were made of with what is counted now, so it misses nothing after an outage.
"""

# No `from __future__ import annotations` here: Dagster reads the annotations of functions it is handed.
from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from stats_assets.countme import published_sql as sql
from stats_assets.countme.assets import RAW_HITS, WEEKLY_TOTALS
from stats_assets.countme.automation import COUNT_JOB, LOAD_JOB
from stats_assets.countme.config import CountmeConfig
from stats_assets.countme.publish_index import ALL_SITES
from stats_assets.countme.publish_totals import PublishedRows
from stats_assets.countme.published_assets import (
    PUBLISHED,
    build_published_assets,
    inputs_of,
    inputs_of_all,
    published_rows,
)
from stats_assets.countme.unique_hosts_asset import DAILY_UNIQUE_HOSTS, HOSTS_JOB
from stats_assets.shared.asking_again import whose_time_has_come
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import is_busy

PUBLISH_JOB = "countme_publish"


def build_published(config: CountmeConfig, sensor_is_running: bool) -> dg.Definitions:
    """Assets, job and sensor; `sensor_is_running` is the sensor's state until an operator decides otherwise."""
    job = dg.define_asset_job(
        PUBLISH_JOB,
        selection=dg.AssetSelection.assets(*PUBLISHED),
        description="Publish files, pictures and the index of what is counted.",
    )
    return dg.Definitions(
        assets=build_published_assets(config), jobs=[job], sensors=[_unpublished_sensor(config, sensor_is_running)]
    )


def _unpublished_sensor(config: CountmeConfig, is_running: bool) -> dg.SensorDefinition:
    sites = published_rows(config)

    @dg.sensor(
        name="countme_unpublished",
        job_name=PUBLISH_JOB,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING if is_running else dg.DefaultSensorStatus.STOPPED,
        description="Asks to publish when weeks or days were counted anew, or settings of it have changed.",
    )
    def unpublished_sensor(
        context: dg.SensorEvaluationContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.SensorResult | dg.SkipReason:
        counting = [LOAD_JOB, COUNT_JOB, HOSTS_JOB, PUBLISH_JOB]
        if is_busy(context.instance, RAW_HITS, WEEKLY_TOTALS, DAILY_UNIQUE_HOSTS, *PUBLISHED, jobs=counting):
            return dg.SkipReason("hits are being loaded, counted or published; looking again when that has ended")
        if not any(inputs_of(database, rows) for rows in sites):
            return dg.SkipReason("nothing is counted yet")
        if is_up_to_date(database, sites):
            return dg.SkipReason("what is published is made of the counts there are now")
        wanted = [dg.RunRequest(run_key=inputs_of_all(database, sites))]
        return dg.SensorResult(run_requests=whose_time_has_come(context.instance, wanted, datetime.now(UTC)))

    return unpublished_sensor


def is_up_to_date(database: StatsDatabase, sites: Sequence[PublishedRows]) -> bool:
    """Whether every published file was made of what is there now."""
    expected = {rows.site: inputs_of(database, rows) or "" for rows in sites}
    expected[ALL_SITES] = ",".join(expected[rows.site] for rows in sites)
    with database.transaction() as cursor:
        for site, inputs in expected.items():
            cursor.execute(sql.PUBLISHED_INPUTS, {"site": site})
            if cursor.fetchall() != [(inputs,)]:
                return False
    return True
