"""Messages to where people read them, by apprise. Who gets which message, and when again, is decided elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from stats_assets.notifications.config import Channel
from stats_assets.shared.failures import SourceAway, first_line

# What may be a secret in an address: everything of some length between its separators.
_PARTS = re.compile(r"[/:@?&=]+")


class Send(Protocol):
    def __call__(self, channel: Channel, title: str, body: str) -> None:
        """Returns when the channel has taken the message. Raises SourceAway when it has not."""
        ...


def send(channel: Channel, title: str, body: str) -> None:
    """As `Send`, by apprise. The message of the exception has nothing of the channel's address."""
    import apprise  # most processes tell nobody anything

    receiver = apprise.Apprise()
    receiver.add(channel.url)
    with apprise.LogCapture(level=apprise.logging.WARNING, fmt="%(message)s") as log:
        try:
            taken = receiver.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)
        except Exception as error:  # whatever a plugin of apprise lets through
            raise SourceAway(without_address(channel.url, f"{type(error).__name__}: {first_line(error)}")) from None
        log.seek(0)
        said = log.read()
    if not taken:
        raise SourceAway(without_address(channel.url, first_line(said) if said.strip() else "it gave no reason"))


def without_address(url: str, text: str) -> str:
    """The text without any part of the address that could be a password or token."""
    for part in sorted(set(_PARTS.split(url)), key=len, reverse=True):
        if len(part) > 3:
            text = text.replace(part, "***")
    return text


def concerned(channels: Mapping[str, Channel], room: str | None, is_warning: bool) -> list[str]:
    """The names of the channels that want to know. What is of no room concerns all."""
    return [
        name
        for name, channel in channels.items()
        if (channel.warnings or not is_warning) and (room is None or not channel.rooms or room in channel.rooms)
    ]
