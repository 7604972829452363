"""The three kinds of trouble, and how each ends a Dagster step.

1. Input we cannot read is not an exception: it is counted, kept in quarantine, and a check judges the share.
2. `SourceAway`: someone else's machine does not answer or not fully. Worth another try.
3. `OurMistake`: a wrong configuration or a wrong program. Trying again changes nothing.

Messages say what was being done, to which thing, what was found and what to do next.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class SourceAway(Exception):
    """A source is away or delivered only a part; another try may succeed."""


class OurMistake(Exception):
    """Something only a change of code or configuration can mend."""


class ConfigurationMistake(OurMistake):
    """stats.yaml or an environment variable is wrong; the message names file, line and what is allowed."""


@contextmanager
def told_to_dagster() -> Iterator[None]:
    """Ends the step with our one line as its message; only `SourceAway` is tried again."""
    import dagster as dg  # here, because the launcher raises these errors, too, and must not take a second to begin

    try:
        yield
    except SourceAway as error:
        raise dg.Failure(description=str(error), allow_retries=True) from error
    except OurMistake as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
