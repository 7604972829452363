"""Headers as ASGI has them: bytes. Only the few that matter become text. Pure."""

from __future__ import annotations

from collections.abc import Mapping

Header = tuple[bytes, bytes]
# By lower-case name.
Headers = Mapping[bytes, bytes]


def text_of(headers: Headers, name: bytes) -> str | None:
    """The header's value; bytes beyond ASCII are taken for Latin-1, as HTTP has it."""
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")
