"""Names for what clients ask for: the repository `updates-released-f39` is `f39`, the architecture `amd64` is `x86_64`.

The rules are those of the established condense report, continued for newer releases; all of them are data, in
`repositories.yaml`. Pure but for reading that file once. Counting is in `unique_hosts`, reading a query in
`mirror_requests`.
"""

from __future__ import annotations

import re
from functools import cache, cached_property
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, field_validator

# Both a repository and an architecture may have it: nobody has said yet what to call them.
UNMAPPED = "unmapped"

_RULES = Path(__file__).with_name("repositories.yaml")


class _Rules(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NamedPattern(_Rules):
    """A name for every text that the pattern matches as a whole; `{group}` in it stands for a group's text."""

    pattern: re.Pattern[str]
    name: str

    def name_of(self, text: str) -> str | None:
        match = self.pattern.fullmatch(text)
        return self.name.format(**match.groupdict()) if match else None


class RepositoryRules(_Rules):
    """How a repository tag is reduced to its core, and what the cores are called; the fields act in this order."""

    replace: tuple[tuple[str, str], ...]
    delete: tuple[str, ...]
    rename: tuple[tuple[str, str], ...]
    cut_from: tuple[str, ...]
    established: tuple[NamedPattern, ...]
    newer: tuple[NamedPattern, ...]

    def name_of(self, tag: str) -> str:
        """The name of a repository tag (empty: none was sent), UNMAPPED when no pattern knows it."""
        core = self._core(tag)
        names = (named.name_of(core) for named in (*self.established, *self.newer))
        return next((name for name in names if name), UNMAPPED)

    def _core(self, tag: str) -> str:
        text = tag.lower()
        for old, new in (*self.replace, *((word, "") for word in self.delete), *self.rename):
            text = text.replace(old, new)
        for word in self.cut_from:
            text = text.partition(word)[0]
        return text.replace("-", "").strip()


class ArchitectureRules(_Rules):
    """What architectures are called, after the text is cut at the first of the characters `cut_at`."""

    cut_at: str
    names: dict[str, tuple[str, ...]]

    @field_validator("names")
    @classmethod
    def _each_spelling_has_one_name(cls, names: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        spellings = [spelling for several in names.values() for spelling in several]
        if twice := {spelling for spelling in spellings if spellings.count(spelling) > 1}:
            raise ValueError(f"more than one name for {', '.join(sorted(twice))}")
        return names

    def name_of(self, arch: str) -> str:
        """The name of an architecture (empty: none was sent), UNMAPPED when it has none."""
        return self._by_spelling.get(self._cut.split(arch, maxsplit=1)[0].lower(), UNMAPPED)

    @cached_property
    def _cut(self) -> re.Pattern[str]:
        return re.compile(f"[{re.escape(self.cut_at)}]")

    @cached_property
    def _by_spelling(self) -> dict[str, str]:
        return {spelling: name for name, spellings in self.names.items() for spelling in spellings}


class NamingRules(_Rules):
    """The rules file as a whole."""

    repositories: RepositoryRules
    architectures: ArchitectureRules


@cache
def naming_rules() -> NamingRules:
    """The rules this version comes with. Raises pydantic's ValidationError when the file is not what it should be."""
    return NamingRules.model_validate(yaml.safe_load(_RULES.read_text(encoding="utf-8")))
