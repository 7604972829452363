"""The sandbox stack at work, seen from outside: verbs, GraphQL, a browser, and a kill in the middle."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from tests.ports import free_ports
from tests.stack import PROJECT, Home, assets_of, logs_only, wait_for

# One file, because its tests share one stack: the workers of a parallel run take whole files.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc"),
]

Sandbox = tuple[Home, subprocess.CompletedProcess[str]]

TODAY = datetime.now(UTC).date()
MISSING_DAY = TODAY - timedelta(days=12)
MONDAY = TODAY - timedelta(days=TODAY.weekday())

_RUNS = """
query ($filter: RunsFilter!) { runsOrError(filter: $filter, limit: 50) { ... on Runs { results {
    runId status assetSelection { path } tags { key value } } } } }
"""
_PARTITIONS = """
query ($asset: AssetKeyInput!) { assetNodeOrError(assetKey: $asset) { ... on AssetNode { assetPartitionStatuses {
    ... on TimePartitionStatuses { ranges { status startKey endKey } } } } } }
"""
_BACKFILL = """
mutation ($backfill: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $backfill) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""
_BACKFILL_STATUS = """
query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }
"""
_SENSORS = """
{ sensorsOrError(repositorySelector: {repositoryLocationName: "stats_assets", repositoryName: "__repository__"}) {
    ... on Sensors { results { name sensorState { id } } } } }
"""
_STOP_SENSOR = "mutation ($id: String!) { stopSensor(id: $id) { __typename } }"
# What follows from the days a test makes would be made of a whole year, beside what is tested.
_FOLLOWING = {
    *("countme_changed_host_days", "countme_changed_weeks", "countme_unpublished", "log_sync_uncombined_days"),
}
_EVENTS = """
query ($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events { ... on MessageEvent { message } } } } }
"""
# A whole week that nothing happens to any more.
SUNDAY = MONDAY - timedelta(days=15)
_TABLES = {
    # Without the host: its hash has another key in every database.
    "hits": """
        SELECT hit_at, os_name, os_version, os_variant, os_arch, sys_age, repo_tag, repo_arch,
               day, log_host, byte_offset
        FROM countme.hits WHERE day BETWEEN date 'SUNDAY' - 6 AND 'SUNDAY' ORDER BY day, log_host, byte_offset""",
    "totals": "SELECT * FROM countme.weekly_totals t WHERE week = date 'SUNDAY' - 6 ORDER BY t::text",
    "weeks": "SELECT week, status, coverage, missing, hits FROM countme.weeks WHERE week = date 'SUNDAY' - 6",
    "files": """SELECT day, host, site, state, sha256 FROM log_sync.files
                WHERE day BETWEEN date 'SUNDAY' - 6 AND 'SUNDAY' ORDER BY day, host, site""",
}
_CHROMIUM_ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The sandbox stack, up and filled, with what `up --detach` said."""
    folder = tmp_path_factory.mktemp("sandbox")
    home = Home(folder / "home", free_ports(), logs_only(folder))
    up = home.stats("up", "--detach")
    stop_sensors(home, _FOLLOWING)
    yield home, up
    home.stats("down")
    assert home.processes() == []


@pytest.fixture(scope="module")
def browser(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("chromium"),
            executable_path=chromium,
            args=_CHROMIUM_ARGUMENTS,
            viewport={"width": 1600, "height": 900},
        )
        context.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        yield context
        context.close()


@pytest.fixture(scope="module")
def opened(sandbox: Sandbox, browser: BrowserContext) -> tuple[Page, list[str]]:
    """The UI, loaded once, and what the browser complains of: loading it costs more than a test."""
    home, _ = sandbox
    errors: list[str] = []
    made = browser.new_page()
    made.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    made.on("pageerror", lambda error: errors.append(str(error)))
    made.goto(home.url)
    return made, errors


@pytest.fixture
def page(opened: tuple[Page, list[str]]) -> Iterator[Page]:
    """A page on which nothing may go wrong in the browser's own eyes."""
    made, errors = opened
    errors.clear()
    yield made
    made.keyboard.press("Escape")  # what dialog may be open
    assert errors == []


def follow(page: Page, path: str) -> None:
    """Goes there as a click on a link of the UI does, which loads nothing anew."""
    page.evaluate("path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')) }", path)


