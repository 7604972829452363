"""What `doctor` asks of each room's sources. A room that has sources adds its function to ROOM_CHECKS."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date

import httpx

from stats_assets.configuration import StatsConfig
from stats_assets.crashes.feeds import Feed, FeedAway, shown
from stats_assets.crashes.store import read_maps
from stats_assets.events.schema_file import read_schema_file
from stats_assets.forum.answer import WrongAnswer
from stats_assets.forum.page import parse_boards
from stats_assets.local.findings import Finding, note, ok, wrong
from stats_assets.log_sync.config import LogSyncConfig
from stats_assets.log_sync.expected import ExpectedFile, expected_files
from stats_assets.log_sync.plan import Present
from stats_assets.log_sync.transports import Transports, open_transports
from stats_assets.log_sync.transports.limits import limits_of
from stats_assets.shared.failures import ConfigurationMistake, OurMistake, SourceAway, first_line

_ANSWER_SECONDS = 10


def log_hosts(config: StatsConfig, day: date) -> Iterator[Finding]:
    """Asks each log host for its file of the day, without fetching it."""
    if not config.log_sync.hosts:
        yield note("log_sync: no hosts in stats.yaml", "name your log hosts under log_sync.hosts")
    with open_transports(replace(limits_of(config.log_sync), answer_seconds=_ANSWER_SECONDS)) as transports:
        for file in _one_file_per_host(config.log_sync, day):
            yield _ask(transports, file)


def _one_file_per_host(config: LogSyncConfig, day: date) -> Iterable[ExpectedFile]:
    return {file.host: file for file in expected_files(config, day) if file.waived is None}.values()


def _ask(transports: Transports, file: ExpectedFile) -> Finding:
    place = f"log_sync: {file.host} at {file.source.shown}"
    try:
        answer = transports.of(file.source).probe(file.source)
    except SourceAway as error:
        return wrong(f"{place} does not answer: {error}", "check the network and the host's server")
    except OurMistake as error:
        return wrong(f"{place}: {error}", "check its url in stats.yaml")
    if isinstance(answer, Present):
        return ok(place)
    return note(f"log_sync: {file.host} answers, but {answer.found}", "right if the host delivers later in the day")


def crash_feeds(config: StatsConfig, day: date) -> Iterator[Finding]:
    """Asks for the feeds of the day and for the one of releases, without reading them, and reads the maps."""
    crashes = config.crashes
    if not crashes.is_configured:
        return
    quick = crashes.model_copy(update={"attempts": 1, "answer_timeout_seconds": _ANSWER_SECONDS})
    for name in ("adi_feed", "reports_feed", "raw_feed", "releases_feed"):
        pattern = getattr(crashes, name)
        if pattern is not None:
            yield _ask_feed(name, Feed(quick, pattern), day)
    try:
        read_maps(quick)
        yield ok(f"crashes.maps: {shown(crashes.feed('maps'))}")
    except (FeedAway, ConfigurationMistake) as error:
        yield wrong(f"crashes.maps: {error}", "docs/crashes-migration.md lists the files and their columns")


def _ask_feed(name: str, feed: Feed, day: date) -> Finding:
    place = f"crashes.{name}"
    try:
        feed.files(day)
    except FeedAway as error:
        if isinstance(error.__cause__, FileNotFoundError) and name != "releases_feed":
            return note(f"{place}: nothing at {shown(feed.url(day))}", "right if it comes later in the day")
        return wrong(f"{place}: {error}", "check the URL in stats.yaml, the network and the server")
    return ok(f"{place}: {shown(feed.url(day))}")


def event_schema(config: StatsConfig, _day: date) -> Iterator[Finding]:
    """Reads the schema file, as the collector would."""
    if config.events is None:
        return
    path = config.events.schema_file
    try:
        schema = read_schema_file(path, os.environ)
    except OurMistake as error:
        for line in str(error).splitlines():
            yield wrong(f"events: {line}")
        return
    yield ok(f"events: {path} has {len(schema.tables)} tables and {len(schema.apps)} apps")


def web_sites(config: StatsConfig, day: date) -> Iterator[Finding]:
    """Asks the sites of game logs and leagues for anything: what they answer is theirs, silence is not."""
    for name in ("api_url", "demos_url", "etf2l_url", "rgl_url"):
        url = getattr(config.trends, name)
        if url is None:
            continue
        try:
            status = httpx.get(str(url), timeout=_ANSWER_SECONDS, follow_redirects=True).status_code
        except httpx.HTTPError as error:
            yield wrong(
                f"trends.{name}: {url} does not answer: {first_line(error)}", "check the network, and the address"
            )
            continue
        if status >= 500:
            yield wrong(f"trends.{name}: {url} answers {status}", "nothing, if it will be back: its sensor asks again")
        else:
            yield ok(f"trends.{name}: {url}")


def forum_boards(config: StatsConfig, day: date) -> Iterator[Finding]:
    """Asks the forum for its list of boards, which is of no day."""
    if not config.forum.base_url:
        return
    url = f"{config.forum.base_url}xml/boards.php"
    try:
        answer = httpx.get(url, timeout=_ANSWER_SECONDS).raise_for_status()
        boards = parse_boards(answer.content).boards
    except httpx.HTTPError as error:
        yield wrong(f"forum: {url}: {first_line(error)}", "check forum.base_url in stats.yaml, and the network")
    except WrongAnswer as error:
        yield wrong(f"forum: {url} is no list of boards: {error}", "check forum.base_url in stats.yaml")
    else:
        yield ok(f"forum: {len(boards)} boards at {config.forum.base_url}")


ROOM_CHECKS: tuple[Callable[[StatsConfig, date], Iterable[Finding]], ...] = (
    log_hosts,
    crash_feeds,
    event_schema,
    web_sites,
    forum_boards,
)
