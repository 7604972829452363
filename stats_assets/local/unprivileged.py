"""As whom a server program runs that refuses to be root. Which program that is, is the caller's."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# A user namespace in which root is called 1000: the program sees an ordinary user, files stay root's own.
_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


@dataclass(frozen=True)
class RunAs:
    """A way to run a program: behind a prefix, as another user (id and group id), or simply as ourselves."""

    prefix: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None

    def run(
        self, command: Sequence[str | Path], environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs the command to its end, in a session of its own: Ctrl-C in the terminal does not reach it."""
        return subprocess.run(
            [*self.prefix, *map(str, command)],
            user=self.user,
            group=self.group,
            extra_groups=None if self.user is None else [],
            env=environ,
            cwd="/",
            start_new_session=True,
            capture_output=True,
            text=True,
        )

    def can_enter(self, folder: Path) -> bool:
        """True when the program may use what is inside `folder`."""
        return self.user is None or self.run(["test", "-x", folder]).returncode == 0

    def give(self, folder: Path) -> None:
        """Makes the folder and all below it the property of the one who runs the program."""
        if os.geteuid() != 0:
            return
        user, group = self.user or 0, self.group or 0
        if folder.stat().st_uid == user:
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user, group, follow_symlinks=False)


def way_to_run(has_namespaces: Callable[[], bool] | None = None) -> RunAs:
    """As ourselves, unless we are root: then in a user namespace, or, where that is forbidden, as another user."""
    if os.geteuid() != 0:
        return RunAs()
    if (has_namespaces or _has_namespaces)():
        return RunAs(prefix=_NAMESPACE)
    return as_other_user()


def as_other_user() -> RunAs:
    """The user postgres when there is one, else nobody."""
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return RunAs(user=entry.pw_uid, group=entry.pw_gid)
    raise LookupError("this machine has neither a user postgres nor a user nobody")


def _has_namespaces() -> bool:
    """Containers often forbid them; trying is the only way to know."""
    try:
        return subprocess.run([*_NAMESPACE, "true"], capture_output=True).returncode == 0
    except OSError:
        return False
