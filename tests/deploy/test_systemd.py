"""The units of deploy/systemd, as systemd itself reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.stack import PROJECT

UNITS = sorted((PROJECT / "deploy/systemd").glob("*.service"))
# 0 is closed, 10 is open; what is left is the network, which logs come over, and processes of its own user.
_MOST_EXPOSED = 20  # in tenths


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units with a program that is there; everything else as it is."""
    folder = tmp_path_factory.mktemp("units")
    for unit in UNITS:
        text = unit.read_text().replace("/srv/stats-assets/.venv/bin/python", "/bin/sh")
        (folder / unit.name).write_text(text)
    return folder


def test_systemd_reads_every_unit_without_a_complaint(systemd_analyze: Path, folder: Path):
    paths = [folder / unit.name for unit in UNITS]
    done = subprocess.run([systemd_analyze, "verify", "--man=no", *paths], capture_output=True, text=True)
    ours = [line for line in done.stderr.splitlines() if "stats-" in line]
    assert (ours, len(UNITS)) == ([], 5)


@pytest.mark.parametrize("name", [unit.name for unit in UNITS])
def test_a_unit_is_closed_but_for_what_it_needs(systemd_analyze: Path, folder: Path, name: str):
    command = [systemd_analyze, "security", "--offline=true", f"--threshold={_MOST_EXPOSED}", folder / name]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


def test_no_unit_holds_a_secret_or_listens_to_the_network():
    for unit in UNITS:
        text = unit.read_text()
        assert "EnvironmentFile=" in text and "postgresql://" not in text and "PASSWORD=" not in text
        assert "--host" not in text or "--host 127.0.0.1 " in text
