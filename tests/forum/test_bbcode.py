"""Quotes and links in BBCode: the recorded cases, and what the established scanner got wrong in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stats_assets.forum.bbcode import Link, scan

PUBLIC = "http://forum.mods.de/bb/"

# Where we differ from the recorded output, on purpose: by the number of the case.
MENDED = {
    13: ([100], [["link", "http://lost.example/", "lost.example"]]),  # a quote sign in the quoted user's name
    17: ([], [["link", "http://x.example/", "x.example"]]),  # a [/quote] too many
    18: ([100], []),
    31: ([], []),  # javascript:
    48: ([], [["link", "http://A.Example/", "a.example"]]),  # the case of the host
}


def test_recorded_cases(reference_data: Path):
    lines = (reference_data / "forum" / "bbcode_cases.jsonl").read_text().splitlines()
    assert len(lines) == 30
    wrong = {}
    for case in map(json.loads, lines):
        peer = case["peer"]
        quotes, links = MENDED.get(case["id"], (peer["quotes"], peer["links"]))
        found = scan(case["content"], PUBLIC)
        known = [pid for pid in found.quotes if pid in case["known_pids"]]
        if (known, [[link.type, link.url, link.domain] for link in found.links]) != (quotes, links):
            wrong[case["id"]] = (case["content"], known, found.links)
    assert wrong == {}


def links(content: str) -> list[tuple[str, str]]:
    return [(link.url, link.domain) for link in scan(content, PUBLIC).links]


@pytest.mark.parametrize(
    ("content", "url", "domain"),
    [
        ("[URL]http://a.example/[/URL]", "http://a.example/", "a.example"),
        ("[Url=http://a.example/]x[/url]", "http://a.example/", "a.example"),
        ("[url]http://me:secret@A.Example:8080/x[/url]", "http://me:secret@A.Example:8080/x", "a.example"),
        ("[url]a.example:8080/x[/url]", "http://a.example:8080/x", "a.example"),
        ("[url='a.example']x[/url]", "http://a.example", "a.example"),
        ("[VIDEO AUTOPLAY]https://v.example/1[/video]", "https://v.example/1", "v.example"),
        ("[url=http://[::1]:80/x]t[/url] [img]http://b.example[/img]", "http://b.example", "b.example"),
        (f"[url]http://a.example/{'x' * 400}[/url]", f"http://a.example/{'x' * 283}", "a.example"),
    ],
)
def test_links_in_every_spelling(content: str, url: str, domain: str):
    assert links(content) == [(url, domain)]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "   ",
        "mailto:me@a.example",
        "JavaScript:alert(1)",
        "data:image/png;base64,AA",
        "gopher://a.example",
        "http://",
    ],
)
def test_what_leads_nowhere_is_no_link(url: str):
    assert links(f"[url]{url}[/url][url={url}]x[/url][img]{url}[/img]") == []


def test_names_with_quotes_and_brackets_lose_nothing():
    content = '[QUOTE=1,7,"O"Neill [x]"]a[/QUOTE] [quote=1,8,"b"]c[/quote] [url]http://a.example/[/url]'
    found = scan(content, PUBLIC)
    assert found.quotes == [7, 8]
    assert found.links == [Link("http://a.example/", "link", "a.example")]


def test_a_number_too_large_for_a_post_is_no_quote():
    assert scan('[quote=1,99999999999,"a"]x[/quote][quote=1,2147483648,"a"]x[/quote]', PUBLIC).quotes == []


def test_hostile_posts_take_no_time():
    for content in ('["' * 50_000, '[quote=1,2,"' * 20_000, "[url]" * 50_000, "[" * 200_000, '"' * 100_000):
        scan(content, PUBLIC)
