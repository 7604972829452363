"""A real RabbitMQ on loopback, with everything in a folder of its own and an epmd of its own, which it would leave."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.ports import free_ports
from tests.stack import wait_for

# Debian's own start script changes user and folder; behind it is the broker's.
_BEHIND_DEBIANS = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


@contextmanager
def running_broker(program: Path, folder: Path) -> Iterator[str]:
    """Its URL, as the user guest, who may come from loopback only."""
    port, names = free_ports(), free_ports()
    (folder / "plugins").write_text("[].\n")
    environ = {
        **os.environ,
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"stats{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(port + 1),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
    }
    server = _BEHIND_DEBIANS if _BEHIND_DEBIANS.exists() else program
    with (
        _program(["epmd", "-address", "127.0.0.1", "-port", str(names)], environ, names),
        _program([str(server)], environ, port),
    ):
        yield f"amqp://guest:guest@127.0.0.1:{port}/%2F"


@contextmanager
def _program(command: list[str], environ: dict[str, str], port: int) -> Iterator[None]:
    process = subprocess.Popen(
        command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )

    def listens() -> bool:
        assert process.poll() is None, f"{command[0]} has ended"
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False

    try:
        wait_for(listens, seconds=90)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
