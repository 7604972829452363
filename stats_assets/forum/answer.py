"""An answer's bytes as XML: what the forum may send, and what is refused. What the elements mean is in `page`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

from stats_assets.shared.failures import first_line

Reason = Literal["transport", "status", "size", "not_xml", "root", "id", "count", "page", "value"]

# XML 1.0 allows tab, line feed and carriage return of these; the forum sends NUL and others now and then.
_ILLEGAL = bytes(number for number in range(32) if number not in (9, 10, 13))
_NON_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
_ILLEGAL_REFERENCE = re.compile(rb"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|[xX]0*(?:[0-8bcBC]|[eE]|1[0-9a-fA-F]));")

# Nothing but a declaration may stand before the root: without a document type there are no entities to expand,
# and ElementTree is as safe as a hardened parser at twice the speed.
_PROLOGUE = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}\?>)?\s*<[A-Za-z]")


class WrongAnswer(Exception):
    """An answer that is not what was asked for. Never to be taken for an empty page."""

    def __init__(self, reason: Reason, found: str) -> None:
        super().__init__(f"{reason}: {found}")
        self.reason: Reason = reason


@dataclass(frozen=True)
class Document:
    """The root element, and how many illegal characters were taken out to read it."""

    root: ElementTree.Element
    stripped: int


def read_document(body: bytes) -> Document:
    """The bytes as XML. They are UTF-8 whatever headers or the declaration say. Raises WrongAnswer."""
    clean = body.translate(None, _ILLEGAL)
    for sequence in _NON_CHARACTERS:
        clean = clean.replace(sequence, b"")
    if b"&#" in clean:
        clean = _ILLEGAL_REFERENCE.sub(b"", clean)
    if not _PROLOGUE.match(clean):
        raise WrongAnswer("not_xml", f"begins with {body[:60]!r}")
    try:
        root = _parsed(clean)
    except ElementTree.ParseError as error:
        if _is_utf8(clean):
            raise WrongAnswer("not_xml", f"{first_line(error)}, {len(body)} bytes") from error
        return _with_replacements(clean, len(body) - len(clean))
    return Document(root, len(body) - len(clean))


def _with_replacements(clean: bytes, stripped: int) -> Document:
    """A few bytes of another encoding must not cost the page: they become U+FFFD and count as stripped."""
    text = clean.decode("utf-8", "replace")
    try:
        return Document(_parsed(text.encode()), stripped + text.count("\ufffd"))
    except ElementTree.ParseError as error:
        raise WrongAnswer("not_xml", first_line(error)) from error


def _parsed(clean: bytes) -> ElementTree.Element:
    parser = ElementTree.XMLParser(encoding="utf-8")  # noqa: S314 - no document type gets here
    parser.feed(clean)
    return parser.close()


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
