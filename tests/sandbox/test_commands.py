"""The command line: `write` in this process, `serve` as the launcher starts it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed
from typer.testing import CliRunner

from stats_assets.sandbox.__main__ import app


@pytest.fixture
def port() -> int:
    """A port on loopback nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write(folder: Path, *arguments: str):
    return CliRunner().invoke(app, ["write", "--folder", str(folder), "--lines", "50", *arguments])


def written(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder / "hosts")) for path in folder.rglob("*access.log*"))


def test_write_makes_the_files_of_the_days_and_hosts_that_are_named(tmp_path: Path):
    result = write(tmp_path, "--from", "2026-11-09", "--to", "2026-11-10", "--host", "proxy01")
    assert result.exit_code == 0
    assert written(tmp_path) == [
        f"proxy01/2026/11/{day}/mirrors.fedoraproject.org-access.log.gz" for day in ("09", "10")
    ]


def test_write_without_hosts_means_all_of_them_and_knows_no_missing_file(tmp_path: Path):
    write(tmp_path, "--from", "2026-11-10", "--to", "2026-11-10")
    assert [name.split("/")[0] for name in written(tmp_path)] == ["proxy01", "proxy02", "proxy03", "proxy04"]


def test_write_makes_hosts_of_any_name(tmp_path: Path):
    write(tmp_path, "--from", "2026-11-10", "--to", "2026-11-10", "--host", "proxy02", "--host", "proxy99")
    assert [Path(name).parts[0] + Path(name).suffix for name in written(tmp_path)] == ["proxy02.xz", "proxy99.gz"]


def test_write_refuses_days_in_the_wrong_order(tmp_path: Path):
    result = write(tmp_path, "--from", "2026-11-10", "--to", "2026-11-09")
    assert result.exit_code == 2
    assert "is before" in result.output


def test_serve_answers_until_it_is_told_to_end(tmp_path: Path, port: int):
    process = serve(tmp_path, port)
    try:
        assert health(port).status_code == 200
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=20)
    assert (process.returncode, output) == (0, b"")
    assert (tmp_path / "hosts" / "proxy01").is_dir()


def test_a_port_that_is_taken_is_told_in_one_line(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = serve(tmp_path, taken.getsockname()[1])
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output.decode().count("\n") == 1
    assert b"give another --port" in output


def serve(folder: Path, port: int) -> subprocess.Popen[bytes]:
    arguments = ["serve", "--folder", str(folder), "--port", str(port), "--lines", "20", "--weeks", "1"]
    return subprocess.Popen(
        [sys.executable, "-m", "stats_assets.sandbox", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=Path(__file__).parents[2],
    )


@retry(retry=retry_if_exception_type(httpx.TransportError), wait=wait_fixed(0.05), stop=stop_after_delay(60))
def health(port: int) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}/health", timeout=30)
