"""Which URLs a host may have. How each kind is fetched is in `transports`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import SplitResult, unquote, urlsplit

from fsspec import get_filesystem_class

BY_RSYNC = ("rsync", "ssh")
OWN_SCHEMES = ("file", "http", "https", *BY_RSYNC)  # all others are fsspec's

# What ssh and rsync may be given as an argument: a name that began with - would be an option.
_USER_OR_HOST = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9._:-]*")


def reachable_url(url: str) -> str:
    """The URL without a trailing slash. Raises ValueError, saying why, for one that can never be fetched from."""
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise ValueError("must end before any ? or #; the path of a day's file is appended to it")
    if parts.scheme == "file":
        _refuse_no_local_folder(parts)
    elif parts.scheme in OWN_SCHEMES:
        _refuse_no_host(parts)
    else:
        _refuse_unknown_scheme(parts.scheme, url)
    if parts.scheme in BY_RSYNC:
        _refuse_for_rsync(parts)
    return url.rstrip("/")


def scheme_of(url: str) -> str:
    return urlsplit(url).scheme


def listed(schemes: Sequence[str]) -> str:
    """Schemes as they are named in messages: `rsync:, ssh:`."""
    return ", ".join(f"{scheme}:" for scheme in schemes)


def _refuse_no_local_folder(parts: SplitResult) -> None:
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise ValueError("names no folder of this machine; write file:///srv/logs/host1 with three slashes")


def _refuse_no_host(parts: SplitResult) -> None:
    if not parts.hostname:
        raise ValueError("names no host")
    _ = parts.port  # raises ValueError for what is not a port


def _refuse_for_rsync(parts: SplitResult) -> None:
    for name in (parts.hostname, unquote(parts.username or "x")):
        if not _USER_OR_HOST.fullmatch(name or ""):
            raise ValueError(f"holds {name!r}, which is no name of a user or host")
    if parts.scheme == "rsync" and not parts.path.strip("/"):
        raise ValueError("names no module of the rsync daemon; write rsync://host/module")
    if parts.scheme == "ssh" and parts.password is not None:
        raise ValueError("holds a password; ssh is only used with keys, see ssh_key")


def _refuse_unknown_scheme(scheme: str, url: str) -> None:
    try:
        if not scheme or "::" in url:
            raise ValueError
        get_filesystem_class(scheme)
    except ImportError as error:
        raise ValueError(f"needs a package that is not installed: {error}") from error
    except ValueError:
        known = f"{listed(OWN_SCHEMES)} or a protocol of fsspec such as s3:"
        raise ValueError(f"is not a URL we can fetch from; it must begin with one of {known}") from None
