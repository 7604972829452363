"""What numbers of a log mean: length, format, averages, main class. Plain values in, plain values out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

TIE_SECONDS = 60  # a round nobody won counts as a tie from this length on

_FORMATS = {"ultiduo": 4, "fours": 8, "sixes": 12, "prolander": 14, "highlander": 18}
# An uber lasts eight seconds; what would be stored as eight is an average of something else.
_UBER_SECONDS = 8 - 2.4e-7
_SMALLEST_REAL = 1e-30


def duration(total_length: int, round_lengths: Iterable[int]) -> int:
    """Seconds. Rounds of negative length have shortened the total by as much; without a total the rounds count."""
    lengths = list(round_lengths)
    total = total_length - sum(length for length in lengths if length <= 0)
    return total if total > 0 else sum(length for length in lengths if length > 0)


def format_of(players: int, played_seconds: int, duration_seconds: int) -> str | None:
    """By the players on the field on average, else by their number; who left early and who came are two of these.

    A format fits when its size differs by one at most; of two that fit the nearer, then the smaller.
    None when nobody played.
    """
    if not players:
        return None
    average = played_seconds / duration_seconds if duration_seconds else 0
    sizes = (players,) if players - average > 2 else (average, players)
    for size in sizes:
        away, _, name = min((abs(size - usual), usual, name) for name, usual in _FORMATS.items())
        if away <= 1:
            return name
    return "other"


def primary_class(seconds: Mapping[str, int]) -> str | None:
    """The class played for more than two thirds of the time; no two can be."""
    whole = sum(seconds.values())
    return next((name for name, own in seconds.items() if own * 3 > whole * 2), None)


def average(value: float | None) -> float | None:
    """None for an average of nothing, which is written as 0, or less."""
    return None if value is None or value < _SMALLEST_REAL else value


def uber_average(value: float | None) -> float | None:
    """Likewise, and None for what is longer than an uber can be."""
    return None if value is None or value >= _UBER_SECONDS else average(value)


def totals(healing: Mapping[tuple[int, int], int]) -> tuple[dict[int, int], dict[int, int]]:
    """Healing given and received, by player."""
    given: dict[int, int] = {}
    received: dict[int, int] = {}
    for (healer, healee), amount in healing.items():
        given[healer] = given.get(healer, 0) + amount
        received[healee] = received.get(healee, 0) + amount
    return given, received
