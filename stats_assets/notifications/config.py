"""The section `notifications` of stats.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from stats_assets.shared.config import Section, wrong_secret

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


def _known_to_apprise(url: str) -> str:
    """Refuses an address apprise cannot use. The address may hold a secret: it is not repeated."""
    import apprise  # takes a fifth of a second, and most processes tell nobody anything

    if not apprise.Apprise().add(url):
        raise wrong_secret("apprise does not know this address; its schemes: https://github.com/caronc/apprise/wiki")
    return url


class Channel(Section):
    """Somebody who is told."""

    url: Annotated[str, AfterValidator(_known_to_apprise)] = Field(
        repr=False, description="an address of apprise: mailtos://..., slack://..., json://...; secrets as ${NAME}"
    )
    rooms: list[str] = Field(default=[], description="only what concerns these rooms, and silent services; empty: all")
    warnings: bool = Field(default=True, description="failed checks of severity WARN as well")


class Bus(Section):
    """An AMQP broker that is told of the start and end of every step."""

    url: str = Field(pattern=r"^amqps?://", repr=False, description="amqp[s]://user:${NAME}@host:port/vhost")
    exchange: str = Field(default="amq.topic", min_length=1, description="a topic exchange that exists")
    topic_prefix: str = Field(default="", description="before logging.stats., with its own dot at the end")
    topics: Mapping[str, str] = Field(
        default={
            "log_sync/files": "sync",
            "log_sync/combined_logs": "combinehttplogs",
            "countme/daily_unique_hosts": "condense-mirrorlogs",
            "countme/weekly_totals": "countme-update",
        },
        description="words of a topic by asset, where they are not room.table",
    )


class NotificationsConfig(Section):
    """Who is told what, and when."""

    channels: Mapping[Name, Channel] = Field(default={}, description="who is told, by a name of yours")
    ui_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="of the UI as people reach it; this machine's when absent",
    )
    look_seconds: float = Field(default=30, ge=1, le=3600, description="between two looks of the watcher")
    group_seconds: float = Field(
        default=60, ge=0, le=3600, description="a failure waits so long for others, to be told in one message"
    )
    silent_after_seconds: float = Field(
        default=180, ge=1, le=86400, description="a service has to be silent so long before it is told"
    )
    must_answer: Mapping[Name, str] = Field(
        default={}, description="URLs of other services that have to answer with success, e.g. a collector's /health"
    )
    alive_url: str | None = Field(
        default=None,
        repr=False,
        pattern=r"^https?://",
        description="asked at every look: a dead man's switch",
    )
    bus: Bus | None = Field(default=None, description="messages for machines; none: none are sent")
