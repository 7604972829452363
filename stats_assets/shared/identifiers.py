"""Texts as SQL writes them, and names that fit PostgreSQL's 63 bytes. Pure."""

from __future__ import annotations

from hashlib import sha256

LONGEST_BYTES = 63


def quoted(*names: str) -> str:
    """An identifier, qualified when several names are given; always in quotes, so that no name is special."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def text_literal(text: str) -> str:
    """A text as an SQL literal; a backslash needs the E form, whatever standard_conforming_strings says."""
    escaped = text.replace("'", "''")
    return f"E'{escaped.replace(chr(92), chr(92) * 2)}'" if "\\" in text else f"'{escaped}'"


def fitted(name: str, suffix: str, distinct: str = "") -> str:
    """`name` + `suffix` where that fits; else a cut name with a hash of the whole, so that similar names stay apart.

    `distinct` goes into the hash: what tells two equal names apart, such as their schema.
    """
    if len((name + suffix).encode()) <= LONGEST_BYTES:
        return name + suffix
    mark = f"_{sha256(f'{distinct}.{name}'.encode()).hexdigest()[:6]}"
    room = LONGEST_BYTES - len((mark + suffix).encode())
    return name.encode()[:room].decode(errors="ignore") + mark + suffix
