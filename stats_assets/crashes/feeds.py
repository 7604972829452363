"""Feeds of days: a URL pattern with strftime codes into files, and files into lines, wherever fsspec reaches.

What the lines mean is `documents`, `annotations`, `installs` and `versions`.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO, TypeVar, cast
from urllib.parse import urlsplit

import tenacity
from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from stats_assets.crashes.config import CrashesConfig
from stats_assets.shared.compression import COMPRESSIONS, DAMAGE, decompressed
from stats_assets.shared.failures import SourceAway, first_line

_BLOCK_BYTES = 1 << 20
_TEXT_BYTES = 512 << 20  # of a file that is read as a whole: installs, releases, maps
_PASSWORD = re.compile(r"(?<=://)[^/@\s]*@")
_Answer = TypeVar("_Answer")

# What says that a file is another than last time, by whoever stores it.
_VERSION_KEYS = ("ETag", "etag", "mtime", "LastModified", "last_modified", "Content-MD5", "size")


class FeedAway(SourceAway):
    """A day's feed is not there, empty, or cannot be read to its end: that day fails, others go on."""


@dataclass(frozen=True)
class FeedFile:
    """One file of a day. `shown` is its URL without credentials."""

    path: str
    shown: str
    size_bytes: int
    version: str


@dataclass(frozen=True)
class Line:
    """A line, its number in its file from 1, and whether it was longer than allowed (then only its start is here)."""

    place: int
    content: bytes
    is_cut: bool = False


class Feed:
    """One feed of the configuration."""

    def __init__(self, config: CrashesConfig, pattern: str) -> None:
        self._config = config
        self._pattern = pattern

    def url(self, day: date) -> str:
        return day.strftime(self._pattern)

    def files(self, day: date) -> list[FeedFile]:
        """The day's files in the order of their names. Raises FeedAway when there is none; `patiently` asks again."""
        url = self.url(day)
        with _told(url):
            fs, path = self._open_fs(url)
            found = {p: info for p, info in _found(fs, path, url).items() if _is_data(p)}
            if not found:
                raise FileNotFoundError(url)
        return [_file(path, info, url) for path, info in sorted(found.items())]

    def files_or_none(self, day: date) -> list[FeedFile]:
        """As `files`; an empty list when there is none."""
        try:
            return self.files(day)
        except FeedAway:
            return []

    def lines(self, file: FeedFile) -> Iterator[Line]:
        """The lines of a file that is kept open meanwhile. Raises FeedAway when it is cut or damaged."""
        with self._reading(file) as stream:
            yield from _lines(stream, self._config.max_document_bytes, self._config.max_feed_bytes)

    def text(self, file: FeedFile) -> str:
        """A small file as a whole."""
        with self._reading(file) as stream:
            blocks, size = [], 0
            while block := stream.read(_BLOCK_BYTES):
                size += len(block)
                if size > _TEXT_BYTES:
                    raise FeedAway(f"{file.shown}: is larger than {_TEXT_BYTES} bytes, which no such file is")
                blocks.append(block)
        return b"".join(blocks).decode("utf-8-sig", "replace")

    def inside(self, day: date, name: str) -> Feed:
        """The feed of one file in this one's folder."""
        return Feed(self._config, f"{self.url(day).rstrip('/')}/{name}".replace("%", "%%"))

    @contextmanager
    def _reading(self, file: FeedFile) -> Iterator[BinaryIO]:
        with _told(file.shown):
            fs, _ = self._open_fs(self._pattern)
            # HTTP servers need not know ranges: read what comes, in one stream.
            options = {"block_size": 0} if _is_http(self._pattern) else {}
            with cast(Any, fs.open(file.path, "rb", **options)) as raw:
                compressed = file.path.endswith(COMPRESSIONS)
                yield cast(BinaryIO, decompressed(raw, file.path)) if compressed else raw

    def _open_fs(self, url: str) -> tuple[AbstractFileSystem, str]:
        options = dict(self._config.storage_options)
        if _is_http(url) and "client_kwargs" not in options:
            import aiohttp

            silence = self._config.answer_timeout_seconds
            options["client_kwargs"] = {"timeout": aiohttp.ClientTimeout(sock_connect=silence, sock_read=silence)}
        fs, path = url_to_fs(url, use_listings_cache=False, **options)
        return fs, path


