"""The published files as Dagster makes them: assets, metadata, when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import dagster as dg
import pytest

from stats_assets.countme.assets import RAW_HITS, WEEKLY_TOTALS, build_assets
from stats_assets.countme.config import CountmeConfig
from stats_assets.countme.published_assets import (
    CHART_FILES,
    INDEX,
    MIRRORS_CSV,
    PUBLISHED,
    TOTALS_CSV,
    TOTALS_DB,
    TOTALS_PARQUET,
    build_published_assets,
)
from stats_assets.countme.published_automation import build_published
from stats_assets.countme.unique_hosts_asset import build_unique_hosts_asset
from stats_assets.shared.archive import Archive
from stats_assets.shared.postgres import StatsDatabase
from tests.countme.counted import SITE, Counted

MONDAY = date(2024, 3, 4)
OTHER = "centos.example.org"
ONE = CountmeConfig(site=SITE)
TWO = CountmeConfig.model_validate({"sites": [{"site": SITE}, {"site": OTHER, "policy": "compat"}]})


@pytest.fixture
def filled(counted: Counted) -> Counted:
    """A final and a partial week, nine days of hosts."""
    counted.week(MONDAY, (5, "A", 1), (6, "A", -1))
    counted.week(MONDAY + timedelta(weeks=1), (7, "A", 1), status="partial", missing="2024-03-12: proxy01 missing")
    for n in range(9):
        counted.hosts(MONDAY + timedelta(days=n), f39=3, f77=1)
        counted.loaded(MONDAY + timedelta(days=n))
    return counted


# Drawing takes seconds, and only one test looks at pictures.
WITHOUT_PICTURES = [asset for asset in PUBLISHED if asset != CHART_FILES]


def publish(
    counted: Counted, config: CountmeConfig, assets: Sequence[dg.AssetKey] = WITHOUT_PICTURES
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        build_published_assets(config),
        selection=assets,
        resources={"database": counted.database, "archive": counted.archive},
    )


def metadata(result: dg.ExecuteInProcessResult, asset: dg.AssetKey) -> dict[str, object]:
    (event,) = [each for each in result.get_asset_materialization_events() if each.asset_key == asset]
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_every_file_of_every_asset_is_there_and_told(filled: Counted):
    result = publish(filled, ONE, PUBLISHED)
    folder = filled.folder / "published/countme"
    names = {path.name for path in (folder / SITE).iterdir()}
    assert names == {
        "totals.csv", "totals.csv.gz", "totals.parquet", "totals.db", "totals-countme.db", "totals-unique.db",
        "mirrors.csv", "mirrors-7-day-average.csv", "systems-by-release.png", "systems-by-variant.png",
        "systems-by-architecture.png", "systems-by-age.png", "hosts-fedora.png", "hosts-epel.png",
    }  # fmt: skip
    assert (folder / "index.html").is_file()
    told = metadata(result, TOTALS_CSV)
    assert (told["dagster/row_count"], told["weeks"], told["changed_files"]) == (2, 1, 2)
    assert (told["oldest"], told["newest"]) == ("2024-03-04", "2024-03-04")
    assert told["size_bytes"] == sum((folder / SITE / name).stat().st_size for name in ("totals.csv", "totals.csv.gz"))
    assert told["weeks_left_out"] == {"2024-03-11": "partial: 2024-03-12: proxy01 missing"}
    assert (
        metadata(result, TOTALS_PARQUET)["dagster/row_count"] == metadata(result, TOTALS_DB)["dagster/row_count"] == 2
    )
    assert metadata(result, MIRRORS_CSV)["hosts_without_column"] == {"f77": 9}
    assert str(metadata(result, CHART_FILES)["charts"]).count("data:image/png;base64,") == 6
    assert metadata(result, INDEX)["newest"] == "2024-03-04"


def test_publishing_again_changes_no_file(filled: Counted):
    publish(filled, ONE)
    again = publish(filled, ONE)
    assert [metadata(again, asset)["changed_files"] for asset in WITHOUT_PICTURES] == [0] * 5


def test_each_site_has_a_folder_and_its_own_policy(filled: Counted):
    other = Counted(filled.database, filled.folder, OTHER)
    other.week(MONDAY, (9, "C", 1, "epel-9", 1), policy="compat", status="partial", missing="a gap")
    result = publish(filled, TWO)
    folder = filled.folder / "published/countme"
    assert "status" in (folder / SITE / "totals.csv").read_text().splitlines()[0]
    assert (folder / OTHER / "totals.csv").read_text().splitlines()[1:] == [
        "2024-03-04,2024-03-10,9,C,39,workstation,x86_64,1,epel-9,x86_64"
    ]
    page = (folder / "index.html").read_text()
    assert f'href="./{SITE}/totals.csv"' in page
    assert f'href="./{OTHER}/totals.csv"' in page
    assert metadata(result, TOTALS_CSV)["dagster/row_count"] == 3
    assert list(metadata(result, TOTALS_CSV)["weeks_left_out"]) == [f"{SITE} 2024-03-11"]  # type: ignore[call-overload]


def test_unfinished_weeks_are_published_when_configured(filled: Counted):
    publish(filled, ONE.model_copy(update={"publish_unfinished_weeks": True}))
    rows = (filled.folder / "published/countme" / SITE / "totals.csv").read_text().splitlines()
    assert [row.split(",")[10] for row in rows] == ["status", "final", "final", "partial"]


def test_a_database_that_is_away_is_told_in_a_line_and_asked_again(filled: Counted):
    away = StatsDatabase(dsn="postgresql://x@/x?host=/nonexistent")
    for asset in build_published_assets(ONE):
        with pytest.raises(dg.Failure) as failure:
            asset(database=away, archive=filled.archive)
        assert (failure.value.description or "").startswith("PostgreSQL does not answer")
        assert failure.value.allow_retries
        assert asset.op.retry_policy


@pytest.fixture
def ask(filled: Counted):
    """Evaluates the sensor once, for a configuration."""
    instance = dg.DagsterInstance.ephemeral()

    def evaluate(config: CountmeConfig = ONE) -> dg.SensorResult | dg.SkipReason | object:
        # Keys only: the assets that count are not run here.
        counting = [*build_assets(config), build_unique_hosts_asset(config)]
        upstream = dg.Definitions(assets=[*counting, dg.AssetSpec(["log_sync", "files"])])
        resources = {"database": filled.database, "archive": filled.archive}
        repository = dg.Definitions.merge(
            build_published(config, sensor_is_running=True), upstream, dg.Definitions(resources=resources)
        ).get_repository_def()
        context = dg.build_sensor_context(instance=instance, repository_def=repository, resources=resources)
        return repository.get_sensor_def("countme_unpublished").evaluate_tick(context)

    return evaluate


def test_the_sensor_asks_until_all_is_published_and_again_when_something_changes(filled: Counted, ask):
    first = ask()
    (request,) = first.run_requests
    assert ask().run_requests[0].run_key == request.run_key  # one run per state, however often it is asked
    publish(filled, ONE)
    assert ask().skip_message == "what is published is made of the counts there are now"

    filled.week(MONDAY + timedelta(weeks=2), (1, "A", 1))
    assert ask().run_requests[0].run_key != request.run_key
    publish(filled, ONE)
    filled.hosts(MONDAY + timedelta(days=20), f39=1)
    assert len(ask().run_requests) == 1
    publish(filled, ONE)
    assert len(ask(ONE.model_copy(update={"suppress_below": 5})).run_requests) == 1
    assert ask().run_requests == []


def test_the_sensor_waits_for_a_file_that_was_not_published(filled: Counted, ask):
    publish(filled, ONE, [TOTALS_CSV])
    filled.week(MONDAY + timedelta(weeks=2), (1, "A", 1))
    publish(filled, ONE)
    assert ask().run_requests == []
    filled.week(MONDAY + timedelta(weeks=3), (1, "A", 1))
    publish(filled, ONE, [TOTALS_CSV])
    assert len(ask().run_requests) == 1


def test_the_sensor_has_nothing_to_publish_before_anything_is_counted(counted: Counted):
    resources = {"database": counted.database, "archive": counted.archive}
    counting = [*build_assets(ONE), build_unique_hosts_asset(ONE), dg.AssetSpec(["log_sync", "files"])]
    repository = dg.Definitions.merge(
        build_published(ONE, sensor_is_running=False), dg.Definitions(assets=counting, resources=resources)
    ).get_repository_def()
    sensor = repository.get_sensor_def("countme_unpublished")
    context = dg.build_sensor_context(
        instance=dg.DagsterInstance.ephemeral(), repository_def=repository, resources=resources
    )
    assert sensor.evaluate_tick(context).skip_message == "nothing is counted yet"
    assert sensor.default_status == dg.DefaultSensorStatus.STOPPED


def test_files_are_downstream_of_what_they_are_made_of():
    resources = {"database": StatsDatabase(dsn=""), "archive": Archive(url="/nonexistent")}
    counting = [*build_assets(ONE), build_unique_hosts_asset(ONE)]
    graph = dg.Definitions(assets=[*counting, *build_published_assets(ONE)], resources=resources).resolve_asset_graph()
    assert graph.get(TOTALS_CSV).parent_keys == {WEEKLY_TOTALS}
    assert graph.get(INDEX).parent_keys == set(PUBLISHED) - {INDEX}
    assert RAW_HITS in graph.get(WEEKLY_TOTALS).parent_keys
