"""When the room works: a sensor starts the job that does what is due, and keeps the partitions what the boards are."""

# No `from __future__ import annotations`: Dagster reads the annotations of functions it is handed.
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
from pydantic import Field

from stats_assets.forum.assets import (
    BOARD_PARTITIONS,
    BOARDS,
    GROUP,
    POOL,
    POSTS,
    THREADS,
    WORK,
    board_metadata,
    frontier_checks,
    keep_partitions,
    shown,
)
from stats_assets.forum.config import ForumConfig
from stats_assets.forum.count_assets import day_metadata
from stats_assets.forum.counts import recount
from stats_assets.forum.crawl import Order, crawl
from stats_assets.forum.report import Report
from stats_assets.forum.status import Status, board_counts, board_keys, frontier_status
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, is_busy, told_to_dagster

JOB = "forum_crawl"
STATUS_JOB = "forum_status"
SENSOR = "forum_due_work"

_TOLD_DAYS = 35  # counted days of which the job tells Dagster; older ones are counted all the same

Materializations = Iterator[dg.AssetMaterialization | dg.Output]


class CrawlSettings(dg.Config):
    """How far a run of forum_crawl goes."""

    until_done: bool = Field(
        default=True,
        description="true: look at all listings now and go on until nothing is due, failed pages included;"
        " false: do what is due within forum.time_box_seconds",
    )
    full_refresh: bool = Field(default=False, description="read every listing and every thread again as a whole")
    retry_parked: bool = Field(default=False, description="try again what was given up")


def build_automation(config: ForumConfig, is_running: bool) -> dg.Definitions:
    """Jobs, sensor and schedule; `is_running` is their state until an operator decides otherwise."""
    job = _crawl_job(config)
    status_job = dg.define_asset_job(
        STATUS_JOB, selection=dg.AssetSelection.assets(WORK), description="Tell how the frontier stands."
    )
    schedule = dg.ScheduleDefinition(
        name="forum_status_hourly",
        job=status_job,
        cron_schedule="23 * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING if is_running else dg.DefaultScheduleStatus.STOPPED,
        description="Tells every hour how the frontier stands, and whether something is overdue or parked.",
    )
    return dg.Definitions(jobs=[job, status_job], schedules=[schedule], sensors=[_sensor(config, job, is_running)])


def _crawl_job(forum: ForumConfig) -> dg.JobDefinition:
    @dg.op(pool=POOL, retry_policy=DATABASE_RETRY, out=dg.Out(dg.Nothing))
    def crawl_forum(
        context: dg.OpExecutionContext, config: CrawlSettings, database: dg.ResourceParam[StatsDatabase]
    ) -> Materializations:
        """Reads what is due. A kill costs a page; the next run goes on."""
        order = Order(
            until_done=config.until_done,
            look_now=config.until_done,
            full_refresh=config.full_refresh,
            retry_parked=config.retry_parked,
            box_seconds=None if config.until_done else forum.time_box_seconds,
        )
        with told_to_dagster():
            report = crawl(database, forum, order)
            keep_partitions(context.instance, database, forum)
            status = frontier_status(database)
            told = list(_told(database, report, status))
        context.log.info("%s", report)
        yield from told
        for check in frontier_checks(status, forum):
            context.log_event(_evaluation(check))  # pyright: ignore[reportArgumentType]  # it takes checks, untold
        yield dg.Output(None)

    @dg.op(ins={"crawled": dg.In(dg.Nothing)}, retry_policy=DATABASE_RETRY, out=dg.Out(dg.Nothing))
    def count_changed_days(
        context: dg.OpExecutionContext, database: dg.ResourceParam[StatsDatabase]
    ) -> Materializations:
        """Counts the days anew whose posts have changed."""
        days, today = 0, datetime.now(UTC).date()
        oldest_told = max(forum.first_day, today - timedelta(days=_TOLD_DAYS))
        with told_to_dagster():
            for report in recount(database, forum.public_url):
                days += 1
                # Today has no Dagster partition yet; to tell of years of days would take longer than counting them.
                if oldest_told <= report.day < today:
                    for table in report.rows:
                        yield dg.AssetMaterialization(
                            [GROUP, table], partition=str(report.day), metadata=day_metadata(report, table)
                        )
        context.log.info("%d days counted anew", days)
        yield dg.Output(None)

    @dg.job(name=JOB, description="Read what is due of the forum, then count the days that have changed.")
    def forum_crawl() -> None:
        count_changed_days(crawl_forum())

    return forum_crawl


def _told(database: StatsDatabase, report: Report, status: Status) -> Iterator[dg.AssetMaterialization]:
    """The run's materializations: the boards it has read something of, and the frontier."""
    yield dg.AssetMaterialization(BOARDS, metadata=report.metadata)
    for bid, counts in board_counts(database, report.bids).items():
        for asset in (THREADS, POSTS):
            yield dg.AssetMaterialization(asset, partition=str(bid), metadata=board_metadata(report, counts))
    yield dg.AssetMaterialization(WORK, metadata=shown(status))


def _evaluation(check: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    """The check as an op may tell it: whoever sees a run end learns at once what was given up."""
    return dg.AssetCheckEvaluation(
        asset_key=WORK,
        check_name=check.check_name or "",
        passed=check.passed,
        severity=check.severity,
        description=check.description,
        metadata=check.metadata,
    )


def _sensor(config: ForumConfig, job: dg.JobDefinition, is_running: bool) -> dg.SensorDefinition:
    @dg.sensor(
        name=SENSOR,
        job=job,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING if is_running else dg.DefaultSensorStatus.STOPPED,
        description="Starts forum_crawl when something is due; adds and retires the partitions of boards.",
    )
    def forum_due_work(
        context: dg.SensorEvaluationContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.SensorResult:
        _limit_pool(context.instance)
        changes = _partition_changes(context.instance, board_keys(database, config))
        status = frontier_status(database)
        is_new = not status.kinds  # nothing has ever been read
        if is_busy(context.instance, BOARDS, THREADS, POSTS, jobs=[JOB]):
            reason = "the forum is being read; looking again when that has ended"
        elif not (is_new or status.total("due") or status.days_to_count):
            reason = "nothing is due"
        else:
            settings = {"ops": {"crawl_forum": {"config": {"until_done": False}}}}
            return dg.SensorResult(
                run_requests=[dg.RunRequest(run_config=settings)], dynamic_partitions_requests=changes
            )
        return dg.SensorResult(skip_reason=reason, dynamic_partitions_requests=changes)

    return forum_due_work


def _limit_pool(instance: dg.DagsterInstance) -> None:
    """One run at a time asks the forum. The rate holds without it; this spares a second run that would only wait."""
    storage = instance.event_log_storage
    if storage.supports_global_concurrency_limits:
        storage.set_concurrency_slots(POOL, 1)


def _partition_changes(
    instance: dg.DagsterInstance, wanted: list[str]
) -> list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest]:
    present = set(instance.get_dynamic_partitions(BOARD_PARTITIONS.name or ""))
    new = [key for key in wanted if key not in present]
    gone = sorted(present - set(wanted))
    requests: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if new:
        requests.append(BOARD_PARTITIONS.build_add_request(new))
    if gone:
        requests.append(BOARD_PARTITIONS.build_delete_request(gone))
    return requests
