"""What holds for the whole house: walls between rooms, a graph without loose ends, no accidental change of keys."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from syrupy.assertion import SnapshotAssertion

import stats_assets

PACKAGE = Path(stats_assets.__file__).parent
ROOMS = sorted(folder.name for folder in PACKAGE.iterdir() if (folder / "defs.py").exists())
PURE = {
    "agents",
    "annotations",
    "answer",
    "answers",
    "bbcode",
    "catalog",
    "clock",
    "completeness",
    "coverage",
    "creation",
    "credentials",
    "cubes",
    "ddl",
    "decoding",
    "demos",
    "discovery",
    "documents",
    "drift",
    "envelope",
    "etf2l",
    "evolution",
    "expected",
    "gamelog",
    "index_page",
    "installs",
    "late",
    "leagues",
    "limits",
    "lines",
    "listing",
    "manifest",
    "maps",
    "mirror_requests",
    "mirrors",
    "moments",
    "monthly",
    "names",
    "openapi",
    "origins",
    "page",
    "parse",
    "periods",
    "plan",
    "promises",
    "rates",
    "raw",
    "reasons",
    "reception",
    "retirement",
    "rgl",
    "rules",
    "schedule",
    "schema_file",
    "segments",
    "shape",
    "signatures",
    "stale",
    "statements",
    "steamids",
    "steps",
    "survey",
    "tables",
    "tags",
    "tally",
    "times",
    "timestamps",
    "unpacking",
    "values",
    "verdict",
    "verdicts",
    "versions",
    "walk",
    "weeks",
}
IMPURE_LIBRARIES = {"psycopg2", "sqlalchemy", "httpx", "requests", "subprocess", "socket", "dagster"}


def imports_of(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_there_are_rooms():
    assert {"log_sync", "countme", "crashes"} <= set(ROOMS)
    assert {"log_sync", "countme", "forum"} <= set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_do_not_import_rooms(room: str):
    others = tuple(f"stats_assets.{other}" for other in ROOMS if other != room)
    found = [
        f"{file.relative_to(PACKAGE)} imports {name}"
        for file in (PACKAGE / room).rglob("*.py")
        for name in imports_of(file)
        if name.startswith(others)
    ]
    assert found == []


def test_what_is_shared_knows_no_room():
    rooms = tuple(f"stats_assets.{room}" for room in ROOMS)
    found = [
        f"{file.name} imports {name}"
        for file in (PACKAGE / "shared").rglob("*.py")
        for name in imports_of(file)
        if name.startswith(rooms)
    ]
    assert found == []


def test_pure_modules_reach_for_no_database_process_or_network():
    found = [
        f"{file.relative_to(PACKAGE)} imports {name}"
        for room in ROOMS
        for file in (PACKAGE / room).glob("*.py")
        if file.stem in PURE
        for name in imports_of(file)
        if name.split(".")[0] in IMPURE_LIBRARIES
    ]
    assert found == []


def test_every_upstream_is_made_by_someone(repository: dg.RepositoryDefinition):
    graph = repository.asset_graph
    loose = {
        f"{key.to_user_string()} needs {parent.to_user_string()}"
        for key in graph.materializable_asset_keys
        for parent in graph.get(key).parent_keys
        if parent not in graph.materializable_asset_keys
    }
    assert loose == set()


def test_every_asset_says_who_owns_it_what_it_is_and_which_layer(repository: dg.RepositoryDefinition):
    graph = repository.asset_graph
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.description and node.owners and node.kinds, key
        assert node.group_name == key.path[0], key
        assert node.tags.get("layer") in {"raw", "clean", "aggregate", "state", "report"}, key


def test_assets_with_a_table_describe_its_columns(repository: dg.RepositoryDefinition):
    graph = repository.asset_graph
    for key in graph.materializable_asset_keys:
        metadata = graph.get(key).metadata
        if "dagster/table_name" in metadata:
            assert metadata["dagster/table_name"] == ".".join(key.path)
            assert metadata["dagster/column_schema"], key


def test_the_asset_graph_changes_only_on_purpose(repository: dg.RepositoryDefinition, snapshot: SnapshotAssertion):
    """Keys, partitions and crons are an interface: renaming one orphans history. Accept with --snapshot-update."""
    graph = repository.asset_graph
    assets = {
        key.to_user_string(): {
            "upstream": sorted(parent.to_user_string() for parent in graph.get(key).parent_keys),
            "partitions": str(graph.get(key).partitions_def),
            "backfill_policy": str(graph.get(key).backfill_policy),
            "checks": sorted(check.name for check in graph.get(key).check_keys),
            "group": graph.get(key).group_name,
            "tags": dict(graph.get(key).tags),
        }
        for key in sorted(graph.materializable_asset_keys)
    }
    jobs = sorted(job.name for job in repository.get_all_jobs() if not job.name.startswith("__"))
    schedules = {schedule.name: schedule.cron_schedule for schedule in repository.schedule_defs}
    sensors = {sensor.name: sensor.minimum_interval_seconds for sensor in repository.sensor_defs}
    assert {"assets": assets, "jobs": jobs, "schedules": schedules, "sensors": sensors} == snapshot
