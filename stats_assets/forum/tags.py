"""A thread's tags, from the HTML page that shows them: the texts of the links in one certain form. Pure."""

from __future__ import annotations

from html.parser import HTMLParser

from stats_assets.forum.answer import WrongAnswer

_MOST = 100
_LONGEST = 200


def parse_tags(body: bytes, tid: int) -> list[str]:
    """The tags in the page's order. The page is ISO-8859-15. Raises WrongAnswer when it is not an HTML page."""
    text = body.decode("iso-8859-15").replace("\0", "")
    if "<html" not in text[:2000].lower():
        raise WrongAnswer("root", f"begins with {body[:60]!r}, not an HTML page")
    parser = _Tags(f"thread.php?TID={tid}&set_thread_groups=1")
    parser.feed(text)
    parser.close()
    return [tag.strip()[:_LONGEST] for tag in parser.tags if tag.strip()][:_MOST]


class _Tags(HTMLParser):
    def __init__(self, action: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self._action = action
        self._is_inside = self._is_link = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "form":
            self._is_inside = dict(attrs).get("action") == self._action
        elif tag == "a" and self._is_inside:
            self._is_link = True
            self.tags.append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_link = self._is_link and tag != "a"
        self._is_inside = self._is_inside and tag != "form"

    def handle_data(self, data: str) -> None:
        if self._is_link:
            self.tags[-1] += data