def stop_sensors(home: Home, names: set[str]) -> None:
    found = home.ui.ask(_SENSORS)["sensorsOrError"]["results"]
    ids = {sensor["name"]: sensor["sensorState"]["id"] for sensor in found}
    for name in names:
        assert home.ui.ask(_STOP_SENSOR, id=ids[name])["stopSensor"]["__typename"] == "StopSensorMutationResult"


def runs(home: Home, **filters: Any) -> list[dict[str, Any]]:
    return home.ui.ask(_RUNS, filter=filters)["runsOrError"]["results"]


def failed_partitions(home: Home, *asset: str) -> set[str]:
    answer = home.ui.ask(_PARTITIONS, asset={"path": asset})
    ranges = answer["assetNodeOrError"]["assetPartitionStatuses"]["ranges"]
    return {key for found in ranges if found["status"] == "FAILED" for key in (found["startKey"], found["endKey"])}


def tables(home: Home) -> dict[str, list[tuple[Any, ...]]]:
    """The tables of one week, without what a rerun may change."""
    found = {name: home.rows(statement.replace("SUNDAY", f"{SUNDAY}")) for name, statement in _TABLES.items()}
    assert all(found.values())
    return found


def test_up_fills_the_last_weeks_and_fails_only_as_planned(sandbox: Sandbox):
    home, up = sandbox
    assert up.returncode == 0, up.stderr
    assert f"Dagster UI: {home.url}" in up.stdout
    assert "as planned: log_sync/files" in up.stderr
    counted = home.stats("psql", "-Atc", "SELECT count(*) > 0 FROM countme.weekly_totals")
    assert counted.stdout == "t\n", counted.stderr


def test_the_ui_has_loaded_every_room(sandbox: Sandbox):
    home, _ = sandbox
    assert {"log_sync/files", "countme/raw_hits", "countme/weekly_totals"} <= assets_of(home)


def test_up_again_says_where_it_is_running(sandbox: Sandbox):
    home, _ = sandbox
    before = home.pids()
    again = home.stats("up")
    assert (again.returncode, again.stdout) == (0, f"already running at {home.url}\n")
    assert home.pids() == before


def test_materialize_goes_through_the_running_daemon(sandbox: Sandbox):
    home, _ = sandbox
    made = home.stats("materialize", "countme/charts")
    assert made.returncode == 0, made.stderr
    (ours, *_) = [run for run in runs(home) if run["assetSelection"] == [{"path": ["countme", "charts"]}]]
    assert ours["status"] == "SUCCESS"
    # Dagster sets it on runs that a code server executes, not on those in another process.
    assert "dagster/code_location" in {tag["key"] for tag in ours["tags"]}


def test_one_day_is_red_for_the_planned_reason_and_no_other(sandbox: Sandbox):
    home, _ = sandbox
    assert failed_partitions(home, "log_sync", "files") == {str(MISSING_DAY)}
    assert failed_partitions(home, "countme", "raw_hits") == set()
    incomplete = home.rows("SELECT missing::text FROM countme.weeks WHERE status <> 'final'")
    assert any(f"{MISSING_DAY}: proxy03 missing" in missing for (missing,) in incomplete)


def test_what_failed_is_an_incident_that_status_shows_and_the_doctor_knows(sandbox: Sandbox):
    home, _ = sandbox
    statement = f"""
        SELECT count(*), min(page) FROM notifications.incidents
        WHERE state = 'open' AND kind = 'run' AND subject = 'log_sync/files' AND dagster_partition = '{MISSING_DAY}'"""
    wait_for(lambda: home.rows(statement) == [(1, "docs/runbooks/failed-days.md")])
    status = home.stats("status")
    assert status.returncode == 0
    assert f"log_sync/files {MISSING_DAY}" in status.stdout
    assert "watcher: looked" in status.stdout
    doctor = home.stats("doctor")
    assert "wrong" not in [line.split()[0] for line in doctor.stdout.splitlines()], doctor.stdout
    assert "parts of the daemon are alive" in doctor.stdout


def test_a_failed_day_is_listed_with_exit_code_1_and_the_others_are_done(sandbox: Sandbox):
    home, _ = sandbox
    span = ("--from", str(MISSING_DAY - timedelta(days=1)), "--to", str(MISSING_DAY + timedelta(days=1)))
    made = home.stats("materialize", "key:log_sync/files or key:countme/raw_hits", *span)
    assert made.returncode == 1
    assert f"log_sync/files {MISSING_DAY}: proxy03 has no" in made.stderr
    for day in (MISSING_DAY - timedelta(days=1), MISSING_DAY + timedelta(days=1)):
        assert re.search(rf"countme/raw_hits {day}.*done", made.stderr), made.stderr


