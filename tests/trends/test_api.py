"""The API source against a simulated site with every fault: complete in the end, each log once, and it always ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from stats_assets.sandbox.game_log_site import GameLogSite, GivenLogs
from stats_assets.sandbox.game_logs import SimulatedLogs
from stats_assets.sandbox.game_plan import FIRST_DAY, GamePlan
from stats_assets.shared.failures import OurMistake, SourceAway
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.api_client import GameLogApi, Patience, Site
from stats_assets.trends.api_import import ApiImporter
from stats_assets.trends.export import export
from tests.trends.sites import served

PLAN = GamePlan(seed=7, logs_per_day=6)
LOGS = SimulatedLogs(PLAN)
DAYS = [FIRST_DAY + timedelta(days=n) for n in range(3)]
NOW = datetime(2025, 11, 6, 9, tzinfo=UTC)
GAMES = [game for day in DAYS for game in PLAN.games(day)]
IDS = [game.logid for game in GAMES]
HASTY = Patience(between_requests=0, answer_seconds=1, whole_seconds=3, attempts=3, longest_wait=5)

Connect = Callable[[GameLogSite], ApiImporter]


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connect(database: StatsDatabase, tmp_path: Path, clock: Clock) -> Iterator[Connect]:
    """An importer from a site, served over HTTP until the test ends."""
    with ExitStack() as stack:

        def connected(site: GameLogSite, patience: Patience = HASTY) -> ApiImporter:
            url = stack.enter_context(served(tmp_path, {"game_logs": site}))
            client = Site(f"{url}/game_logs/api/v1", patience, clock.sleep)
            stack.callback(client.close)
            return ApiImporter(database, GameLogApi(client, lambda: NOW), 5, lambda: NOW)

        yield connected


def site_with(**options: object) -> GameLogSite:
    return GameLogSite(LOGS, now=lambda: NOW, **options)  # type: ignore[arg-type]


def run(importer: ApiImporter, days: list[date] = DAYS, again: bool = False) -> None:
    importer.list_days(days[0], days[-1])
    for day in days:
        importer.fetch_day(day, again)


def states(database: StatsDatabase) -> dict[int, str]:
    with database.transaction() as cursor:
        cursor.execute("SELECT logid, state FROM trends.import_ledger ORDER BY logid")
        return dict(cursor.fetchall())


def have(database: StatsDatabase) -> list[int]:
    """The logs whose bytes are here."""
    with database.transaction() as cursor:
        cursor.execute("SELECT logid FROM trends.raw_logs ORDER BY logid")
        return [logid for (logid,) in cursor.fetchall()]


def test_every_listed_log_of_the_days_is_fetched_once(database: StatsDatabase, connect: Connect):
    site = site_with()
    importer = connect(site)
    run(importer)
    assert have(database) == IDS
    run(importer)
    assert {site.asked[logid] for logid in IDS} == {1}
    assert importer.fetch_day(DAYS[0]).have == 6


def test_days_one_by_one_and_backwards_give_the_same(database: StatsDatabase, connect: Connect):
    importer = connect(site_with())
    for day in reversed(DAYS):
        run(importer, [day])
    assert have(database) == IDS


def test_faults_that_pass_leave_no_trace(database: StatsDatabase, connect: Connect, clock: Clock):
    faults = {
        IDS[0]: ["busy", "busy"],
        IDS[1]: ["broken"],
        IDS[2]: ["cut"],
        IDS[3]: ["half_json", "not_json"],
        IDS[4]: ["silent"],
        "list": ["broken", "not_json", "empty_page", "cut", "half_json", "busy"],
    }
    run(connect(site_with(faults=faults, retry_after="3")))
    assert have(database) == IDS
    assert "missing" not in states(database).values()
    assert clock.slept.count(3) >= 2, "Retry-After is obeyed"


def test_a_log_that_fails_for_now_is_missing_and_its_neighbours_are_not(database: StatsDatabase, connect: Connect):
    faults = {IDS[3]: ["broken"] * 3, IDS[4]: ["not_found"], IDS[5]: ["refused"], IDS[8]: ["half_json"] * 3}
    importer = connect(site_with(faults=faults))
    run(importer)
    told = states(database)
    assert [logid for logid, state in told.items() if state == "missing"] == [IDS[3], IDS[4], IDS[5]]
    assert told[IDS[8]] == "quarantined"
    run(importer)
    assert states(database) == told, "not asked again at once"
    with database.transaction() as cursor:
        cursor.execute("UPDATE trends.import_ledger SET changed_at = changed_at - interval '2 hours'")
    run(importer)
    assert have(database) == IDS
    assert not {"missing", "quarantined"} & {states(database)[logid] for logid in (*IDS[3:6], IDS[8])}


def test_a_log_the_site_did_not_answer_for_is_asked_for_sooner_than_one_it_has_not(
    database: StatsDatabase, connect: Connect
):
    importer = connect(site_with(faults={IDS[3]: ["broken"] * 3, IDS[4]: ["not_found"]}))
    run(importer)
    with database.transaction() as cursor:
        cursor.execute("UPDATE trends.import_ledger SET changed_at = changed_at - interval '3 minutes'")
    run(importer)
    assert [logid for logid, state in states(database).items() if state == "missing"] == [IDS[4]]


def test_an_operator_need_not_wait_for_a_gap(database: StatsDatabase, connect: Connect):
    importer = connect(site_with(faults={IDS[4]: ["not_found"]}))
    run(importer)
    assert states(database)[IDS[4]] == "missing"
    run(importer, again=True)
    assert have(database) == IDS


def test_a_site_that_goes_away_in_the_middle_fails_the_day_and_keeps_what_came(
    database: StatsDatabase, connect: Connect
):
    importer = connect(site_with(always=dict.fromkeys(IDS[7:], "broken")))
    importer.list_days(DAYS[0], DAYS[-1])
    importer.fetch_day(DAYS[0])
    with pytest.raises(SourceAway, match="5 logs in a row"):
        for day in DAYS[1:]:
            importer.fetch_day(day)
    assert have(database) == IDS[:7]
    assert "missing" not in states(database).values(), "an outage is no log's fault"
    run(connect(site_with()))
    assert have(database) == IDS


@pytest.mark.parametrize("fault", ["silent", "empty_page", "broken", "half_json", "busy", "not_found", "cut"])
def test_a_listing_that_never_comes_ends_with_a_message(connect: Connect, fault: str):
    patience = Patience(between_requests=0, answer_seconds=0.2, attempts=2, longest_wait=1)
    site = site_with(always={"list": fault}, silent_seconds=1)
    with pytest.raises(SourceAway, match="game_logs/api/v1/log"):
        connect(site, patience).list_days(DAYS[0], DAYS[-1])  # type: ignore[call-arg]


def test_nothing_is_noted_of_a_listing_that_broke_off(database: StatsDatabase, connect: Connect):
    importer = connect(site_with())
    importer.list_days(DAYS[0], DAYS[0])
    broken = connect(site_with(always={"list": "empty_page"}))
    with pytest.raises(SourceAway, match="the page is empty"):
        broken.list_days(DAYS[1], DAYS[2])
    with database.transaction() as cursor:
        cursor.execute("SELECT day FROM trends.listed_days")
        assert cursor.fetchall() == [(DAYS[0],)]


def test_a_wrong_address_is_our_mistake(connect: Connect, tmp_path: Path, database: StatsDatabase):
    with served(tmp_path, {}) as url:
        api = GameLogApi(Site("gopher://old.example", HASTY), lambda: NOW)
        with pytest.raises(OurMistake, match="check the urls"):
            ApiImporter(database, api).list_days(DAYS[0], DAYS[0])
        api = GameLogApi(Site(f"{url}/nothing", HASTY, lambda _: None), lambda: NOW)
        with pytest.raises(SourceAway, match="there is no listing"):
            ApiImporter(database, api).list_days(DAYS[0], DAYS[0])


def test_a_log_that_was_uploaded_anew_is_fetched_again_once(database: StatsDatabase, connect: Connect):
    site = site_with()
    importer = connect(site)
    run(importer)
    with database.transaction() as cursor:
        earlier = "UPDATE trends.import_ledger SET uploaded_at = uploaded_at - interval '1 minute' WHERE logid = %s"
        cursor.execute(earlier, (IDS[2],))
        cursor.execute("UPDATE trends.listed_logs SET asked_for = NULL WHERE logid = %s", (IDS[2],))
    run(importer)
    run(importer)
    assert (site.asked[IDS[2]], site.asked[IDS[1]]) == (2, 1)


def test_requests_keep_their_distance(connect: Connect, clock: Clock):
    importer = connect(site_with(), Patience(between_requests=7, attempts=1))  # type: ignore[call-arg]
    importer.list_days(DAYS[0], DAYS[-1])
    assert clock.slept
    assert all(6 < pause <= 7 for pause in clock.slept)


def test_the_reference_logs_through_the_api_give_the_true_rows(
    database: StatsDatabase, connect: Connect, tmp_path: Path, reference_data: Path
):
    files = sorted((reference_data / "trends/logs").glob("log_*.json"))
    given = GivenLogs.of_files(files)
    importer = connect(GameLogSite(given, now=lambda: NOW, faults={2_344_354: ["busy", "cut"], "list": ["cut"]}))
    days = sorted({datetime.fromtimestamp(entry.date, UTC).date() for entry in given.entries(NOW)})
    assert importer.list_days(days[0], days[-1]) == 24
    for day in days:
        importer.fetch_day(day)
    export(database, tmp_path / "export")
    for file in sorted((reference_data / "trends/expected").glob("*.csv")):
        assert (tmp_path / "export" / file.name).read_text() == file.read_text(), file.name
