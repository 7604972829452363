"""Real servers on loopback as log hosts: an rsync daemon and an sshd, each with everything in a folder of its own."""

from __future__ import annotations

import getpass
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from stats_assets.log_sync.config import LogHost
from tests.log_sync.sources import PATH, Folder
from tests.ports import free_ports
from tests.stack import wait_for


class Server:
    """A program that listens on `port`, with all it starts."""

    def __init__(self, command: Sequence[str | Path], port: int) -> None:
        self._command, self._port = command, port

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_for(self._listens, seconds=20)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _listens(self) -> bool:
        assert self._process.poll() is None, f"{self._command} has ended"
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1):
            return True
        return False


@dataclass(frozen=True)
class RsyncSource:
    """A host with an rsync daemon: module `logs` for everybody, module `secret` for me with the password s3cret."""

    folder: Folder
    port: int
    server: Server
    transfers: Path

    @property
    def url(self) -> str:
        return f"rsync://127.0.0.1:{self.port}/logs"

    def host(self, **options: object) -> LogHost:
        return LogHost.model_validate({"name": "web1", "url": self.url, "path": PATH, **options})

    def sent_bytes(self) -> list[int]:
        """How much it had to send of the content in each transfer."""
        lines = [line for line in self.transfers.read_text().splitlines() if "sent-content" in line]
        return [int(line.rpartition(" ")[2]) for line in lines]


_RSYNCD = """\
use chroot = no
reverse lookup = no
log file = {log}
transfer logging = yes
log format = sent-content %b
read only = yes
[logs]
path = {root}
[secret]
path = {root}
auth users = me
secrets file = {secrets}
"""


@contextmanager
def rsync_daemon(program: Path, place: Path) -> Iterator[RsyncSource]:
    folder, settings, log = Folder(place / "served"), place / "rsyncd.conf", place / "rsyncd.log"
    folder.root.mkdir(parents=True)
    (place / "secrets").write_text("me:s3cret\n")
    (place / "secrets").chmod(0o600)
    # Root would give up its rights, and then not reach a test's folder.
    owner = f"uid = {os.getuid()}\ngid = {os.getgid()}\n" if os.getuid() == 0 else ""
    settings.write_text(owner + _RSYNCD.format(root=folder.root, log=log, secrets=place / "secrets"))
    port = free_ports()
    listen = ("--daemon", "--no-detach", f"--config={settings}", "--address=127.0.0.1", f"--port={port}")
    source = RsyncSource(folder, port, Server([program, *listen], port), log)
    source.server.start()
    try:
        yield source
    finally:
        source.server.kill()


@dataclass(frozen=True)
class SshSource:
    """A host with an sshd that knows one key of one user: us."""

    folder: Folder
    port: int
    place: Path

    def host(self, **options: object) -> LogHost:
        url = f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{self.folder.root}"
        keys = {"ssh_key": str(self.place / "user"), "ssh_known_hosts": str(self.place / "known_hosts")}
        return LogHost.model_validate({"name": "web1", "url": url, "path": PATH, **keys, **options})


_SSHD = """\
ListenAddress 127.0.0.1:{port}
HostKey {place}/host
AuthorizedKeysFile {place}/user.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PidFile none
"""


@contextmanager
def ssh_server(program: Path, place: Path) -> Iterator[SshSource]:
    source = SshSource(Folder(place / "served"), free_ports(), place)
    source.folder.root.mkdir(parents=True)
    for key in ("host", "user", "stranger"):
        new_key = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / key)
        subprocess.run(new_key, check=True)
    (place / "known_hosts").write_text(f"[127.0.0.1]:{source.port} {(place / 'host.pub').read_text()}")
    (place / "sshd_config").write_text(_SSHD.format(port=source.port, place=place))
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # it insists on this folder, which a service manager makes
    server = Server([program, "-D", "-f", place / "sshd_config"], source.port)
    server.start()
    try:
        yield source
    finally:
        server.kill()
