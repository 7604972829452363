"""Questions to the webserver. What is asked is the caller's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from stats_assets.shared.failures import SourceAway


class Refused(Exception):
    """The webserver understood and said no; the message is its own."""


@dataclass(frozen=True)
class Graphql:
    """The GraphQL endpoint below the UI's URL."""

    url: str

    def ask(self, query: str, timeout_seconds: float = 30, **variables: Any) -> dict[str, Any]:
        """The `data` of the answer. Raises SourceAway when nobody answers, Refused when the answer is an error."""
        try:
            answer = httpx.post(
                f"{self.url}/graphql",
                json={"query": query, "variables": variables},
                timeout=timeout_seconds,
                trust_env=False,  # a proxy for the outside must not be asked for our own loopback
            )
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise SourceAway(f"the Dagster UI at {self.url} does not answer: {error}") from error
        content = answer.json()
        if content.get("errors"):
            raise Refused(content["errors"][0]["message"])
        return content["data"]
