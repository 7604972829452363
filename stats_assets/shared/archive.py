"""Where files are kept: a local folder or any fsspec URL. What is kept there, and under which name, is a room's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs


@dataclass(frozen=True)
class Archive:
    """The folder (or bucket) all rooms keep and publish their files in; names are relative and use '/'."""

    url: str

    def open_read(self, name: str) -> BinaryIO:
        """The file's bytes from its beginning. Raises FileNotFoundError."""
        fs, root = self._fs()
        return cast(BinaryIO, fs.open(_inside(root, name), "rb"))

    @contextmanager
    def replacing(self, name: str) -> Iterator[BinaryIO]:
        """A file that takes `name`'s place only when the block ends without an error; readers never see a half."""
        fs, root = self._fs()
        target = _inside(root, name)
        part = f"{target}.part"
        fs.makedirs(str(PurePosixPath(target).parent), exist_ok=True)
        try:
            with cast(Any, fs.open(part, "wb")) as file:
                yield file
                _flush_to_disk(file)
        except BaseException:
            if fs.exists(part):
                fs.rm(part)
            raise
        fs.mv(part, target)

    def exists(self, name: str) -> bool:
        fs, root = self._fs()
        return bool(fs.exists(_inside(root, name)))

    def remove(self, name: str) -> None:
        """Takes the file away; fine when there is none."""
        fs, root = self._fs()
        if fs.exists(_inside(root, name)):
            fs.rm(_inside(root, name))

    def location(self, name: str) -> str:
        """The full path or URL of a name, for messages and metadata."""
        fs, root = self._fs()
        return str(fs.unstrip_protocol(_inside(root, name)))

    def _fs(self) -> tuple[AbstractFileSystem, str]:
        fs, root = url_to_fs(self.url)
        return fs, root.rstrip("/")


def _inside(root: str, name: str) -> str:
    """`name` below `root`; a name that would leave the archive is a mistake of the caller."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts:
        raise ValueError(f"{name!r} is not a name inside the archive")
    return f"{root}/{name}"


def _flush_to_disk(file: Any) -> None:
    """What is renamed into place must survive a power cut; object stores have no descriptor and need none."""
    file.flush()
    try:
        descriptor = file.fileno()
    except (AttributeError, OSError):
        return
    os.fsync(descriptor)
