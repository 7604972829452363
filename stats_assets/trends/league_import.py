"""Brings demos and league matches in from their sites (or folders of the same answers), and links logs to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from stats_assets.shared.failures import SourceAway
from stats_assets.shared.postgres import Cursor, StatsDatabase, lock_slice, one_row
from stats_assets.trends import demos, etf2l, league_sql, rgl
from stats_assets.trends.leagues import League, Match, Membership, Unreadable, decoded, memberships, readable
from stats_assets.trends.store import touch_days

_MOST_PAGES = 2000
# What was listed a moment ago may get a result, or come late.
_OVERLAP = timedelta(hours=6)
_ROSTER_IS_FRESH = timedelta(hours=12)
_RGL_TAKE = 100


class Answers(Protocol):
    """Where answers come from: a site, or a folder."""

    def asked(
        self, method: str, path: str, query: Mapping[str, str | int] | None = None, body: object = None
    ) -> bytes | None: ...


class FolderOfAnswers:
    """A folder that holds the site's answers under the site's paths; of a paged answer each page is its own file.

    demos-1.json, demos/7.json; results/1.json, team/3/transfers/1.json; matches/paged-0.json, matches/7.json, ...
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def asked(
        self, method: str, path: str, query: Mapping[str, str | int] | None = None, body: object = None
    ) -> bytes | None:
        page = next((f"-{value}" for name, value in (query or {}).items() if name in ("page", "skip")), "")
        file = self._folder / f"{path.removesuffix('.json')}{page}.json"
        return file.read_bytes() if file.is_file() else None


@dataclass
class Brought:
    """What an import brought; `unreadable` holds what was left out, with the reason, and how often."""

    found: int = 0
    new: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)


