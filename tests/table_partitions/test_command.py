"""`./stats partitions`: what it prints and writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stats_assets.local import partitions, partitions_cli
from stats_assets.shared.failures import ConfigurationMistake
from tests.table_partitions.conftest import World
from tests.table_partitions.made_up import policy


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world in place of this machine's installation."""
    from contextlib import nullcontext

    monkeypatch.setattr(
        partitions, "maintaining", lambda environment, trusts_clock=False: nullcontext(world.maintenance)
    )
    return world


def run(*arguments: str) -> str:
    result = CliRunner().invoke(partitions_cli.app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_33_the_plan_of_another_time_is_shown_and_nothing_is_changed(shell: World):
    shown = run("plan", "--now", "2016-05-25T12:00:00")
    assert "create    s.m: m_20160523, 2016-05-23 00:00:00+00 to 2016-05-30 00:00:00+00" in shown
    assert "lock: SHARE UPDATE EXCLUSIVE on the table" in shown and 'ATTACH PARTITION "s"."m_20160523"' in shown
    assert shell.parts() == {}


def test_33_a_plan_that_was_looked_at_is_carried_out_as_it_is_or_refused(shell: World, tmp_path: Path):
    file = tmp_path / "plan.json"
    file.write_text(run("plan", "--table", "s.m", "--json"))
    assert [step["kind"] for step in json.loads(file.read_text())["steps"]] == ["create"] * 3
    run("apply", "--plan", str(file))
    assert set(shell.parts()) == {"m_20260518", "m_20260525", "m_20260601"}
    run("apply", "--plan", str(file))  # the table is not what it was: each step is left out
    assert shell.rows("SELECT result, count(*) FROM table_partitions.events GROUP BY 1 ORDER BY 1") == [
        ("done", 3),
        ("skipped", 3),
    ]


def test_a_table_without_a_policy_and_a_time_that_is_none_are_told(shell: World):
    with pytest.raises(ConfigurationMistake, match="no policy names x"):
        run("plan", "--table", "x.y")
    with pytest.raises(ConfigurationMistake, match="--now soon: not a time"):
        run("plan", "--now", "soon")


def test_a_plan_tells_what_it_refuses(shell: World):
    shell.policies = [policy(table="s.gone")]
    assert run("plan").splitlines() == ["refused   s.gone: there is no such table", "nothing to do"]
