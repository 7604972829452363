"""Every failure and every check has its page, every page is linked, and what pages tell to run works."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg2
import pytest

import stats_assets
from stats_assets.local.cli import app
from stats_assets.shared import runbooks
from stats_assets.shared.environment import PROJECT_FOLDER
from stats_assets.shared.runbooks import page, page_of_check

PAGES = sorted((PROJECT_FOLDER / runbooks.FOLDER).glob("*.md"))
_LINK = re.compile(r"\]\(([^)#]*)(#[^)]*)?\)")


def commands(file: Path) -> Iterator[str]:
    for block in re.findall(r"```sh\n(.*?)```", file.read_text(), re.DOTALL):
        yield from block.strip().splitlines()


def anchors(file: Path) -> set[str]:
    """What a link may name of a page: its headings, as sites that show Markdown write them."""
    headings = re.findall(r"^##+ (.*)$", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def our_error_classes() -> set[str]:
    """Every exception of ours that ends a step: those that are one of the two kinds of trouble."""
    bases = {"SourceAway", "OurMistake"}
    classes = [
        (node.name, {base.id for base in node.bases if isinstance(base, ast.Name)})
        for file in Path(stats_assets.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    while more := {name for name, parents in classes if parents & bases} - bases:
        bases |= more
    return bases


def test_every_check_carries_its_place_in_a_runbook(repository: dg.RepositoryDefinition):
    graph = repository.asset_graph
    checks = [(key, graph.get_check_spec(key)) for key in graph.asset_check_keys]
    assert len(checks) > 20
    for key, spec in checks:
        place = page_of_check(key.asset_key.to_user_string(), key.name)
        assert spec.metadata["runbook"] == dg.MetadataValue.path(place), key
        file, _, heading = place.partition("#")
        assert f"\n## {heading}\n" in (PROJECT_FOLDER / file).read_text(), place


def test_every_heading_of_a_room_s_page_is_a_check(repository: dg.RepositoryDefinition):
    places = {
        page_of_check(key.asset_key.to_user_string(), key.name) for key in repository.asset_graph.asset_check_keys
    }
    rooms = {place.partition("#")[0] for place in places}
    found = {
        f"{room}#{heading}"
        for room in rooms
        for heading in re.findall(r"^## (\w+)$", (PROJECT_FOLDER / room).read_text(), re.MULTILINE)
    }
    assert found == places


def test_every_asset_carries_its_room_s_runbook_and_its_code(repository: dg.RepositoryDefinition):
    graph = repository.asset_graph
    for key in graph.materializable_asset_keys:
        metadata = graph.get(key).metadata
        assert metadata["runbook"] == dg.MetadataValue.path(page(key.path[0])), key
        assert metadata["dagster/code_references"].code_references, key


def test_every_failure_class_has_its_page():
    assert set(runbooks.BY_ERROR) == our_error_classes() | {"Failure"}
    for name in runbooks.ALL_PAGES:
        assert (PROJECT_FOLDER / page(name)).exists(), name


def test_every_page_is_in_the_index_and_every_link_leads_somewhere():
    (index,) = [file for file in PAGES if file.name == "README.md"]
    linked = {target for target, _ in _LINK.findall(index.read_text())}
    assert linked == {file.name for file in PAGES} - {"README.md"}
    for file in PAGES:
        for target, heading in _LINK.findall(file.read_text()):
            there = (file.parent / target).resolve() if target else file
            assert there.exists(), f"{file.name}: {target}"
            assert not heading or heading[1:] in anchors(there), f"{file.name}: {heading}"


def test_the_statements_in_runbooks_are_right(database_dsn: str):
    statements = [
        (file.name, told[1])
        for file in PAGES
        for line in commands(file)
        if (told := re.fullmatch(r'\./stats psql -c "(.*)"', line))
    ]
    assert len(statements) > 15
    with psycopg2.connect(database_dsn) as connection, connection.cursor() as cursor:
        for name, statement in statements:
            try:
                cursor.execute(statement)
            except psycopg2.Error as error:
                pytest.fail(f"{name}: {statement}\n{error}")


def test_the_commands_in_runbooks_are_verbs_and_name_assets_that_exist(repository: dg.RepositoryDefinition):
    verbs = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    verbs |= {group.name for group in app.registered_groups}
    graph = repository.asset_graph
    for file in PAGES:
        for line in commands(file):
            words = line.split()
            if words[0] != "./stats":
                continue
            assert words[1] in verbs, f"{file.name}: {line}"
            if words[1] == "materialize":
                selection = re.search(r"materialize ('[^']+'|\S+)", line)
                assert selection is not None
                keys = dg.AssetSelection.from_string(selection[1].strip("'")).resolve(graph)
                assert keys, f"{file.name}: {line}"
            if words[1] == "dagster" and "-j" in words:
                assert repository.has_job(words[words.index("-j") + 1]), f"{file.name}: {line}"
