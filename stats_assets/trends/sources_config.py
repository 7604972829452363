"""The part of the `trends` section of stats.yaml that tells which sites are asked, and how patiently."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from stats_assets.shared.config import Section
from stats_assets.trends.api_client import Patience


def _http(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return url.rstrip("/")


Url = Annotated[str, AfterValidator(_http)]


class SourceOptions(Section):
    """Sites of game logs, demos and leagues. One that is not given is not asked."""

    api_url: Url | None = Field(default=None, description="of the game-log site, e.g. https://logs.tf/api/v1")
    demos_url: Url | None = Field(default=None, description="of the demo site, e.g. https://api.demos.tf")
    etf2l_url: Url | None = Field(default=None, description="of the league ETF2L, e.g. https://api.etf2l.org")
    rgl_url: Url | None = Field(default=None, description="of the league RGL, e.g. https://api.rgl.gg/v0")
    items_game: str | None = Field(
        default=None, description="path or URL of the game's items_game.txt, for names of weapons; none: ours alone"
    )
    seconds_between_requests: float = Field(
        default=0.5, ge=0, le=60, description="pause between two requests to a site: these are other people's servers"
    )
    answer_timeout_seconds: float = Field(default=20, gt=0, le=600, description="longest silence of a site")
    request_attempts: int = Field(default=4, ge=1, le=20, description="tries per request")
    listing_page_logs: int = Field(default=1000, ge=50, le=10_000, description="logs asked for per page of the listing")
    max_gap_hours: int = Field(
        default=24, ge=1, description="a log that the site lists and that is not here after this time fails a check"
    )
    gap_logids: int = Field(
        default=1000, ge=1, description="so many logids in a row that nobody has asked for are a gap, and fail a check"
    )

    @property
    def patience(self) -> Patience:
        return Patience(
            between_requests=self.seconds_between_requests,
            answer_seconds=self.answer_timeout_seconds,
            whole_seconds=3 * self.answer_timeout_seconds,
            attempts=self.request_attempts,
        )