@dataclass
class LeagueImporter:
    """One database; `now` gives aware UTC times."""

    database: StatsDatabase
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def bring_demos(self, answers: Answers, since: datetime | None = None) -> Brought:
        """Demos since a time, or since six hours before the newest we have."""
        brought, since = Brought(), since or self._since(league_sql.NEWEST_DEMO, {})
        for page in range(1, _MOST_PAGES):
            query = {"page": page} | ({"after": int(since.timestamp())} if since else {})
            listed = self._list(answers.asked("GET", "demos", query), "demos", brought)
            ids, wrong = readable(listed, demos.read_listed)
            brought.unreadable.update(wrong)
            if not ids:
                return brought
            brought.found += len(ids)
            for demoid in self._unknown_demos(ids):
                self._bring_demo(answers, demoid, brought)
        raise SourceAway(f"trends: the listing of demos does not end after {_MOST_PAGES} pages")

    def bring_etf2l(self, answers: Answers, since: datetime | None = None) -> Brought:
        """Results since a time, or since six hours before the newest we have, with the rosters of their teams."""
        brought = Brought()
        since = since or self._since(league_sql.NEWEST_MATCH, {"league": "etf2l"})
        query = {"per_page": 100} | ({"since": int(since.timestamp())} if since else {})
        for results in self._pages(answers, "results/{}.json", "results", query, brought):
            matches, wrong = readable(results, etf2l.read_result)
            brought.unreadable.update(wrong)
            for match in matches:
                rosters = {team: self._etf2l_roster(answers, team, brought) for team in (match.team1, match.team2)}
                self._keep(match, rosters, brought)
        return brought

    def bring_rgl(self, answers: Answers, since: datetime | None = None) -> Brought:
        """Matches since a time, or since six hours before the newest we have, with the rosters of their teams."""
        brought, seasons = Brought(), dict[int, str | None]()
        since = since or self._since(league_sql.NEWEST_MATCH, {"league": "rgl"})
        body = {"after": since.isoformat()} if since else {}
        for skip in range(0, _MOST_PAGES * _RGL_TAKE, _RGL_TAKE):
            page = answers.asked("POST", "matches/paged", {"take": _RGL_TAKE, "skip": skip}, body)
            listed = self._list(page, "matches/paged", brought)
            ids, wrong = readable(listed, lambda match: int(match["matchId"]))
            brought.unreadable.update(wrong)
            if not ids:
                return brought
            for matchid in ids:
                _, wrong = readable([matchid], lambda one: self._bring_rgl_match(answers, one, seasons, brought))
                brought.unreadable.update(wrong)
        raise SourceAway(f"trends: the listing of RGL does not end after {_MOST_PAGES} pages")

    def link_demos(self, since: date) -> int:
        """Links logs uploaded from this day on that have no demo yet; gives how many found one."""
        return self._link(league_sql.LINK_DEMOS, "demo_links", since)

    def link_matches(self, since: date) -> int:
        """Links logs uploaded from this day on that have no match yet; gives how many found one."""
        return self._link(league_sql.LINK_MATCHES, "match_links", since)

    def _link(self, statement: str, table: str, since: date) -> int:
        with self.database.transaction() as cursor:
            lock_slice(cursor, f"trends.{table}", "link")
            cursor.execute(statement, {"since": since})
            linked = cursor.fetchall()
            # A league is a dimension of the cubes: the days of newly linked logs have changed.
            touch_days(cursor, {day for _, day in linked if day})
        return len(linked)

    def _since(self, statement: str, values: Mapping[str, Any]) -> datetime | None:
        with self.database.transaction() as cursor:
            cursor.execute(statement, values)
            (newest,) = one_row(cursor)
        return newest - _OVERLAP if newest else None

    def _list(self, body: bytes | None, what: str, brought: Brought) -> list[Any]:
        if body is None:
            return []
        try:
            found = decoded(body, what)
        except Unreadable as error:
            raise SourceAway(f"trends: {error}; rerun later") from error
        if not isinstance(found, list):
            raise SourceAway(f"trends: {what}: a list was expected, {type(found).__name__} came; rerun later")
        return found

    def _pages(
        self, answers: Answers, path: str, name: str, query: Mapping[str, str | int], brought: Brought
    ) -> Iterator[list[Any]]:
        """The lists under `name` of the pages of a paged answer."""
        for page in range(1, _MOST_PAGES):
            body = answers.asked("GET", path.format(page), query)
            if body is None:
                return
            try:
                found = decoded(body, path.format(page))
                items, last = found.get(name) or [], int((found.get("page") or {}).get("total_pages") or 1)
            except (Unreadable, AttributeError, TypeError, ValueError) as error:
                raise SourceAway(f"trends: {path.format(page)}: {error}; rerun later") from error
            yield items
            if page >= last or not items:
                return

    def _unknown_demos(self, ids: list[int]) -> list[int]:
        with self.database.transaction() as cursor:
            cursor.execute(league_sql.KNOWN_DEMOS, {"ids": ids})
            known = {demoid for (demoid,) in cursor.fetchall()}
        return sorted(set(ids) - known)

    def _bring_demo(self, answers: Answers, demoid: int, brought: Brought) -> None:
        body = answers.asked("GET", f"demos/{demoid}")
        found, wrong = readable([body], lambda each: demos.read_demo(decoded(each, f"demos/{demoid}")))
        brought.unreadable.update(wrong)
        with self.database.transaction() as cursor:
            for demo in found:
                cursor.execute(league_sql.ADD_DEMO, asdict(demo) | {"players": list(demo.players)})
                brought.new += cursor.rowcount

    def _etf2l_roster(self, answers: Answers, team: int, brought: Brought) -> list[Membership] | None:
        """None where what we have is fresh."""
        if self._is_fresh("etf2l", team):
            return None
        events: list[tuple[int, datetime, bool]] = []
        for page in self._pages(answers, f"team/{team}/transfers/{{}}.json", "transfers", {"per_page": 100}, brought):
            found, wrong = readable(page, etf2l.read_transfer)
            events += found
            brought.unreadable.update(wrong)
        return memberships(events)

    def _bring_rgl_match(
        self, answers: Answers, matchid: int, seasons: dict[int, str | None], brought: Brought
    ) -> None:
        told = decoded(answers.asked("GET", f"matches/{matchid}"), f"matches/{matchid}")
        season = int(told["seasonId"])
        if season not in seasons:
            answer = decoded(answers.asked("GET", f"seasons/{season}"), f"seasons/{season}")
            seasons[season] = answer.get("formatName")
        teams = [
            decoded(answers.asked("GET", f"teams/{side['teamId']}"), f"teams/{side['teamId']}")
            for side in told["teams"]
        ]
        surrogates = [rgl.team_surrogate(team) for team in teams]
        rosters: dict[int, list[Membership] | None] = {}
        for surrogate, team in zip(surrogates, teams, strict=True):
            rosters[surrogate], wrong = readable(team.get("players") or (), rgl.read_member)
            brought.unreadable.update(wrong)
        self._keep(rgl.read_match(told, seasons[season], surrogates), rosters, brought)

    def _is_fresh(self, league: League, team: int) -> bool:
        with self.database.transaction() as cursor:
            cursor.execute(league_sql.TEAM_FETCHED_AT, {"league": league, "teamid": team})
            row = cursor.fetchone()
        return bool(row and row[0] and self.now() - row[0] < _ROSTER_IS_FRESH)

    def _keep(self, match: Match, rosters: Mapping[int, list[Membership] | None], brought: Brought) -> None:
        """One match with its teams and rosters, in one transaction; teams in order, against deadlocks."""
        with self.database.transaction() as cursor:
            for team, name in zip((match.team1, match.team2), match.names, strict=True):
                own = {"league": match.league, "teamid": team}
                cursor.execute(league_sql.SET_TEAM, own | {"name": name})
                self._keep_roster(cursor, own, rosters[team], match.league)
            values = asdict(match) | {"maps": list(match.maps), "fetched_at": self.now()}
            cursor.execute(league_sql.SET_MATCH, values)
        brought.found += 1
        brought.new += 1

    def _keep_roster(
        self, cursor: Cursor, team: Mapping[str, Any], roster: list[Membership] | None, league: League
    ) -> None:
        if roster is None:
            return
        if league == "etf2l":  # the transfers tell all; a team of RGL is told season by season
            cursor.execute(league_sql.FORGET_MEMBERS, team)
        for member in roster:
            cursor.execute(league_sql.ADD_MEMBER, {**team, **asdict(member)})
        cursor.execute(league_sql.SET_TEAM_FETCHED, {**team, "fetched_at": self.now()})