def patiently(
    config: CrashesConfig, ask: Callable[[], _Answer], sleep: Callable[[float], None] = time.sleep
) -> _Answer:
    """What `ask` gives, asking again as the configuration says while it raises FeedAway."""
    return tenacity.Retrying(
        stop=tenacity.stop_after_attempt(config.attempts),
        wait=tenacity.wait_exponential(multiplier=config.attempt_seconds),
        retry=tenacity.retry_if_exception_type(FeedAway),
        sleep=sleep,
        reraise=True,
    )(ask)


def version_of(files: Sequence[FeedFile]) -> str:
    """Differs when any file is another one."""
    return hashlib.sha256("\n".join(f"{f.shown} {f.version}" for f in files).encode()).hexdigest()[:32]


def shown(url: str) -> str:
    """A URL without user, password and query."""
    parts = urlsplit(_PASSWORD.sub("", url))
    return parts._replace(query="", fragment="").geturl() if parts.scheme else url


def _found(fs: AbstractFileSystem, path: str, url: str) -> Mapping[str, Mapping[str, Any]]:
    if any(sign in url for sign in "*["):
        return cast(Any, fs.glob(path, detail=True))
    if url.endswith("/"):
        return cast(Any, fs.find(path, detail=True))
    info = fs.info(path)
    if info.get("type") == "directory":
        return cast(Any, fs.find(path, detail=True))
    return {path: info}


def _file(path: str, info: Mapping[str, Any], url: str) -> FeedFile:
    version = " ".join(f"{key}={info[key]}" for key in _VERSION_KEYS if info.get(key) is not None)
    name = path if "://" in path or "://" not in url else f"{urlsplit(url).scheme}://{path}"
    return FeedFile(path, shown(name), int(info.get("size") or 0), version)


def _is_data(path: str) -> bool:
    """Files under way, by any of the usual signs, are not there yet."""
    name = path.rstrip("/").rpartition("/")[2]
    return not name.startswith(".") and not name.endswith((".part", ".tmp", "~"))


def _is_http(url: str) -> bool:
    return url.startswith(("http://", "https://"))


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Whatever goes wrong with a source is told as FeedAway: file systems and clients raise all sorts of things."""
    try:
        yield
    except FeedAway as error:
        raise FeedAway(f"{shown(url)}: {error}") from error
    except FileNotFoundError as error:
        raise FeedAway(f"{shown(url)}: there is no such file") from error
    except (TimeoutError, *DAMAGE) as error:
        raise FeedAway(f"{shown(url)}: cannot be read to its end: {first_line(error)}") from error
    except Exception as error:
        if type(error).__module__.split(".")[0] not in ("aiohttp", "botocore", "aiobotocore", "s3fs", "fsspec"):
            raise
        raise FeedAway(f"{shown(url)}: {type(error).__name__}: {first_line(error)}") from error


def _lines(stream: Any, limit: int, most: int) -> Iterator[Line]:
    """Lines without their ends. Of a line over the limit only the start is kept, however long it is."""
    place, rest, is_over, total = 0, b"", False, 0
    while block := stream.read(_BLOCK_BYTES):
        total += len(block)
        if total > most:
            raise FeedAway(f"unpacks to more than {most} bytes (crashes.max_feed_bytes)")
        first, *others = block.split(b"\n")
        rest = rest if is_over else rest + first
        if others:
            place += 1
            yield _line(place, rest, limit, is_over)
            for line in others[:-1]:
                place += 1
                yield _line(place, line, limit, False)
            rest, is_over = others[-1], False
        if len(rest) > limit:
            rest, is_over = rest[:limit], True
    if rest:
        yield _line(place + 1, rest, limit, is_over)


def _line(place: int, content: bytes, limit: int, is_over: bool) -> Line:
    if is_over or len(content) > limit:
        return Line(place, content[:limit], is_cut=True)
    return Line(place, content)
