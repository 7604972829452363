"""What an examination finds: in order, worth knowing, or wrong and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `advice` says what to do and is empty when there is nothing to do."""

    state: State
    what: str
    advice: str = ""

    def line(self) -> str:
        return f"{self.state:5} {self.what}" + (f"; {self.advice}" if self.advice else "")


def ok(what: str) -> Finding:
    return Finding("ok", what)


def note(what: str, advice: str = "") -> Finding:
    return Finding("note", what, advice)


def wrong(what: str, advice: str = "") -> Finding:
    return Finding("wrong", what, advice)
