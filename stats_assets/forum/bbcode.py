"""Quotes and links in a post's BBCode. Pure.

Only what the writer adds counts: a quote is an edge to the post quoted, what stands inside it is another's; quotes in
quotes make no edges. Tags are known in any case. Double quotes inside a tag protect brackets if they are closed; a
name in a quote's tag may hold quotes of its own. A `[/quote]` too many is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

LinkType = Literal["link", "image", "video"]

_LARGEST_ID = (1 << 31) - 1
_LONGEST_URL = 300
_SCHEMES = {"http", "https", "ftp"}
# Schemes that have no host are never meant as one: `mailto:x`, `javascript:x`. `host:80/x` is none of them.
_HOSTLESS = re.compile(r"(?:javascript|vbscript|mailto|data|tel|sms|about|file|news|xmpp|skype|magnet|callto):", re.I)

# The name that follows ends at the first `"]` of the line; without one the tag is read like any other.
_QUOTE = re.compile(r'\[quote=[^,\[\]"]*,[^,\[\]"]*,"', re.IGNORECASE)
_QUOTED_PART = re.compile(r'"[^"]*"')
_OPENING: dict[str, LinkType] = {
    "url": "link",
    "img": "image",
    "video": "video",
    "video play": "video",
    "video autoplay": "video",
}
_CLOSING: dict[str, LinkType] = {"/url": "link", "/img": "image", "/video": "video"}


class Link(NamedTuple):
    """A link as written, made absolute; the domain in lower case, without user and port."""

    url: str
    type: LinkType
    domain: str


class Found(NamedTuple):
    """Posts quoted and links, each as often as it is there."""

    quotes: list[int]
    links: list[Link]


def scan(content: str, public_url: str) -> Found:
    """What the post quotes and links to. `public_url` ends in / and is the folder that relative links are below."""
    quotes: list[int] = []
    links: list[Link] = []
    level = 0
    collecting: LinkType | None = None
    text: list[str] = []
    for kind, part in _parts(content):
        tag = part.lower() if kind == "tag" else ""
        if kind == "text":
            if collecting and not level:
                text.append(part)
        elif tag == "quote" or tag.startswith("quote="):
            level += 1
            if level == 1 and (pid := _quoted_pid(part)) is not None:
                quotes.append(pid)
        elif tag == "/quote":
            level = max(0, level - 1)
        elif level:
            continue
        elif tag in _OPENING:
            # Of links inside each other the innermost tells the type, and the text of both is the url.
            text = text if collecting else []
            collecting = _OPENING[tag]
        elif collecting and _CLOSING.get(tag) == collecting:
            links += _link("".join(text), collecting, public_url)
            collecting = None
        elif tag.startswith("url="):
            links += _link(part[4:], "link", public_url)
    return Found(quotes, links)


def _parts(content: str) -> Iterator[tuple[Literal["text", "tag"], str]]:
    """The content as text and the insides of tags. What is never closed is text; so is nothing inside a tag."""
    at, size = 0, len(content)
    name_end, line_end = _Next(content, '"]'), _Next(content, "\n")
    while at < size:
        start = content.find("[", at)
        if start < 0:
            yield "text", content[at:]
            return
        if start > at:
            yield "text", content[at:start]
        quote = _QUOTE.match(content, start)
        if quote and name_end.after(quote.end()) < line_end.after(quote.end()):
            at = name_end.at + 2
            yield "tag", content[start + 1 : at - 1]
            continue
        end = _end_of_tag(content, start + 1)
        if content[end - 1 : end] != "]":
            at = end  # another tag begins inside this one, which therefore is none; or the content ends
            continue
        yield "tag", content[start + 1 : end - 1]
        at = end


@dataclass
class _Next:
    """Where the next `what` is. Asked for growing places only, it passes over the content once, however often."""

    content: str
    what: str
    at: int = -1

    def after(self, place: int) -> int:
        """From `place` on; the size of the content when there is none."""
        if self.at < place:
            found = self.content.find(self.what, place)
            self.at = found if found >= 0 else len(self.content)
        return self.at


def _end_of_tag(content: str, at: int) -> int:
    """Just after the `]`; at a `[` before it; or the end of the content."""
    while at < len(content):
        match content[at]:
            case "]":
                return at + 1
            case "[":
                return at
            case '"':
                closed = _QUOTED_PART.match(content, at)
                at = closed.end() if closed else at + 1
            case _:
                at += 1
    return at


def _quoted_pid(tag: str) -> int | None:
    """The second number of `quote=tid,pid,"name"`; None for anything else."""
    parts = tag[6:].split(",", 2)
    if len(parts) < 3:
        return None
    numbers = [part.strip() for part in parts[:2]]
    if not all(number.isascii() and number.isdigit() and len(number) < 12 for number in numbers):
        return None
    pid = int(numbers[1])
    return pid if 0 < pid <= _LARGEST_ID else None


def _link(written: str, kind: LinkType, public_url: str) -> list[Link]:
    """The link, or none when it leads nowhere we count."""
    url = written[:_LONGEST_URL]
    if len(url) > 1 and url[0] == url[-1] and url[0] in "\"'":
        url = url[1:-1]
    if not url.strip() or _HOSTLESS.match(url.strip()):
        return []
    try:
        if url.startswith("/"):
            base = urlsplit(public_url)
            url = f"{base.scheme}://{base.netloc}{url}"
        elif url.startswith("./"):
            url = public_url + url[2:]
        elif "://" not in url:
            url = f"http://{url}"
        parts = urlsplit(url.strip())
        domain = (parts.hostname or "").rstrip(".")
    except ValueError:  # brackets that are no address
        return []
    return [Link(url, kind, domain)] if parts.scheme.lower() in _SCHEMES and domain else []
