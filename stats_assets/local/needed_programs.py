"""The programs that tests run beside our own: found, or installed where that is ours to do."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stats_assets.local.console import say

# Servers lie in sbin, which is on the PATH of root alone.
_SERVERS = "/usr/local/sbin:/usr/sbin:/sbin"
# Container images have it: with it, installing a service does not start it. Else Debian would, for the whole network.
_KEEPS_SERVICES_DOWN = Path("/usr/sbin/policy-rc.d")


@dataclass(frozen=True)
class NeededProgram:
    """A program by any of its names; `variable` of the environment may give its path instead."""

    names: tuple[str, ...]
    package: str
    variable: str = ""
    is_service: bool = False  # its package also starts it, for everybody

    def find(self, environ: Mapping[str, str]) -> Path | None:
        names = [environ[self.variable]] if self.variable in environ else self.names
        places = f"{environ.get('PATH', os.defpath)}:{_SERVERS}"
        return next((Path(found) for name in names if (found := shutil.which(name, path=places))), None)

    @property
    def advice(self) -> str:
        """One line for people who lack it."""
        otherwise = f", or set {self.variable} to its path" if self.variable else ""
        return f"no {self.names[0]}; apt-get install --no-install-recommends {self.package}{otherwise}"


CHROMIUM = NeededProgram(
    ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"), "chromium", "STATS_CHROMIUM"
)
RSYNC = NeededProgram(("rsync",), "rsync")
SSHD = NeededProgram(("sshd",), "openssh-server", is_service=True)
RABBITMQ = NeededProgram(("rabbitmq-server",), "rabbitmq-server", is_service=True)
NGINX = NeededProgram(("nginx",), "nginx-light", is_service=True)
CADDY = NeededProgram(("caddy",), "caddy", is_service=True)
REDIS = NeededProgram(("redis-server",), "redis-server", is_service=True)
RESTIC = NeededProgram(("restic",), "restic")
SYSTEMD_ANALYZE = NeededProgram(("systemd-analyze",), "systemd")  # without systemd-sysv, which would be the init
_ALL = (CHROMIUM, RSYNC, SSHD, RABBITMQ, NGINX, CADDY, REDIS, RESTIC, SYSTEMD_ANALYZE)


def get_needed_programs() -> None:
    """Installs what is missing where we are root and the machine has apt; says so aloud.

    Where it cannot, the tests that need a program skip, and say at the end that they did.
    """
    missing = [program for program in _ALL if not program.find(os.environ) and _may_be_installed(program)]
    if not missing or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    packages = [program.package for program in missing]
    install = ("apt-get", "install", "--yes", "--no-install-recommends", *packages)
    say(f"INSTALLING {', '.join(packages).upper()} for the tests: {' '.join(install)}")
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (("apt-get", "update"), install):
        done = subprocess.run(command, env=environ, capture_output=True, text=True)
        if done.returncode:
            say(f"that failed, the tests will tell: {done.stderr.strip().splitlines()[-1:]}")
            return


def _may_be_installed(program: NeededProgram) -> bool:
    """Not what a path was given for, nor a server that would listen to the world from then on."""
    return program.variable not in os.environ and (not program.is_service or _KEEPS_SERVICES_DOWN.exists())
