"""A second copy of every backup in a real restic repository."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from unittest import mock

import pytest

from stats_assets.backups import restic as room
from stats_assets.backups.plan import Keep
from stats_assets.backups.restic import hand_over
from stats_assets.backups.shelf import Shelf
from stats_assets.shared.archive import Archive
from stats_assets.shared.failures import ConfigurationMistake, SourceAway

NAMES = ("2026-05-18T010000Z", "2026-05-19T010000Z", "2026-05-20T010000Z")


def asked(program: Path, repository: Path, *arguments: str) -> str:
    done = subprocess.run([program, "-r", repository, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def repository(restic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RESTIC_PASSWORD", "a password of the test")
    monkeypatch.setenv("RESTIC_CACHE_DIR", f"{tmp_path}/cache")
    asked(restic, tmp_path / "repository", "init")
    return tmp_path / "repository"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = Shelf(Archive(str(tmp_path / "shelf")))
    for name in NAMES:
        shelf.store(name, "base.tar", io.BytesIO(name.encode() * 1000), level=3)
    return shelf


def test_what_restic_gives_back_is_the_backup_and_old_ones_are_forgotten_by_the_same_rule(
    restic: Path, repository: Path, shelf: Shelf, tmp_path: Path
):
    for name in NAMES:
        hand_over(shelf, name, f"{repository}", Keep(daily=2, weekly=0, monthly=0))
    snapshots = json.loads(asked(restic, repository, "snapshots", "--json"))
    assert [snapshot["time"][:19] for snapshot in snapshots] == ["2026-05-19T01:00:00", "2026-05-20T01:00:00"]
    asked(restic, repository, "restore", "latest", "--target", f"{tmp_path}/back")
    (given_back,) = tmp_path.glob("back/**/base.tar")
    assert given_back.parent.name == NAMES[-1]
    assert given_back.read_bytes() == (tmp_path / "shelf" / NAMES[-1] / "base.tar").read_bytes()


def test_no_repository_is_told_in_the_words_of_restic_without_its_address(
    repository: Path, shelf: Shelf, tmp_path: Path
):
    address = f"{tmp_path}/user:planted@nothing"
    with pytest.raises(SourceAway, match=r"restic backup failed: Fatal: .*the repository/config: no such file") as told:
        hand_over(shelf, NAMES[0], address, Keep())
    assert "planted" not in str(told.value)


def test_a_shelf_that_is_no_local_folder_is_a_mistake(restic: Path):
    assert restic
    with pytest.raises(ConfigurationMistake, match="to be a local folder"):
        hand_over(Shelf(Archive("memory://shelf")), NAMES[0], "/srv/restic", Keep())


def test_without_restic_its_setting_is_a_mistake_that_says_what_to_install(shelf: Shelf):
    with (
        mock.patch.object(room.shutil, "which", return_value=None),
        pytest.raises(ConfigurationMistake, match="apt-get install restic"),
    ):
        hand_over(shelf, NAMES[0], "/srv/restic", Keep())
