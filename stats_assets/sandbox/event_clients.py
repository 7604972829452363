"""What simulated apps send to the collector in a minute: deterministic by seed, most of it good, some odd on purpose.

Odd: a level as text, which is refused; a column nobody declared, which is kept in extra; a request sent again with the
same event ids; events of a client that was offline for hours. The tables are those of events.yaml.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from stats_assets.sandbox.world import World

GAME, WEB = "com.example.game", "com.example.web"
_SECRETS = {GAME: "sandbox-secret", WEB: "sandbox-web-secret"}
_PLATFORMS = ("android", "ios", "web", "windows")
_HEROES = ("Ada", "Grace", "Linus", "Käthe")
_VERSIONS = ("1.9.2", "2.0.0", "2.1.0-beta")
_SENDS_DEVICE = "2.1.0-beta"  # is ahead of the schema file

# Of requests, out of a hundred.
_BAD, _AGAIN, _OFFLINE = 3, 5, 4
_REQUESTS_A_MINUTE = 24


@dataclass(frozen=True)
class EventRequest:
    """One request, and the second of its minute it is sent at."""

    second: int
    app_id: str
    headers: Mapping[str, str]
    events: tuple[Mapping[str, Any], ...]

    @property
    def body(self) -> bytes:
        return json.dumps({"secret_key": _SECRETS[self.app_id], "events": self.events}).encode()


def requests_of(world: World, minute: datetime) -> list[EventRequest]:
    """The requests of the minute that begins at `minute` (UTC), in the order they are sent."""
    fresh = _fresh(world, minute)
    again = [request for request in _fresh(world, minute - timedelta(minutes=1)) if _is(request, _AGAIN)]
    return sorted([*fresh, *again], key=lambda request: request.second)


def _is(request: EventRequest, of_hundred: int) -> bool:
    """Chosen by what it sends, so that it is chosen alike in every run."""
    first = str(request.events[0].get("event_id", ""))
    return sum(first.encode()) % 100 < of_hundred


def _fresh(world: World, minute: datetime) -> list[EventRequest]:
    dice = world.random("events", f"{minute.astimezone(UTC):%Y-%m-%dT%H:%M}")
    return [_request(world, minute, number, dice) for number in range(_REQUESTS_A_MINUTE)]


def _request(world: World, minute: datetime, number: int, dice: np.random.Generator) -> EventRequest:
    app_id = WEB if dice.random() < 0.25 else GAME
    second = int(dice.integers(60))
    sent_at = minute + timedelta(seconds=second)
    if dice.random() < _OFFLINE / 100:
        sent_at -= timedelta(hours=float(dice.uniform(1, 30)))
    player = _Player(f"u{dice.integers(400):03d}", str(dice.choice(_PLATFORMS)), str(dice.choice(_VERSIONS)))
    made = _sessions(player, sent_at, dice) if app_id == WEB or dice.random() < 0.3 else _levels(player, sent_at, dice)
    name = world.identity("events", minute.isoformat(), number)[:20]
    events = tuple({**event, "event_id": f"{name}-{place}"} for place, event in enumerate(made))
    return EventRequest(second, app_id, _headers(app_id, player), events)


@dataclass(frozen=True)
class _Player:
    user_id: str
    platform: str
    version: str

    @property
    def more(self) -> Mapping[str, str]:
        return {"device": f"{self.platform}-{len(self.user_id)}"} if self.version == _SENDS_DEVICE else {}


def _sessions(player: _Player, at: datetime, dice: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {
        "_t": "sessions",
        "started_at": at.isoformat(),
        "platform": player.platform,
        "version": player.version,
        "user_id": player.user_id,
        "seconds": round(float(dice.exponential(300)), 1),
        **player.more,
    }


def _levels(player: _Player, at: datetime, dice: np.random.Generator) -> Iterator[dict[str, Any]]:
    for place in range(int(dice.integers(1, 6))):
        level: int | str = int(dice.integers(1, 40))
        yield {
            "_t": "levels",
            "time": int(at.timestamp()) + 30 * place,
            "level": str(level) if dice.random() < _BAD / 100 else level,
            "score": int(dice.integers(10**6)),
            "accuracy": round(float(dice.random()), 3),
            "won": bool(dice.random() < 0.6),
            "hero": str(dice.choice(_HEROES)) if dice.random() < 0.9 else None,
            **player.more,
        }


def _headers(app_id: str, player: _Player) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "User-Agent": f"example/{player.version} ({player.platform})"}
    if app_id == WEB:
        headers |= {"Origin": "https://example.org", "Referer": "https://example.org/play"}
    return headers
