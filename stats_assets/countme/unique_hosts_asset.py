"""The asset countme/daily_unique_hosts with its check, and its sensor. Counting is in `unique_hosts`."""

# No `from __future__ import annotations` here: Dagster reads the annotations of functions it is handed.
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from stats_assets.countme.assets import GROUP, OWNERS, RAW_HITS, failed_partitions
from stats_assets.countme.automation import LOAD_JOB, ask_for
from stats_assets.countme.columns import UNIQUE_HOSTS_SCHEMA, unique_hosts_lineage
from stats_assets.countme.config import CountmeConfig
from stats_assets.countme.unique_hosts import HostDayReport, IncomparableDay, changed_host_days, replace_host_day
from stats_assets.shared.failures import OurMistake
from stats_assets.shared.partitions import daily
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, done_partitions, is_busy, told_to_dagster

DAILY_UNIQUE_HOSTS = dg.AssetKey(["countme", "daily_unique_hosts"])
HOSTS_JOB = "countme_hosts"

# Bump when `repositories.yaml` changes too: the UI then shows which days still have the old names.
_CODE_VERSION = "1"
_UNMAPPED_ARE_FEW = "unmapped_repositories_are_few"
# Third-party and mistyped tags were at most 2.3 % of a day's hosts in 24 days of logs; without a name for the
# newest release it was up to 14 %.
_MAX_UNMAPPED_SHARE = 0.05

# A file holds the tail of the day before, and of hosts that rotate after midnight most of it. The next day's file of
# the newest day is still to come.
_NEIGHBOURS = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=1, allow_nonexistent_upstream_partitions=True)


def build_unique_hosts(config: CountmeConfig, sensor_is_running: bool) -> dg.Definitions:
    """Asset, job and sensor; `sensor_is_running` is the sensor's state until an operator decides otherwise."""
    job = dg.define_asset_job(
        HOSTS_JOB,
        selection=dg.AssetSelection.assets(DAILY_UNIQUE_HOSTS),
        description="Count the unique hosts of days anew.",
    )
    return dg.Definitions(
        assets=[build_unique_hosts_asset(config)],
        jobs=[job],
        sensors=[_changed_host_days_sensor(config, sensor_is_running)],
    )


def build_unique_hosts_asset(config: CountmeConfig) -> dg.AssetsDefinition:
    """The asset with its check; a run over several days has one check result for all of them."""

    @dg.asset(
        key=DAILY_UNIQUE_HOSTS,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"postgres"},
        tags={"layer": "aggregate"},
        deps=[dg.AssetDep(RAW_HITS, partition_mapping=_NEIGHBOURS)],
        partitions_def=daily(config.first_day),
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=DATABASE_RETRY,
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=3), warn_window=timedelta(hours=36)),
        check_specs=[
            dg.AssetCheckSpec(
                _UNMAPPED_ARE_FEW,
                asset=DAILY_UNIQUE_HOSTS,
                description="Few hosts of the run's days ask for repositories that repositories.yaml has no name for.",
            )
        ],
        code_version=_CODE_VERSION,
        metadata={
            "dagster/column_schema": UNIQUE_HOSTS_SCHEMA,
            "dagster/column_lineage": unique_hosts_lineage(RAW_HITS),
            "dagster/table_name": "countme.daily_unique_hosts",
        },
    )
    def daily_unique_hosts(
        context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]
    ) -> Iterator[dg.AssetMaterialization | dg.MaterializeResult]:
        """Distinct addresses per UTC day, repository and architecture, of the hits that count, from whatever file.

        Differs from the condense report, which takes any line that mentions the mirror list: only served requests
        count, tags are percent-decoded, and newer releases have names. See the front page of the room.
        """
        done: dict[str, list[HostDayReport]] = {}
        failed: list[str] = []
        try:
            with told_to_dagster():
                for key in context.partition_keys:
                    day = date.fromisoformat(key)
                    try:
                        done[key] = [replace_host_day(database, site, day) for site in config.counted_sites]
                    except IncomparableDay as error:  # its rows stay as they were, others go on
                        failed.append(str(error))
                        continue
                    for report in done[key]:
                        context.log.info("%s", report)
                if failed:
                    raise OurMistake(failed_partitions("days not counted", failed, len(context.partition_keys)))
        except dg.Failure:
            metadata = {key: _metadata(reports) for key, reports in done.items()}
            yield from done_partitions(DAILY_UNIQUE_HOSTS, _CODE_VERSION, metadata)
            raise
        for key, reports in done.items():
            context.add_asset_metadata(_metadata(reports), partition_key=key)
        yield dg.MaterializeResult(
            check_results=[_unmapped_check([report for reports in done.values() for report in reports])]
        )

    return daily_unique_hosts


def _metadata(reports: Sequence[HostDayReport]) -> dict[str, object]:
    """The numbers of a day over all sites."""
    return {
        "dagster/row_count": sum(report.rows for report in reports),
        "hosts": sum(report.hosts for report in reports),
        "hosts_by_site": {report.site: report.hosts for report in reports},
        "unmapped_hosts": sum(report.unmapped for report in reports),
        "largest_unmapped_tags": dict(_largest_tags(reports)),
    }


def _largest_tags(reports: Sequence[HostDayReport]) -> list[tuple[str, int]]:
    tags = Counter[str]()
    for report in reports:
        tags.update(report.unmapped_tags)
    return tags.most_common(10)


def _unmapped_check(reports: Sequence[HostDayReport]) -> dg.AssetCheckResult:
    hosts, unmapped = sum(report.hosts for report in reports), sum(report.unmapped for report in reports)
    share = unmapped / hosts if hosts else 0.0
    tags = _largest_tags(reports)
    named = ", ".join(f"{tag or '(none)'} ({count})" for tag, count in tags[:5])
    return dg.AssetCheckResult(
        check_name=_UNMAPPED_ARE_FEW,
        passed=share <= _MAX_UNMAPPED_SHARE,
        # The counts are right either way, they only lack a name.
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{share:.1%} of hosts ask for repositories without a name, most for {named};"
        " add a pattern to countme/repositories.yaml and rerun these days"
        if share > _MAX_UNMAPPED_SHARE
        else f"{share:.1%} of hosts ask for repositories without a name",
        metadata={"share": share, "limit_share": _MAX_UNMAPPED_SHARE, "largest_tags": dict(tags)},
    )


def _changed_host_days_sensor(config: CountmeConfig, is_running: bool) -> dg.SensorDefinition:
    @dg.sensor(
        name="countme_changed_host_days",
        job_name=HOSTS_JOB,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING if is_running else dg.DefaultSensorStatus.STOPPED,
        description="Asks for days whose unique hosts were counted from other hits than there are now.",
    )
    def changed_host_days_sensor(
        context: dg.SensorEvaluationContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.SensorResult | dg.SkipReason:
        if is_busy(context.instance, RAW_HITS, DAILY_UNIQUE_HOSTS, jobs=[LOAD_JOB, HOSTS_JOB]):
            return dg.SkipReason("hits are being loaded or hosts counted; looking again when that has ended")
        with database.transaction() as cursor:
            today = datetime.now(UTC).date()
            days = {day for site in config.counted_sites for day in changed_host_days(cursor, config, site, today)}
        return ask_for(sorted(days), 1, "every day's hosts are counted from the hits there are now")

    return changed_host_days_sensor