def test_in_process_and_through_the_daemon_a_week_has_the_same_rows(
    sandbox: Sandbox, database_dsn: str, empty_database_dsn: str, tmp_path: Path
):
    home, _ = sandbox  # made by the daemon, as part of a longer range
    other = Home(tmp_path / "home", free_ports(), logs_only(tmp_path))
    other.environ |= {"STATS_DSN": database_dsn, "STATS_DAGSTER_DSN": empty_database_dsn}
    # From the Sunday before: the last lines of its file are of the week's first minutes.
    span = ("--from", str(SUNDAY - timedelta(days=7)), "--to", str(SUNDAY))
    assets = "key:log_sync/files or key:countme/raw_hits or key:countme/weekly_totals"
    made = other.stats("materialize", assets, *span)
    assert made.returncode == 0, made.stderr
    assert other.processes() == []
    ours, theirs = tables(other), tables(home)
    for name, rows in ours.items():  # one by one: a failure then shows the row
        assert rows == theirs[name], name


def test_a_year_is_backfilled_in_a_dozen_runs_at_most(sandbox: Sandbox):
    home, _ = sandbox
    days = [str(MONDAY - timedelta(weeks=2, days=n)) for n in range(365)]
    assets = [{"path": ["log_sync", "files"]}, {"path": ["countme", "raw_hits"]}]
    asked = home.ui.ask(_BACKFILL, backfill={"assetSelection": assets, "partitionNames": days})
    backfill = asked["launchPartitionBackfill"]["backfillId"]

    def status() -> str:
        return home.ui.ask(_BACKFILL_STATUS, id=backfill)["partitionBackfillOrError"]["status"]

    wait_for(lambda: status() != "REQUESTED", seconds=400)
    assert status() == "COMPLETED_SUCCESS"
    made = runs(home, tags=[{"key": "dagster/backfill", "value": backfill}])
    assert [run["status"] for run in made] == ["SUCCESS"] * len(made)
    assert len(made) <= 12
    assert home.rows("SELECT count(DISTINCT day) >= 365 FROM countme.sources") == [(True,)]


def test_a_worker_killed_in_the_middle_is_reported_and_a_rerun_leaves_the_same_rows(sandbox: Sandbox):
    home, _ = sandbox
    before = tables(home)
    span = ("--from", str(SUNDAY - timedelta(weeks=30)), "--to", str(SUNDAY))
    remake = subprocess.Popen([PROJECT / "stats", "materialize", "countme/raw_hits", *span], env=home.environ)
    wait_for(lambda: worker_of(home))
    killed, worker = worker_of(home) or ("", 0)
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: runs(home, runIds=[killed])[0]["status"] == "FAILURE", seconds=60)
    assert remake.wait(timeout=300) == 0  # the queue has started it once more
    assert tables(home) == before


def worker_of(home: Home) -> tuple[str, int] | None:
    """The run that is loading hits, and its worker process, once it has replaced a day."""
    for run in runs(home, statuses=["STARTED"]):
        if run["assetSelection"] == [{"path": ["countme", "raw_hits"]}]:
            logged = home.ui.ask(_EVENTS, id=run["runId"])["logsForRun"]["events"]
            if any("hits in" in event.get("message", "") for event in logged):
                pids = [event["message"] for event in logged if "(pid: " in event.get("message", "")]
                return run["runId"], int(re.findall(r"\(pid: (\d+)\)", pids[-1])[0])
    return None


def test_a_file_that_was_completed_late_is_fetched_and_loaded_by_itself(sandbox: Sandbox):
    home, _ = sandbox
    statement = """
        SELECT f.source_version NOT LIKE '%unfinished%' AND f.sha256 = s.sha256
        FROM log_sync.files f JOIN countme.sources s USING (day, host, site)
        WHERE f.host = 'proxy04' AND f.day = date 'today' - 1"""
    wait_for(lambda: home.rows(statement) == [(True,)], seconds=240)
    versions = "SELECT count(*) FROM log_sync.file_versions WHERE host = 'proxy04' AND day = date 'today' - 1"
    if home.rows(versions) == [(1,)]:
        return  # so slow a machine that the file was whole when it was first asked for
    (asked, *_) = runs(home, tags=[{"key": "dagster/sensor_name", "value": "late_or_changed_files"}])
    assert asked["status"] == "SUCCESS"


