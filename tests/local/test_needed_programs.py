"""Programs that tests run: where they are looked for, and what people without them are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from stats_assets.local.needed_programs import NeededProgram

PROGRAM = NeededProgram(("wanted", "wanted-stable"), "wanted-package", "STATS_WANTED")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    program = tmp_path / "wanted-stable"
    program.touch(mode=0o755)
    return program


def test_a_program_is_found_by_any_of_its_names(installed: Path):
    assert PROGRAM.find({"PATH": str(installed.parent)}) == installed


def test_a_path_that_is_given_goes_before_what_is_found(installed: Path):
    assert PROGRAM.find({"PATH": str(installed.parent), "STATS_WANTED": "/nowhere/wanted"}) is None
    assert PROGRAM.find({"PATH": "", "STATS_WANTED": str(installed)}) == installed


def test_who_lacks_a_program_is_told_its_package_and_variable():
    assert PROGRAM.advice == (
        "no wanted; apt-get install --no-install-recommends wanted-package, or set STATS_WANTED to its path"
    )
