"""The copy as assets: boards, their threads and posts (a Dagster partition per board), and the frontier.

The daily counts are in `count_assets`, the job that does everything that is due in `automation`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of functions it is handed.
from collections.abc import Sequence
from typing import Any

import dagster as dg

from stats_assets.forum.columns import table_metadata
from stats_assets.forum.config import ForumConfig
from stats_assets.forum.crawl import Order, crawl
from stats_assets.forum.frontier import Scope
from stats_assets.forum.report import Report
from stats_assets.forum.status import Status, board_counts, board_keys, frontier_status
from stats_assets.shared.phrases import named
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import DATABASE_RETRY, told_to_dagster

GROUP = "forum"
OWNERS = ["team:stats"]
CODE_VERSION = "1"
POOL = "forum_api"  # runs that ask the forum, one at a time; its limit is set by the sensor

BOARDS, THREADS, POSTS, WORK = (dg.AssetKey([GROUP, table]) for table in ("boards", "threads", "posts", "work"))
BOARD_PARTITIONS = dg.DynamicPartitionsDefinition(name="forum_boards")

_NOTHING_OVERDUE = "nothing_is_overdue"
_NOTHING_PARKED = "nothing_is_parked"
_OVERDUE_LOOKS = 4  # a unit may wait for so many looks at the listings before somebody is told


def common(table: str, layer: str, kinds: frozenset[str] = frozenset({"python", "postgres"})) -> dict[str, Any]:
    """What every asset of the room says of itself."""
    return {
        "key": dg.AssetKey([GROUP, table]),
        "group_name": GROUP,
        "owners": OWNERS,
        "kinds": set(kinds),
        "tags": {"layer": layer},
        "code_version": CODE_VERSION,
        "metadata": table_metadata(table),
    }


def build_assets(config: ForumConfig) -> list[dg.AssetsDefinition]:
    """The assets for one configuration."""

    @dg.asset(**common("boards", "raw"), pool=POOL, retry_policy=DATABASE_RETRY)
    def boards(context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]) -> dg.MaterializeResult:
        """The forum's boards, those that are gone included; each that is there is a Dagster partition."""
        with told_to_dagster():
            report = crawl(database, config, Order(Scope(("boards",)), look_now=True))
            keys = keep_partitions(context.instance, database, config)
        return dg.MaterializeResult(metadata=report.metadata | {"dagster/row_count": len(keys)})

    @dg.asset(
        **common("threads", "raw"),
        deps=[BOARDS],
        partitions_def=BOARD_PARTITIONS,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=POOL,
        retry_policy=DATABASE_RETRY,
    )
    def threads(context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]) -> None:
        """Threads as the boards list them: a look at the newest, or at all of them the first time."""
        _crawl_boards(context, database, config, ("listing", "audit"))

    @dg.asset(
        **common("posts", "raw"),
        deps=[THREADS],
        partitions_def=BOARD_PARTITIONS,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=POOL,
        retry_policy=DATABASE_RETRY,
    )
    def posts(context: dg.AssetExecutionContext, database: dg.ResourceParam[StatsDatabase]) -> None:
        """Everything that is due to be read of the boards' threads: new ones, new posts, and refreshes."""
        _crawl_boards(context, database, config, ("thread", "refresh", "tags"))

    @dg.asset(
        **common("work", "state", frozenset({"postgres"})),
        deps=[dg.AssetDep(POSTS, partition_mapping=dg.AllPartitionMapping())],
        check_specs=[
            dg.AssetCheckSpec(
                _NOTHING_OVERDUE, asset=WORK, description="Nothing that is due has been waiting for several looks."
            ),
            dg.AssetCheckSpec(_NOTHING_PARKED, asset=WORK, description="No unit was given up after many failures."),
        ],
    )
    def work(database: dg.ResourceParam[StatsDatabase]) -> dg.MaterializeResult:
        """How the frontier stands: what is due, put off and parked."""
        with told_to_dagster():
            status = frontier_status(database)
        return dg.MaterializeResult(metadata=shown(status), check_results=frontier_checks(status, config))

    # Unpacked arguments hide from pyright which of the decorator's forms this is.
    return [boards, threads, posts, work]  # pyright: ignore[reportReturnType]


def keep_partitions(instance: dg.DagsterInstance, database: StatsDatabase, config: ForumConfig) -> Sequence[str]:
    """Adds and retires Dagster partitions, so that they are the boards that are crawled; gives these."""
    wanted = board_keys(database, config)
    present = set(instance.get_dynamic_partitions(BOARD_PARTITIONS.name or ""))
    if new := [key for key in wanted if key not in present]:
        instance.add_dynamic_partitions(BOARD_PARTITIONS.name or "", new)
    for key in present - set(wanted):
        instance.delete_dynamic_partition(BOARD_PARTITIONS.name or "", key)
    return wanted


def shown(status: Status) -> dict[str, Any]:
    return status.metadata | {"frontier": dg.MetadataValue.md(status.metadata["frontier"])}


def board_metadata(report: Report, counts: tuple[int, int]) -> dict[str, Any]:
    """What is told of a board after a crawl of some boards."""
    threads, posts = counts
    return {"threads": threads, "posts": posts, "crawl": str(report)}


def frontier_checks(status: Status, config: ForumConfig) -> list[dg.AssetCheckResult]:
    """Whether nothing is overdue and nothing parked; both warn, nothing is stopped by them."""
    limit = _OVERDUE_LOOKS * config.look_seconds + config.time_box_seconds
    parked = status.total("parked")
    return [
        dg.AssetCheckResult(
            check_name=_NOTHING_OVERDUE,
            passed=status.overdue_seconds <= limit,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"the oldest of {status.total('due')} due units has been waiting for"
            f" {status.overdue_seconds:.0f} s, {limit} s are usual; is forum_crawl running?",
            metadata={"limit_seconds": limit},
        ),
        dg.AssetCheckResult(
            check_name=_NOTHING_PARKED,
            passed=not parked,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{parked} parked: {named(status.parked)}; see forum.quarantine, then run forum_crawl with"
            " retry_parked"
            if parked
            else "every unit can be read",
        ),
    ]


def _crawl_boards(
    context: dg.AssetExecutionContext, database: StatsDatabase, config: ForumConfig, kinds: tuple[str, ...]
) -> None:
    bids = [int(key) for key in context.partition_keys]
    with told_to_dagster():
        report = crawl(database, config, Order(Scope(kinds, bids), look_now="listing" in kinds))
        counts = board_counts(database, bids)
    context.log.info("boards %s: %s", ", ".join(map(str, bids)), report)
    for bid in bids:
        context.add_asset_metadata(board_metadata(report, counts.get(bid, (0, 0))), partition_key=str(bid))
