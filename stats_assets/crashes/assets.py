"""The room's assets: inputs by day, versions, and what is counted of them by day."""

# No `from __future__ import annotations`: Dagster reads the annotations of functions it is handed.
from collections.abc import Callable
from datetime import date, timedelta

import dagster as dg

from stats_assets.crashes import aggregate as counted
from stats_assets.crashes.aggregate import Aggregate, replace_aggregate
from stats_assets.crashes.checks import DUPLICATES_CHECKS, INSTALLS_CHECKS, REPORTS_CHECKS, Checks
from stats_assets.crashes.columns import described
from stats_assets.crashes.config import CrashesConfig
from stats_assets.crashes.days import Events, replace_days
from stats_assets.crashes.duplicates import replace_duplicates
from stats_assets.crashes.input_days import InputReport
from stats_assets.crashes.keys import (
    ACTIVE_DAILY_INSTALLS,
    DUPLICATES,
    GROUP,
    PRODUCT_VERSIONS,
    RAW_CRASHES,
    REPORTS,
    key_of,
)
from stats_assets.crashes.load import DayLoader
from stats_assets.crashes.store import read_maps, replace_versions
from stats_assets.shared.partitions import daily
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, told_to_dagster

_OWNERS = ["team:stats"]
_CODE_VERSION = "1"
_DAILY_FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=3), warn_window=timedelta(hours=36))
# Two policies, so that a backfill loads in one run and counts in another: in the same run a day without its feed
# would keep all other days from being counted.
_LOADING = dg.BackfillPolicy.multi_run(max_partitions_per_run=366)
_COUNTING = dg.BackfillPolicy.single_run()

_DESCRIPTIONS = {
    "signatures": "The day's first report of each signature, whether its version is counted or not.",
    "product_adu": "Active installs of every active version and operating system, out of the day's feed.",
    "build_adu": "Active installs by build date in a build's first seven days: nightly, aurora, rapid betas.",
    "signature_counts": "Crashes per version, signature and process type, with hangs and startup crashes;"
    " the same by build in crashes.signature_counts_by_build.",
    "crashes_by_user": "Crashes beside installs per version, operating system and crash type;"
    " the same by build in crashes.crashes_by_user_by_build.",
    "daily_crash_rates": "Crashes per 100 active daily installs of every active version;"
    " counts by build in crashes.daily_crash_rates_by_build.",
    "signature_summary": "Crashes of each signature by nine attributes, from architecture to uptime.",
    "crash_adu_by_build_signature": "Crashes of each build and signature beside the installs of the build.",
}


def build_assets(config: CrashesConfig) -> list[dg.AssetsDefinition]:
    """All assets with tables, for one configuration; `publishing` has those that write files."""
    return [
        _product_versions(config),
        *_inputs(config),
        _duplicates(config),
        *(_aggregate(config, each) for each in counted.AGGREGATES),
    ]


def _product_versions(config: CrashesConfig) -> dg.AssetsDefinition:
    @dg.asset(
        key=PRODUCT_VERSIONS,
        group_name=GROUP,
        owners=_OWNERS,
        kinds={"python", "postgres"},
        tags={"layer": "state"},
        retry_policy=DATABASE_RETRY,
        code_version=_CODE_VERSION,
        metadata=described("product_versions"),
    )
    def product_versions(
        context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]
    ) -> dg.MaterializeResult:
        """Versions and builds that are counted, made anew from the whole releases feed; the maps go with them."""
        with told_to_dagster():
            report = replace_versions(database, config, read_maps(config))
        for bad in report.bad[:20]:
            context.log.warning("line %d of the releases feed is left out: %s", bad.place, bad.reason)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": report.versions,
                "builds": report.builds,
                "releases": report.releases,
                "left_out": {f"line {bad.place}": bad.reason for bad in report.bad[:100]},
            }
        )

    return product_versions


def _inputs(config: CrashesConfig) -> list[dg.AssetsDefinition]:
    def daily_input(
        key: dg.AssetKey, description: str, load_day: Callable[[DayLoader, date], InputReport], checks: Checks | None
    ) -> dg.AssetsDefinition:
        @dg.asset(
            key=key,
            description=description,
            group_name=GROUP,
            owners=_OWNERS,
            kinds={"python", "postgres"},
            tags={"layer": "raw"},
            partitions_def=daily(config.first_day),
            backfill_policy=_LOADING,
            retry_policy=DATABASE_RETRY,  # feeds are asked again inside the run
            freshness_policy=_DAILY_FRESHNESS,
            check_specs=checks.specs if checks else [],
            code_version=_CODE_VERSION,
            metadata=described(key.path[-1]),
        )
        def load(context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]) -> Events:
            with told_to_dagster():
                loader = DayLoader(database, config, read_maps(config))
            yield from replace_days(
                context,
                key,
                _CODE_VERSION,
                lambda day: load_day(loader, day),
                lambda days: checks.of(database, config, days) if checks else [],
            )

        return load

    return [
        daily_input(
            ACTIVE_DAILY_INSTALLS,
            "The day's feed of active installs, summed, with products and channels by the maps.",
            DayLoader.load_installs,
            INSTALLS_CHECKS,
        ),
        daily_input(
            REPORTS,
            "The day's processed crashes, one row each, in weekly table partitions, without private fields.",
            DayLoader.load_reports,
            REPORTS_CHECKS,
        ),
        daily_input(
            RAW_CRASHES,
            "What the day's clients sent beside their reports: graphics adapter, device, garbage collection.",
            DayLoader.load_raw_crashes,
            None,
        ),
    ]


def _duplicates(config: CrashesConfig) -> dg.AssetsDefinition:
    @dg.asset(
        key=DUPLICATES,
        group_name=GROUP,
        owners=_OWNERS,
        kinds={"postgres"},
        tags={"layer": "clean"},
        deps=[REPORTS],
        partitions_def=daily(config.first_day),
        backfill_policy=_COUNTING,
        retry_policy=DATABASE_RETRY,
        check_specs=DUPLICATES_CHECKS.specs,
        code_version=_CODE_VERSION,
        metadata=described("duplicates"),
    )
    def duplicates(context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]) -> Events:
        """Reports of the same crash: equal attributes, process and installation started within 60 s of the leader's.

        Duplicates are told, not left out: every statistic counts them.
        """
        yield from replace_days(
            context,
            DUPLICATES,
            _CODE_VERSION,
            lambda day: replace_duplicates(database, day),
            lambda days: DUPLICATES_CHECKS.of(database, config, days),
        )

    return duplicates


def _aggregate(config: CrashesConfig, aggregate: Aggregate) -> dg.AssetsDefinition:
    key = key_of(aggregate.table)

    @dg.asset(
        key=key,
        description=_DESCRIPTIONS[aggregate.table],
        group_name=GROUP,
        owners=_OWNERS,
        kinds={"postgres"},
        tags={"layer": "aggregate"},
        deps=[PRODUCT_VERSIONS, *map(key_of, (*aggregate.inputs, *aggregate.aggregates))],
        partitions_def=daily(config.first_day),
        backfill_policy=_COUNTING,
        retry_policy=DATABASE_RETRY,
        freshness_policy=_DAILY_FRESHNESS,
        code_version=_CODE_VERSION,
        metadata=described(aggregate.table),
    )
    def count(context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]) -> Events:
        yield from replace_days(context, key, _CODE_VERSION, lambda day: replace_aggregate(database, aggregate, day))

    return count
