"""Rounds and what they decide: the score, rows of rounds, and who won."""

from __future__ import annotations

from typing import Any

from stats_assets.trends import rules
from stats_assets.trends.reasons import BadLog
from stats_assets.trends.shape import Log, Round, teams_of

Row = tuple[Any, ...]
Score = tuple[int, int]  # red, blue

_DAY = 86_400
_LENGTH, _WINNER = 1, 3  # places in a row


def score_of(log: Log, rounds: list[Round]) -> Score:
    """By teams, else by info (version 1), else counted from the rounds."""
    for place in (log.teams, log.info):
        red, blue = teams_of(place)
        if red.score is not None and blue.score is not None:
            return red.score, blue.score
    winners = [round_.winner for round_ in rounds]
    if not any(winners):
        raise BadLog("no_score", "neither teams nor info have one, and no round has a winner")
    return winners.count("Red"), winners.count("Blue")


def round_rows(rounds: list[Round], score: Score, uploaded_at: int, is_doubled: bool) -> list[Row]:
    """Rounds with a length, a repeated one once. When more are won than scored, nobody won the last.

    `is_doubled`: ubers are counted twice.
    """
    found: dict[Row, int] = {}
    for seq, round_ in enumerate(rounds):
        if round_.length > 0:
            found.setdefault(_row(round_, score, uploaded_at, 2 if is_doubled else 1), seq)
    rows: list[Row] = [(seq, *row) for row, seq in found.items()]
    if sum(row[_WINNER] is not None for row in rows) > sum(score):
        seq, length, start, _, *rest = rows[-1]
        rows[-1] = (seq, length, start, None, *rest)
    return rows


def _row(round_: Round, score: Score, uploaded_at: int, counts_of_an_uber: int) -> Row:
    """By a clock that is often hours off; a start more than a day from the upload is none."""
    start = round_.start_time
    if start is None or abs(start - uploaded_at) > _DAY:
        start = uploaded_at
    red, blue = teams_of(round_.team or round_)
    return (
        round_.length,
        start,
        round_.winner or None,
        round_.firstcap or None,
        score[0] if red.score is None else red.score,
        score[1] if blue.score is None else blue.score,
        red.kills,
        blue.kills,
        red.damage if red.dmg is None else red.dmg,
        blue.damage if blue.dmg is None else blue.dmg,
        red.ubers and red.ubers // counts_of_an_uber,
        blue.ubers and blue.ubers // counts_of_an_uber,
    )


def results_of(rows: list[Row], score: Score, is_ad_scoring: bool | None) -> dict[str, tuple[int, int, int]]:
    """Wins, losses and ties by team: of rounds, or of the score where attack and defence take turns."""
    red, blue, ties = *score, 0
    if not is_ad_scoring and rows:
        winners = [row[_WINNER] for row in rows]
        red, blue = winners.count("Red"), winners.count("Blue")
        ties = sum(row[_WINNER] is None and row[_LENGTH] >= rules.TIE_SECONDS for row in rows)
    return {"Red": (red, blue, ties), "Blue": (blue, red, ties)}
