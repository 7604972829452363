"""Incidents as a message to people: plain text, one paragraph per cause. Which incidents is decided by the caller."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from stats_assets.notifications.incidents import Incident, Thing

_NAMED_PARTITIONS = 5
_NAMED_SUBJECTS, _NAMED_IN_TITLE = 20, 3
_PARAGRAPHS = 15  # chats cut long messages; the rest is in ./stats status


@dataclass(frozen=True)
class Links:
    """Where the UI and the files of this repository can be read; `docs` None: on the machine itself."""

    ui: str
    docs: str | None = None

    def page(self, page: str) -> str:
        return f"{self.docs.rstrip('/')}/{page}" if self.docs else page

    def of(self, incident: Incident) -> str:
        thing = incident.thing
        if thing.kind == "silence":
            return f"{self.ui}/deployment/daemons"
        if thing.kind == "check":
            return f"{self.ui}/assets/{thing.asset}?view=checks"
        return f"{self.ui}/runs/{incident.run_id}" if incident.run_id else f"{self.ui}/assets/{thing.subject}"


@dataclass(frozen=True)
class Message:
    title: str
    body: str


def compose(incidents: Sequence[Incident], links: Links) -> Message:
    """One message of all of them, which are at least one."""
    groups = _grouped(incidents)
    paragraphs = [_paragraph(group, links) for group in groups[:_PARAGRAPHS]]
    if len(groups) > _PARAGRAPHS:
        paragraphs.append(f"and {len(groups) - _PARAGRAPHS} more: ./stats status")
    return Message(_title(groups), "\n\n".join(paragraphs))


def _grouped(incidents: Sequence[Incident]) -> list[list[Incident]]:
    """What failed, or recovered, alike; failures first.

    That is all a run should have made and has not, or the Dagster partitions of one subject.
    """
    groups: dict[tuple[object, ...], list[Incident]] = {}
    for incident in sorted(incidents, key=lambda each: not each.is_open):
        kind, subject = incident.thing.kind, incident.thing.subject
        what = (incident.run_id or subject) if kind == "run" else subject
        how = (incident.run_id, incident.why) if incident.is_open else incident.was_told
        groups.setdefault((kind, what, incident.is_open, how), []).append(incident)
    return list(groups.values())


def _title(groups: Sequence[Sequence[Incident]]) -> str:
    if len(groups) == 1:
        return f"[stats] {_what(groups[0], _NAMED_IN_TITLE)} {_state(groups[0][0])}"
    failed = sum(group[0].is_open for group in groups)
    counts = {"wrong": failed, "well again": len(groups) - failed}
    return "[stats] " + ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def _paragraph(group: Sequence[Incident], links: Links) -> str:
    first = group[0]
    lines = [f"{_what(group)} {_state(first)}", f"why:   {first.why}"]
    lines.append(f"since: {_time(min(each.first_at for each in group))}{_times(group)}")
    if not first.is_open:
        lines[1:] = [f"was:   {first.why}", f"from:  {_span(group)}"]
    lines.append(f"look:  {links.of(first)}")
    if first.is_open:
        lines.append(f"do:    {links.page(first.page)}")
    return "\n".join(lines)


def _state(incident: Incident) -> str:
    words = {"run": "failed", "check": "does not hold", "freshness": "is not fresh", "silence": "is silent"}
    if incident.is_open:
        return words[incident.thing.kind] + (" (warning)" if incident.is_warning else "")
    return "is well again" if incident.was_told else f"{words[incident.thing.kind]}, and is well again"


def _what(group: Sequence[Incident], most: int = _NAMED_SUBJECTS) -> str:
    subjects = _listed((_subject(each.thing) for each in group), most)
    return " ".join(filter(None, (subjects, _listed((each.thing.partition for each in group), _NAMED_PARTITIONS))))


def _subject(thing: Thing) -> str:
    return thing.subject if thing.kind != "check" else "{}: check {}".format(*thing.subject.split(":", 1))


def _listed(names: Iterable[str], most: int) -> str:
    different = sorted(set(filter(None, names)))
    more = f" and {len(different) - most} more" if len(different) > most else ""
    return ", ".join(different[:most]) + more


def _times(group: Sequence[Incident]) -> str:
    times = max(each.times for each in group)
    return f", {times} times" if times > 1 else ""


def _span(group: Sequence[Incident]) -> str:
    ends = [each.recovered_at for each in group if each.recovered_at]
    return f"{_time(min(each.first_at for each in group))} to {_time(max(ends))}"


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
