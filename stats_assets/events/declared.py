"""The schema file for those who need its tables only: secrets of apps need not be known where no collector runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from stats_assets.events.config import EventsConfig
from stats_assets.events.schema_file import EventSchema, read_schema_file
from stats_assets.shared.failures import ConfigurationMistake

_UNSET = "not-set-here"


def declared_schema(config: EventsConfig, environ: Mapping[str, str] = os.environ) -> EventSchema:
    """The schema file as it is now; secrets whose variables are not set here are a placeholder.

    Raises ConfigurationMistake.
    """
    schema = read_schema_file(config.schema_file, _Lenient(environ))
    if _UNSET in schema.document:
        raise ConfigurationMistake(
            f"{config.schema_file}: a table or an app's name needs an environment variable that is not set;"
            " only secrets may be left out here"
        )
    return schema


class _Lenient(Mapping[str, str]):
    """The environment, in which nothing is missing."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        return self._environ.get(name, _UNSET)

    def get(self, name: str, default: str | None = None) -> str:  # type: ignore[override]  # always gives one
        return self._environ.get(name) or (default if default is not None else _UNSET)

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)
