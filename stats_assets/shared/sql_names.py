"""Names as SQL writes them. Pure."""

from __future__ import annotations


def quoted(*names: str) -> str:
    """An identifier, qualified when several names are given; always in quotes, so that no name is special."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)
