"""Where files are kept: a local folder or any fsspec URL. What is kept there, and under which name, is a room's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """A file that may be seen half: for what counts only by another file, written last with `replacing`."""
        fs, root = self._fs()
        target = _inside(root, name)
        fs.makedirs(str(PurePosixPath(target).parent), exist_ok=True)
        with cast(Any, fs.open(target, "wb")) as file:
            yield file
            _flush_to_disk(file)

    def folders(self) -> list[str]:
        """Names of the folders right inside, sorted; none where there is nothing yet."""
        fs, root = self._fs()
        fs.invalidate_cache()
        try:
            found = fs.ls(root, detail=True)
        except FileNotFoundError:
            return []
        return sorted(PurePosixPath(entry["name"]).name for entry in found if entry["type"] == "directory")

    def remove_folder(self, name: str) -> None:
        """Takes a folder away with all that is in it, if it is there."""
        fs, root = self._fs()
        with suppress(FileNotFoundError):
            fs.rm(_inside(root, name), recursive=True)

    def exists(self, name: str) -> bool:
        fs, root = self._fs()
        return bool(fs.exists(_inside(root, name)))

    def size_bytes(self, name: str) -> int | None:
        """How large the file is; None when there is none."""
        fs, root = self._fs()
        try:
            return int(fs.info(_inside(root, name))["size"])
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        """Takes the file away, if it is there."""
        fs, root = self._fs()
        with suppress(FileNotFoundError):
            fs.rm_file(_inside(root, name))

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