@pytest.mark.browser
def test_the_lineage_of_every_group_shows_its_assets(sandbox: Sandbox, page: Page):
    home, _ = sandbox
    groups: dict[str, list[str]] = {}
    for node in home.ui.ask("{ assetNodes { groupName assetKey { path } } }")["assetNodes"]:
        groups.setdefault(node["groupName"], []).append(node["assetKey"]["path"][-1])
    assert {"log_sync", "countme", "upkeep"} <= set(groups)
    times = Counter(name for names in groups.values() for name in names)
    for group, names in groups.items():
        own = [name for name in names if times[name] == 1]  # what was shown before does not pass for it
        follow(page, f"/locations/stats_assets/asset-groups/{group}/lineage")
        expect(page.get_by_text(re.compile(f"^({'|'.join(own)})$")).first).to_be_visible()


@pytest.mark.browser
def test_a_backfill_launched_from_the_dialog_makes_its_days_in_one_run(sandbox: Sandbox, page: Page):
    home, _ = sandbox
    follow(page, "/assets/countme/daily_unique_hosts?view=partitions")
    page.locator("button", has_text="Materialize").first.click()
    dialog = page.get_by_role("dialog")
    partitions = dialog.get_by_role("textbox").first
    partitions.fill(f"[{SUNDAY - timedelta(days=2)}...{SUNDAY}]")
    partitions.press("Enter")
    expect(dialog.get_by_text("3 partitions").first).to_be_visible()
    dialog.locator("button", has_text="Launch backfill").click()

    def launched() -> list[dict[str, Any]]:
        span = {"key": "dagster/asset_partition_range_end", "value": str(SUNDAY)}
        return [
            run
            for run in runs(home, tags=[span])
            if run["assetSelection"] == [{"path": ["countme", "daily_unique_hosts"]}]
            and "dagster/backfill" in {tag["key"] for tag in run["tags"]}
        ]

    wait_for(lambda: any(run["status"] == "SUCCESS" for run in launched()), seconds=240)


@pytest.mark.browser
def test_a_check_shows_its_history_its_runbook_and_its_numbers_over_time(page: Page):
    follow(page, "/assets/log_sync/files?view=checks&checkDetail=every_expected_host_delivered")
    expect(page.get_by_text("docs/runbooks/log_sync.md#every_expected_host_delivered").first).to_be_visible()
    expect(page.get_by_text(f"{MISSING_DAY} proxy03").first).to_be_visible()
    expect(page.locator("canvas").first).to_be_visible()
    page.get_by_text("Execution history").first.click()
    expect(page.get_by_text("Failed").nth(1)).to_be_visible()


@pytest.mark.browser
def test_metadata_of_an_asset_is_a_chart(sandbox: Sandbox, page: Page):
    home, _ = sandbox
    assert home.stats("materialize", "group:upkeep").returncode == 0
    follow(page, "/assets/upkeep/instance_sizes?view=events")
    page.get_by_text("Show Markdown").first.click()
    picture = page.get_by_role("dialog").locator("img").first
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 500


@pytest.mark.browser
def test_a_click_on_materialize_ends_in_success(sandbox: Sandbox, page: Page):
    home, _ = sandbox
    follow(page, "/assets/countme/totals_csv")
    page.locator("button", has_text="Materialize").first.click()
    launched = page.get_by_text("Launched run").first
    expect(launched).to_be_visible()
    found = re.search(r"Launched run (\w+)", launched.inner_text())
    assert found is not None
    (run,) = [run["runId"] for run in runs(home) if run["runId"].startswith(found[1])]
    follow(page, f"/runs/{run}")
    expect(page.get_by_text("RUN_SUCCESS").first).to_be_visible()


@pytest.mark.browser
def test_the_failed_run_tells_in_our_words_what_is_missing(sandbox: Sandbox, page: Page):
    home, _ = sandbox
    failed = runs(home, statuses=["FAILURE"])
    run = next(run["runId"] for run in failed if run["assetSelection"] == [{"path": ["log_sync", "files"]}])
    follow(page, f"/runs/{run}")
    expect(page.get_by_text(f"{MISSING_DAY}: proxy03 has no").first).to_be_visible()


def test_no_secret_and_no_connection_string_is_on_a_command_line(sandbox: Sandbox):
    home, _ = sandbox
    commands = home.processes()
    assert len(commands) > 4
    assert not [command for command in commands if "postgresql" in command and "@" in command]
