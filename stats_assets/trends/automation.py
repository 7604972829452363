"""When the room works by itself: whenever the watched folder has something new. The API has its own automation."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

from stats_assets.shared.asking_again import whose_time_has_come
from stats_assets.shared.failures import SourceAway
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import is_busy
from stats_assets.trends.assets import TABLES
from stats_assets.trends.checks import RAW_LOGS
from stats_assets.trends.config import TrendsConfig
from stats_assets.trends.file_assets import IMPORTED_FILES, QUARANTINE
from stats_assets.trends.watched_folder import digest, new_files

FILES_JOB = "trends_files"
REDRIVE_JOB = "trends_redrive"
REBUILD_JOB = "trends_rebuild"
FILES_SENSOR = "trends_new_files"

_SENSOR_SECONDS = 60


def build_automation(config: TrendsConfig, is_running: bool) -> dg.Definitions:
    """Jobs and sensor; `is_running` is the sensor's state until an operator decides otherwise."""
    files = dg.define_asset_job(
        FILES_JOB, dg.AssetSelection.assets(IMPORTED_FILES), description="Import new files of the batch folder."
    )
    redrive = dg.define_asset_job(
        REDRIVE_JOB, dg.AssetSelection.assets(QUARANTINE), description="Try the logs in quarantine again."
    )
    rebuild = dg.define_asset_job(
        REBUILD_JOB,
        dg.AssetSelection.assets(*TABLES),
        description="Make the rows of days anew from the bytes we have, without fetching.",
    )
    return dg.Definitions(jobs=[files, redrive, rebuild], sensors=[_new_files(config, files, is_running)])


def _new_files(config: TrendsConfig, job: dg.UnresolvedAssetJobDefinition, is_running: bool) -> dg.SensorDefinition:
    @dg.sensor(
        name=FILES_SENSOR,
        job=job,
        minimum_interval_seconds=_SENSOR_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING if is_running else dg.DefaultSensorStatus.STOPPED,
        description="Imports files that come to the batch folder, or change there.",
    )
    def trends_new_files(
        context: dg.SensorEvaluationContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.SensorResult | dg.SkipReason:
        if config.batch_folder is None:
            return dg.SkipReason("stats.yaml names no trends.batch_folder")
        if is_busy(context.instance, IMPORTED_FILES, RAW_LOGS, jobs=[FILES_JOB]):
            return dg.SkipReason("files are being imported; looking again when that has ended")
        now = datetime.now(UTC)
        try:
            files = new_files(database, config.batch_folder, now)
        except SourceAway as error:
            return dg.SkipReason(str(error))
        if not files:
            return dg.SkipReason("every file is imported")
        return dg.SensorResult(
            run_requests=whose_time_has_come(context.instance, [dg.RunRequest(run_key=digest(files))], now)
        )

    return trends_new_files
