"""One log of logs.tf as rows of every silver table: a pure function of its bytes.

Reads version 3 and the old version 1, whose shapes are told in `shape`. Whatever of a log cannot be imported raises
BadLog; whatever cannot be taken literally but has a meaning (empty sections written as `[]`, averages of nothing,
impossible class times) is taken by the rules told at each function and in `rules`. Here the parts are put together;
they are read in `players`, `classes`, `rounds` and `sections`. Duplicates among logs need other logs, and are found in
the database.

Whether values fit their columns is looked at for many logs at once, by `blocks`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import chain
from typing import Any

from stats_assets.trends import rules
from stats_assets.trends.classes import Classes
from stats_assets.trends.decoding import decoded
from stats_assets.trends.limits import MAX_LOG_BYTES, bounded, short
from stats_assets.trends.players import extra_values, people_of, player_values
from stats_assets.trends.reasons import BadLog
from stats_assets.trends.rounds import Score, results_of, round_rows, score_of
from stats_assets.trends.sections import chat_values, event_values, healing_of, streaks_of
from stats_assets.trends.shape import Log, Uploader
from stats_assets.trends.steamids import steamid64
from stats_assets.trends.tables import PLAYER_STATS

_FIRST_UPLOAD = 1_190_000_000  # September 2007, when the game came out
_MAP, _FORMAT, _IS_COUNTED, _UPLOADER = 2, 6, 8, 9  # places in a row of games

Values = list[Any]


@dataclass
class GameLog:
    """The values of one log by table, and what else is asked of it.

    Values are those of all rows, one row after the other, in the column order of `tables`, without logid and day.
    """

    logid: int
    uploaded_at: int  # Unix seconds
    values: dict[str, Values]
    map: str
    uploader: int | None  # steamid64, as the following
    names: dict[int, str | None] = field(default_factory=dict)  # of who played, in this game
    speakers: set[int] = field(default_factory=set)  # may be players, too
    is_counted: bool = True
    is_bogus: bool = False

    @cached_property
    def day(self) -> date:
        return datetime.fromtimestamp(self.uploaded_at, UTC).date()


def parse(logid: int, data: bytes, latest: int, uploaded_at: int | None = None) -> GameLog:
    """The log's rows. `latest`: no upload can be after it; `uploaded_at`: what a list says, for logs without a date.

    A log with negative damage is bogus: only its row of `games` is kept. Raises BadLog.
    """
    if len(data) > MAX_LOG_BYTES:
        raise BadLog("too_large", f"{len(data)} bytes; at most {MAX_LOG_BYTES}")
    log = decoded(data)
    at = uploaded_at if log.info.date is None else log.info.date
    if at is None or not _FIRST_UPLOAD <= at <= latest:
        raise BadLog("bad_date", f"info.date is {at}")
    return _read(logid, at, log)


def uncounted(game: GameLog) -> GameLog:
    """The same log when nothing of it counts: its row of `games` and who uploaded it."""
    row = [*game.values["games"]]
    row[_FORMAT], row[_IS_COUNTED] = None, False
    return GameLog(
        game.logid,
        game.uploaded_at,
        {"games": row},
        game.map,
        game.uploader,
        is_counted=False,
        is_bogus=game.is_bogus,
    )


def _read(logid: int, uploaded_at: int, log: Log) -> GameLog:
    """The sections in the order they need each other."""
    raw_rounds = bounded("rounds", log.rounds or log.info.rounds)
    seconds = rules.duration(log.info.total_length or 0, [round_.length for round_ in raw_rounds])
    score = score_of(log, raw_rounds)
    people = people_of(log)
    classes = Classes(log.info, seconds)
    played = {id64: classes.add(id64, player) for id64, _, player in people}
    healing, streaks = healing_of(log, played), streaks_of(log, played)
    rounds = round_rows(raw_rounds, score, uploaded_at, classes.is_doubled)
    players = player_values(log, people, played, results_of(rounds, score, log.info.AD_scoring), healing)
    chat, speakers = chat_values(log)
    played_format = rules.format_of(len(people), classes.played_seconds, seconds)
    game = _game_values(log, uploaded_at, seconds, score, played_format)
    values = {
        "games": game,
        "rounds": [*chain.from_iterable(rounds)],
        "player_stats": players,
        "player_stats_extra": extra_values(log.info, people, streaks),
        "class_stats": classes.values,
        "weapon_stats": classes.weapons,
        "heal_stats": [value for pair, amount in healing.items() for value in (*pair, amount)],
        "medic_stats": classes.medics,
        "event_stats": event_values(log, people),
        "killstreaks": [value for moment, kills in streaks.items() for value in (*moment, kills)],
        "chat": chat,
    }
    names = dict(zip(played, players[1 :: len(PLAYER_STATS.columns)], strict=True))
    found = GameLog(logid, uploaded_at, values, game[_MAP], game[_UPLOADER], names, speakers)
    found.is_bogus = classes.is_bogus
    return uncounted(found) if found.is_bogus else found


def _game_values(log: Log, uploaded_at: int, seconds: int, score: Score, played_format: str | None) -> Values:
    info = log.info
    return [
        uploaded_at,
        info.title or "",
        short("info.map", info.map or ""),
        seconds,
        *score,
        played_format,
        info.AD_scoring,
        True,
        *_uploader(info.uploader),
        log.version,
    ]


def _uploader(uploader: Uploader | object) -> tuple[int | None, str | None]:
    if not isinstance(uploader, Uploader):
        return None, None
    id64 = steamid64(str(uploader.id))
    if id64 is None:
        raise BadLog("bad_uploader", f"info.uploader.id is {uploader.id!r:.80}")
    return id64, uploader.name
