"""Putting a file where people outside read it: only when its content has changed, never a half, and remembered.

A site's files are in the archive under published/countme/SITE/, what belongs to all sites is above these folders. What
is in them is told by the modules publish_*.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from stats_assets.countme import published_sql as sql
from stats_assets.shared.archive import Archive
from stats_assets.shared.postgres import Cursor, StatsDatabase, lock_slice

FOLDER = "published/countme"

_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True)
class Contents:
    """What a file tells: its rows of data, and the first and last week or day among them."""

    rows: int
    oldest: date | None = None
    newest: date | None = None


@dataclass(frozen=True)
class PublishedFile:
    """A file in its place; `is_new`: its content was not there before."""

    site: str
    name: str
    contents: Contents
    size_bytes: int
    is_new: bool


Write = Callable[[Path], Contents]


@dataclass(frozen=True)
class Publisher:
    """Puts files of one site into their place. `inputs`: the digest of what they are made of, read before they are."""

    database: StatsDatabase
    archive: Archive
    site: str
    inputs: str

    def put(self, name: str, write: Write) -> PublishedFile:
        """Has the file written to a path on this machine, then puts it in place of the last one if it is another.

        Two runs that publish one file wait for each other; the later one has what is right.
        """
        with TemporaryDirectory(prefix="stats-publish-") as folder:
            path = Path(folder) / name
            with self.database.transaction() as cursor:
                lock_slice(cursor, "countme.publications", f"{self.site}/{name}")
                contents = write(path)
                with path.open("rb") as file:
                    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                is_new = not self._is_in_place(cursor, name, sha256)
                if is_new:
                    self._replace(name, path)
                published = PublishedFile(self.site, name, contents, path.stat().st_size, is_new)
                self._keep(cursor, published, sha256)
        return published

    def location(self, name: str) -> str:
        """Where the file is, for people."""
        return self.archive.location(archive_name(self.site, name))

    def _is_in_place(self, cursor: Cursor, name: str, sha256: str) -> bool:
        cursor.execute(sql.PUBLICATION, {"site": self.site, "name": name})
        return cursor.fetchone() == (sha256,) and self.archive.exists(archive_name(self.site, name))

    def _replace(self, name: str, path: Path) -> None:
        with path.open("rb") as file, self.archive.replacing(archive_name(self.site, name)) as target:
            shutil.copyfileobj(file, target, _BUFFER_BYTES)

    def _keep(self, cursor: Cursor, published: PublishedFile, sha256: str) -> None:
        row = {
            "site": self.site,
            "name": published.name,
            "sha256": sha256,
            "size_bytes": published.size_bytes,
            "rows": published.contents.rows,
            "oldest": published.contents.oldest,
            "newest": published.contents.newest,
            "inputs": self.inputs,
            "is_new": published.is_new,
        }
        cursor.execute(sql.KEEP_PUBLICATION, row)


def archive_name(site: str, name: str) -> str:
    """The file's name in the archive; what belongs to all sites has none."""
    return "/".join(filter(None, (FOLDER, site, name)))
