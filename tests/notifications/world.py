"""Assets that fail when they are told to, a webhook that records what it gets, and a watcher between them."""

# No `from __future__ import annotations` here: Dagster reads the annotations of functions it is handed.
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import dagster as dg

from stats_assets.notifications.config import NotificationsConfig
from stats_assets.notifications.message import Links
from stats_assets.notifications.watch import Probe, Watcher
from stats_assets.shared.failures import SourceAway
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.shared.runs import done_partitions, told_to_dagster

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
DAYS = dg.StaticPartitionsDefinition(["2026-05-01", "2026-05-02", "2026-05-03"])
FILES, HITS = dg.AssetKey(["log_sync", "files"]), dg.AssetKey(["countme", "raw_hits"])


class Webhook:
    """An HTTP endpoint on loopback. `status` is what it answers; what it took is in `messages`."""

    def __init__(self) -> None:
        self.status = 200
        self.messages: list[dict[str, Any]] = []
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if webhook.status == 200:
                    webhook.messages.append(content)
                self.send_response(webhook.status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def webhooks(count: int = 1) -> Iterator[list[Webhook]]:
    made = [Webhook() for _ in range(count)]
    yield made
    for each in made:
        each.close()


class World:
    """Two assets in a row with a check, an instance in memory, and a clock that is set by hand."""

    def __init__(self, database: StatsDatabase, instance: dg.DagsterInstance | None = None) -> None:
        self.database, self.instance = database, instance or dg.DagsterInstance.ephemeral()
        self.bad_days: set[str] = set()
        self.error: Exception | None = None
        self.check_passes = True
        self.severity = dg.AssetCheckSeverity.ERROR
        self.complaint: str | None = None
        self.now = NOW

    def run(self, *days: str, with_hits: bool = False) -> dg.ExecuteInProcessResult:
        """Materializes the days, one or a range, as the queue would have it."""
        tags = {"dagster/partition": days[0]}
        if len(days) > 1:
            tags = {
                "dagster/asset_partition_range_start": days[0],
                "dagster/asset_partition_range_end": days[-1],
            }
        selection = [FILES, HITS] if with_hits else [FILES]
        job = self.definitions().resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            asset_selection=selection, instance=self.instance, tags=tags, raise_on_error=False
        )

    def definitions(self) -> dg.Definitions:
        world = self

        @dg.asset(
            key=FILES,
            partitions_def=DAYS,
            backfill_policy=dg.BackfillPolicy.single_run(),
            check_specs=[dg.AssetCheckSpec("every_expected_host_delivered", asset=FILES)],
        )
        def files(context: dg.AssetExecutionContext) -> Iterator[Any]:
            with told_to_dagster():
                if world.error is not None:
                    raise world.error
            yield dg.AssetCheckResult(
                passed=world.check_passes, severity=world.severity, description="proxy03 owes a file"
            )
            bad = world.bad_days & set(context.partition_keys)
            if bad:
                yield from done_partitions(FILES, "1", {key: {} for key in context.partition_keys if key not in bad})
                told = "; ".join(f"{day}: proxy03 has no file" for day in sorted(bad))
                raise dg.Failure(f"{len(bad)} of {len(context.partition_keys)} days incomplete: {told}")
            yield dg.MaterializeResult()

        @dg.asset(key=HITS, deps=[FILES], partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
        def raw_hits() -> None:
            pass

        @dg.op
        def crawl() -> None:
            if world.error is not None:
                raise world.error

        @dg.job
        def forum_crawl() -> None:
            crawl()

        return dg.Definitions(assets=[files, raw_hits], jobs=[forum_crawl], executor=dg.in_process_executor)

    def run_job(self) -> None:
        job = self.definitions().resolve_job_def("forum_crawl")
        job.execute_in_process(instance=self.instance, raise_on_error=False)

    def watcher(self, channels: Mapping[str, Any], **config: Any) -> Watcher:
        return Watcher(
            NotificationsConfig.model_validate({"channels": channels, "group_seconds": 0, **config}),
            self.database,
            self.instance,
            Links("https://ui.example.org", "https://docs.example.org/stats"),
            [Probe("collector", lambda: self.complaint)],
            sleep=lambda seconds: None,
        )

    def look(self, watcher: Watcher, after: timedelta = timedelta(minutes=1)) -> None:
        """The watcher looks, some time later."""
        self.now += after
        watcher.look(self.now)

    def incidents(self) -> list[tuple[str, str, str, str, int]]:
        with self.database.transaction() as cursor:
            cursor.execute(
                "SELECT kind, subject, dagster_partition, state, times FROM notifications.incidents"
                " ORDER BY incident_id"
            )
            return cursor.fetchall()


AWAY = SourceAway("proxy03 does not answer: connection refused; rerun the day")
