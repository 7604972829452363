"""Where partitions are made: through the daemon of the running stack, or in this process with what that needs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import httpx

from stats_assets.configuration import StatsConfig
from stats_assets.local import processes
from stats_assets.local.asset_catalog import load_definitions, reread, selected
from stats_assets.local.databases import using_databases
from stats_assets.local.launchers import InProcess, Launcher, ThroughDaemon
from stats_assets.local.materialize import Request, Work
from stats_assets.local.migrating import become, check_configuration, migrate_dagster, migrate_stats
from stats_assets.local.progress import ProgressDisplay
from stats_assets.local.run_plan import ONLY, Asset, Days, Outcome
from stats_assets.local.services import sandbox_service
from stats_assets.local.surroundings import config_variables, environ_for, prepare_folders, uses_sandbox
from stats_assets.shared.config import read_config
from stats_assets.shared.environment import PROJECT_FOLDER, Environment
from stats_assets.shared.failures import SourceAway

# A first look at the pipelines: enough for whole weeks, little enough for a minute. The rooms not named here fill
# themselves beside it: their sensors see what is missing.
FIRST_WEEKS = 4
FIRST_ROOMS = "group:log_sync or group:countme"
_SANDBOX_TIMEOUT_SECONDS = 120


def materialize(environment: Environment, selection: str, request: Request, url: str | None) -> Outcome:
    """Makes what is asked for, through the daemon of the stack at `url`, or here when there is none.

    Raises ConfigurationMistake or SourceAway.
    """
    oldest = request.days.first if request.days else None
    with _prepared(environment, url, oldest) as (definitions, instance, launcher):
        return _work(definitions, instance, launcher, selection, request)


def materialize_first(environment: Environment, url: str, today: datetime) -> Outcome:
    """Makes what is missing of the first rooms' assets since the Monday four weeks ago; nothing without log hosts."""
    config = read_config(environment.config_file, StatsConfig, {**config_variables(environment), **os.environ})
    if not config.log_sync.hosts:
        return Outcome()
    monday = today.date() - timedelta(days=today.weekday())
    days = Days(monday - timedelta(weeks=FIRST_WEEKS), today.date())
    with _prepared(environment, url) as (definitions, instance, launcher):
        assets = selected(definitions, FIRST_ROOMS, instance)
        present = {asset.key: _materialized(instance, asset) for asset in assets}
        return _work(definitions, instance, launcher, FIRST_ROOMS, Request(days=days, present=present))


def _work(
    definitions: dg.Definitions, instance: dg.DagsterInstance, launcher: Launcher, selection: str, request: Request
) -> Outcome:
    with ProgressDisplay() as display:
        assets = selected(definitions, selection, instance)
        work = Work(assets, request, launcher, display, reread=lambda asset: reread(definitions, asset, instance))
        return work.carry_out()


def _materialized(instance: dg.DagsterInstance, asset: Asset) -> set[str]:
    key = dg.AssetKey(asset.key.split("/"))
    if asset.cadence is None:
        return {ONLY} if instance.get_latest_materialization_event(key) else set()
    return instance.get_materialized_partitions(key)


@contextmanager
def _prepared(
    environment: Environment, url: str | None, oldest: date | None = None
) -> Iterator[tuple[dg.Definitions, dg.DagsterInstance, Launcher]]:
    text = check_configuration(environment, config_variables(environment))
    with using_databases(environment) as databases:
        become(environ_for(environment, databases, os.environ))
        if url is None:
            prepare_folders(environment)
            migrate_stats(databases.dsn)
            migrate_dagster()
        definitions = load_definitions()
        sandbox = _sandbox(environment, oldest) if url is None and uses_sandbox(text) else nullcontext()
        with sandbox, dg.DagsterInstance.get() as instance:
            if url is not None:
                yield definitions, instance, ThroughDaemon(url, instance)
            else:
                job = definitions.resolve_implicit_global_asset_job_def()
                yield definitions, instance, InProcess(job, instance)


@contextmanager
def _sandbox(environment: Environment, oldest: date | None) -> Iterator[None]:
    """The simulated sources, for as long as the block lasts; one that is there already is used and left alone.

    Begins when the folders of the simulated hosts reach back to the oldest day that is wanted.
    """
    health = f"{environment.sandbox_url}/health" + (f"?from={oldest}" if oldest else "")
    if _is_healthy(health):
        yield
        return
    log = environment.home / "logs" / "sandbox-of-materialize.log"
    process = processes.start(sandbox_service(environment).command, os.environ, PROJECT_FOLDER, log)
    try:
        deadline = time.monotonic() + _SANDBOX_TIMEOUT_SECONDS
        while not _is_healthy(health):
            if not processes.is_alive(process) or time.monotonic() > deadline:
                raise SourceAway(f"the sandbox did not start on port {environment.sandbox_port}; its log: {log}")
            time.sleep(0.1)
        yield
    finally:
        processes.stop_group(process, grace_seconds=5)


def _is_healthy(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def planned_failures(environment: Environment) -> dict[str, set[str]]:
    """What the sandbox lets fail on purpose; nothing when stats.yaml names real sources only."""
    if not uses_sandbox(environment.config_file.read_text(encoding="utf-8")):
        return {}
    from stats_assets.sandbox import planned

    return planned.planned_failures((environment.sandbox_at or datetime.now(UTC)).date())
