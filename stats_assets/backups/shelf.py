"""Where backups are kept: a folder each, in a local folder or any fsspec URL. What is in them, `manifest` tells."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import zstandard

from stats_assets.backups.manifest import MANIFEST, Manifest, StoredFile, manifest_from_json
from stats_assets.backups.plan import begun_at
from stats_assets.shared.archive import Archive
from stats_assets.shared.failures import ConfigurationMistake, OurMistake

_CHUNK = 1 << 20


class BackupDamaged(OurMistake):
    """A backup is not what was stored; it cannot be restored, and trying again changes nothing."""


@dataclass(frozen=True)
class Shelf:
    """All backups of one place."""

    archive: Archive

    def backups(self) -> list[str]:
        """Names of the whole backups, oldest first."""
        return [name for name in self._folders() if self.archive.exists(f"{name}/{MANIFEST}")]

    def halves(self) -> list[str]:
        """Folders of backups that were never ended."""
        return [name for name in self._folders() if not self.archive.exists(f"{name}/{MANIFEST}")]

    def newest(self) -> str:
        """The newest whole backup. Raises ConfigurationMistake when there is none."""
        if not (found := self.backups()):
            place = self.archive.url
            raise ConfigurationMistake(f"there is no backup in {place}; make one: materialize backups/base_backup")
        return found[-1]

    def manifest(self, name: str) -> Manifest:
        """Raises ConfigurationMistake when there is no such backup, BackupDamaged when its manifest does not read."""
        try:
            with closing(self.archive.open_read(f"{name}/{MANIFEST}")) as file:
                return manifest_from_json(file.read())
        except FileNotFoundError as error:
            known = ", ".join(self.backups()[-5:]) or "none"
            raise ConfigurationMistake(f"no backup {name} in {self.archive.url}; the newest are: {known}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise BackupDamaged(f"backup {name}: its manifest does not read: {error}") from error

    def store(self, name: str, file: str, content: BinaryIO, level: int) -> StoredFile:
        """Keeps the content, compressed, as a file of the backup; in memory is a piece of it at a time."""
        with self.archive.writing(f"{name}/{file}") as target:
            digest = _Digest(target)
            compressor = zstandard.ZstdCompressor(level, write_checksum=True)
            with compressor.stream_writer(cast(Any, digest), closefd=False) as writer:
                shutil.copyfileobj(content, writer, _CHUNK)
        return StoredFile(file, digest.bytes, digest.sha256)

    def end(self, manifest: Manifest) -> None:
        """From here on it is a backup."""
        with self.archive.replacing(f"{manifest.name}/{MANIFEST}") as file:
            file.write(manifest.as_json())

    @contextmanager
    def reading(self, name: str, file: StoredFile) -> Iterator[BinaryIO]:
        """The content of a file of the backup. Raises BackupDamaged, at the end of the block at the latest, when it is
        not what was stored."""
        place = f"backup {name}: {self.archive.location(f'{name}/{file.name}')}"
        try:
            with closing(self.archive.open_read(f"{name}/{file.name}")) as source:
                digest = _Digest(source)
                with zstandard.ZstdDecompressor().stream_reader(cast(Any, digest), closefd=False) as reader:
                    yield cast(BinaryIO, reader)
                while digest.read(_CHUNK):
                    pass
        except FileNotFoundError as error:
            raise BackupDamaged(f"{place} is missing") from error
        except zstandard.ZstdError as error:
            raise BackupDamaged(f"{place} does not decompress: {error}") from error
        if (digest.bytes, digest.sha256) != (file.bytes, file.sha256):
            raise BackupDamaged(f"{place} has {digest.bytes} bytes that are not the {file.bytes} that were stored")

    def problem(self, name: str) -> str | None:
        """What is wrong with a backup as far as sizes tell, without reading its files."""
        try:
            manifest = self.manifest(name)
        except OurMistake as error:
            return str(error)
        for file in manifest.files:
            if (found := self.archive.size_bytes(f"{name}/{file.name}")) != file.bytes:
                return f"{file.name} has {'no file' if found is None else f'{found} bytes'}, not {file.bytes}"
        return None

    def remove(self, name: str) -> None:
        """The manifest first: what is left of a removal that was killed is no backup."""
        self.archive.remove(f"{name}/{MANIFEST}")
        self.archive.remove_folder(name)

    def _folders(self) -> list[str]:
        return [name for name in self.archive.folders() if begun_at(name) is not None]


class _Digest:
    """A file that counts and digests what goes through it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._hash, self.bytes = file, hashlib.sha256(), 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, data: bytes) -> int:
        self._file.write(data)
        return self._passed(data)

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._passed(data)
        return data

    def _passed(self, data: bytes) -> int:
        self._hash.update(data)
        self.bytes += len(data)
        return len(data)
