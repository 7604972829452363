"""index.html: what is published, from when, how complete, with links and pictures. Pure: values in, HTML out.

One page of its own: no script, no style sheet or font from elsewhere. Texts that come from outside are escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from urllib.parse import quote


@dataclass(frozen=True)
class ListedFile:
    """A published file, `explained` in half a sentence."""

    name: str
    explained: str
    rows: int
    size_bytes: int
    oldest: date | None
    newest: date | None
    changed_at: datetime


@dataclass(frozen=True)
class ListedWeek:
    """The state of a counted week."""

    week: date
    status: str
    coverage: float
    revision: int
    missing: str
    hits: int
    is_published: bool


@dataclass(frozen=True)
class SitePage:
    """A site's part of the page: its files, its newest weeks (newest first), its pictures by title."""

    site: str
    policy: str
    files: Sequence[ListedFile]
    weeks: Sequence[ListedWeek]
    pictures: Mapping[str, str]


_STATUSES = {
    "final": "every log file it needs is there",
    "partial": "the week is over, but log files are missing",
    "provisional": "the week is not over, or late lines may still come",
}

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #8884;
  white-space: nowrap; }
td.text { white-space: normal; min-width: 16rem; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.tables { overflow-x: auto; }
figure { margin: 2rem 0; }
img { max-width: 100%; height: auto; background: #fff; }
.note { opacity: .75; }
"""


_CLASSES = {"#": ' class="number"', "*": ' class="text"'}


def index_page(sites: Sequence[SitePage]) -> str:
    """The page as HTML. Its text depends on what is published alone: no time of its making, so it changes with that."""
    parts = [_site(site) for site in sites] or ['<p class="note">Nothing is counted yet.</p>']
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Systems counted by requests for mirror lists</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Systems counted by requests for mirror lists</h1>
<p>Package managers ask for lists of mirrors. Once a week such a request tells, as <code>countme</code>, for how long
its system has been installed: these are counted by week (Monday to Sunday, UTC). Addresses are counted by day.</p>
{"".join(parts)}
</body>
</html>
"""


def _site(page: SitePage) -> str:
    name = escape(page.site)
    newest = max((week.week for week in page.weeks if week.is_published), default=None)
    files = [_file(page.site, file) for file in page.files]
    until = f"Newest published week: <strong>{newest}</strong>." if newest else "No week is published yet."
    return f"""<section>
<h2>{name}</h2>
<p>{until} Counted by policy {escape(page.policy)}.</p>
<h3>Files</h3>
{_table(("file", "*what it is", "#rows", "#size", "from", "to", "changed (UTC)"), files)}
<h3>Newest weeks</h3>
{_table(("week", "state", "#files there", "#revision", "#hits", "published", "*missing"), map(_week, page.weeks))}
<p class="note">{"; ".join(f"{status}: {meaning}" for status, meaning in _STATUSES.items())}.</p>
<h3>Pictures</h3>
{"".join(_figure(page.site, title, file) for title, file in page.pictures.items())}
</section>
"""


def _file(site: str, file: ListedFile) -> list[str]:
    return [
        f'<a href="{_link(site, file.name)}">{escape(file.name)}</a>',
        escape(file.explained),
        f"{file.rows:,}",
        _size(file.size_bytes),
        f"{file.oldest or ''}",
        f"{file.newest or ''}",
        f"{file.changed_at:%Y-%m-%d %H:%M}",
    ]


def _week(week: ListedWeek) -> list[str]:
    return [
        f"{week.week}",
        escape(week.status),
        f"{int(week.coverage * 1000) / 10:g} %",  # rounded down: 100 means all
        f"{week.revision}",
        f"{week.hits:,}",
        "yes" if week.is_published else "not yet",
        escape(week.missing),
    ]


def _figure(site: str, title: str, file: str) -> str:
    return f"""<figure>
<a href="{_link(site, file)}"><img src="{_link(site, file)}" alt="{escape(title)}" width="1600" height="900"></a>
</figure>
"""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Before a head, `#`: its column holds numbers, `*`: longer text. Cells are HTML."""
    classes = [_CLASSES.get(head[0], "") for head in heads]
    head = "".join(f'<th scope="col"{c}>{escape(h.lstrip("#*"))}</th>' for h, c in zip(heads, classes, strict=True))
    body = "\n".join(
        "<tr>" + "".join(f"<td{c}>{cell}</td>" for cell, c in zip(row, classes, strict=True)) + "</tr>" for row in rows
    )
    return f'<div class="tables"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def _link(site: str, name: str) -> str:
    # "./" because a name with a colon would be taken for a scheme.
    return "./" + quote(f"{site}/{name}")


def _size(size_bytes: int) -> str:
    size, units = float(size_bytes), iter(("bytes", "kB", "MB", "GB"))
    unit = next(units)
    while size >= 1000 and (larger := next(units, None)):
        size, unit = size / 1000, larger
    return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
