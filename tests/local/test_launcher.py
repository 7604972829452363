"""The launcher ./stats as a program and, loaded as a module, in its parts. Nothing is downloaded here."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def launcher(tmp_path: Path) -> ModuleType:
    """The launcher of a project in `tmp_path`, with small locks and no environment yet."""
    script = tmp_path / "stats"
    script.write_bytes((PROJECT / "stats").read_bytes())
    for lock in ("requirements.lock", "requirements-dev.lock", "requirements-uv.lock"):
        (tmp_path / lock).write_text(f"{lock}==1.0\n")
    loader = importlib.machinery.SourceFileLoader("launcher", str(script))
    spec = importlib.util.spec_from_loader("launcher", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture
def commands(launcher: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the launcher runs instead of really running it; everything goes well."""
    ran: list[str] = []
    monkeypatch.setattr(launcher, "run", lambda command: ran.append(" ".join(map(str, command))))
    return ran


def pretend_environment(launcher: ModuleType) -> None:
    launcher.PYTHON.parent.mkdir(parents=True)
    launcher.PYTHON.symlink_to(sys.executable)


def test_a_first_use_installs_the_lock_once(launcher, commands):
    pretend_environment(launcher)
    launcher.install("requirements.lock")
    launcher.install("requirements.lock")
    assert [command.split(" -m ")[1].split()[0] for command in commands] == ["pip", "uv"]
    assert all("--require-hashes" in command for command in commands)
    assert launcher.is_installed("requirements.lock")


def test_a_changed_lock_is_installed_again(launcher, commands, tmp_path):
    pretend_environment(launcher)
    launcher.install("requirements.lock")
    (tmp_path / "requirements.lock").write_text("another==2.0\n")
    assert not launcher.is_installed("requirements.lock")


def test_the_tools_of_developers_come_on_top_and_stay(launcher, commands, tmp_path):
    pretend_environment(launcher)
    launcher.install("requirements-dev.lock")
    assert launcher.is_installed("requirements.lock")
    (tmp_path / "requirements.lock").write_text("another==2.0\n")
    launcher.install("requirements.lock")
    assert launcher.is_installed("requirements-dev.lock")


def test_pip_does_it_where_uv_cannot(launcher, monkeypatch):
    pretend_environment(launcher)
    ran: list[str] = []

    def run(command: list[object]) -> str | None:
        ran.append(" ".join(map(str, command)))
        return "no route to host" if " uv pip" in ran[-1] else None

    monkeypatch.setattr(launcher, "run", run)
    launcher.install("requirements.lock")
    assert ran[-1].endswith("-m pip install --disable-pip-version-check --require-hashes -r requirements.lock")
    assert launcher.is_installed("requirements.lock")


def test_an_installation_that_fails_says_why_and_is_not_taken_for_done(launcher, monkeypatch, capsys):
    pretend_environment(launcher)
    monkeypatch.setattr(launcher, "run", lambda command: "no route to host")
    with pytest.raises(SystemExit):
        launcher.install("requirements.lock")
    assert "no route to host" in capsys.readouterr().err
    assert not launcher.is_installed("requirements.lock")


@pytest.mark.slow
def test_an_installation_that_was_killed_is_begun_from_nothing(launcher, commands):
    pretend_environment(launcher)
    (launcher.VENV / "half-a-package").touch()
    launcher.INSTALLING.touch()
    launcher.install("requirements.lock")
    assert not (launcher.VENV / "half-a-package").exists()
    assert subprocess.run([launcher.PYTHON, "-m", "pip", "--version"], capture_output=True).returncode == 0


def test_a_python_that_is_too_old_is_told_which_one_is_needed(launcher, monkeypatch, capsys):
    monkeypatch.setattr(launcher, "OLDEST", (99, 0))
    with pytest.raises(SystemExit) as ended:
        launcher.main(["up"])
    assert ended.value.code == 1
    assert "needs Python 3.11 or newer" in capsys.readouterr().err


def test_a_python_without_venv_is_told_what_to_install(launcher, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SystemExit):
        launcher.install("requirements.lock")
    assert "apt-get install python3-venv" in capsys.readouterr().err


def test_it_works_through_a_link_from_any_folder(tmp_path):
    (tmp_path / "link").symlink_to(PROJECT / "stats")
    (tmp_path / "typer.py").write_text("raise SystemExit('the wrong typer')\n")
    shown = subprocess.run([tmp_path / "link", "-h"], cwd=tmp_path, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    assert "materialize" in shown.stdout


@pytest.mark.parametrize("arguments", [["nonsense"], ["materialize"], ["materialize", "*", "--from", "yesterday"]])
def test_wrong_usage_has_exit_code_2(arguments):
    ended = subprocess.run([PROJECT / "stats", *arguments], capture_output=True, text=True)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"STATS_PORT": "80"}, "STATS_PORT=80: not a port we can use"),
        ({"STATS_DSN": "postgresql://x@127.0.0.1:1/stats"}, "STATS_DSN: PostgreSQL does not answer"),
        ({"STATS_DSN": "nonsense"}, "STATS_DSN is not a connection string"),
        ({"STATS_CONFIG": "missing.yaml"}, "missing.yaml: cannot be read"),
        ({"STATS_PG_BIN": "/nowhere"}, "STATS_PG_BIN=/nowhere: no PostgreSQL 15 or newer there"),
    ],
)
def test_a_wrong_variable_is_one_clear_line(tmp_path, variables, said):
    environ = {**os.environ, "STATS_HOME": str(tmp_path / "home"), **variables}
    ended = subprocess.run([PROJECT / "stats", "up"], cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert said in line


def test_a_wrong_stats_yaml_is_told_before_anything_is_started(tmp_path):
    (tmp_path / "stats.yaml").write_text("countme:\n  polizy: strict\n")
    environ = {**os.environ, "STATS_HOME": str(tmp_path / "home"), "STATS_CONFIG": "stats.yaml"}
    ended = subprocess.run([PROJECT / "stats", "up"], cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "stats.yaml:2: countme.polizy: unknown key; allowed here:" in ended.stderr
    assert not (tmp_path / "home" / "pg").exists()
