"""The three kinds of trouble. How each ends a Dagster step is told in `runs`.

1. Input we cannot read is not an exception: it is counted, kept in quarantine, and a check judges the share.
2. `SourceAway`: someone else's machine does not answer or not fully. Worth another try.
3. `OurMistake`: a wrong configuration or a wrong program. Trying again changes nothing.

Messages say what was being done, to which thing, what was found and what to do next.
"""

from __future__ import annotations


class SourceAway(Exception):
    """A source is away or delivered only a part; another try may succeed."""


class OurMistake(Exception):
    """Something only a change of code or configuration can mend."""


class ConfigurationMistake(OurMistake):
    """stats.yaml or an environment variable is wrong; the message names file, line and what is allowed."""


def first_line(error: object) -> str:
    """What an error says, cut to its first line: libraries add hints and statements that are not for our messages."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
