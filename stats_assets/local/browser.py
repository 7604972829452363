"""The browser the tests drive: found, or installed where that is ours to do."""

from __future__ import annotations

import os
import shutil
import subprocess

from stats_assets.local.console import say

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends", "chromium")


def get_browser() -> None:
    """Installs Chromium where there is no browser, we are root and the machine has apt; says so aloud.

    Where it cannot, the tests that need one skip, and say at the end that they did.
    """
    if "STATS_CHROMIUM" in os.environ or any(map(shutil.which, NAMES)):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    say("INSTALLING CHROMIUM for the browser tests: apt-get install --no-install-recommends chromium")
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (("apt-get", "update"), _INSTALL):
        done = subprocess.run(command, env=environ, capture_output=True, text=True)
        if done.returncode:
            say(f"that failed, the browser tests will tell: {done.stderr.strip().splitlines()[-1:]}")
            return
