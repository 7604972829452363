"""What the collector counts, and how Prometheus reads it.

Counting costs an addition; the library only writes the text when it is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


@dataclass
class Tally:
    """Counts since the collector started."""

    answers: Counter[int] = field(default_factory=Counter)  # by status
    accepted: Counter[str] = field(default_factory=Counter)  # events by app
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)  # events by app and reason
    refused_bodies: Counter[str] = field(default_factory=Counter)  # by reason
    unknown_columns: Counter[str] = field(default_factory=Counter)  # bodies with such, by app
    batches: Counter[str] = field(default_factory=Counter)  # by where they were kept
    kept: Counter[str] = field(default_factory=Counter)  # events, refused ones included
    keeping_seconds: Counter[str] = field(default_factory=Counter)
    replayed_events: int = 0
    reloads: int = 0
    refused_reloads: int = 0
    slow_clients: int = 0
    refused_connections: int = 0

    def batch(self, where: str, events: int, seconds: float) -> None:
        self.batches[where] += 1
        self.kept[where] += events
        self.keeping_seconds[where] += seconds  # type: ignore[assignment]  # a Counter adds up floats as well


_SINGLE = {
    "replayed_events": "Events brought in from the spool.",
    "reloads": "Times the schema file was read again.",
    "refused_reloads": "Times it had a mistake.",
    "slow_clients": "Connections that were too slow.",
    "refused_connections": "Connections too many.",
}


class _Exposition(Collector):
    """The tally and the gauges of the moment as metric families."""

    def __init__(self, tally: Tally, gauges: Callable[[], Mapping[str, tuple[str, float]]]) -> None:
        self._tally, self._gauges = tally, gauges

    def collect(self) -> Iterator[Metric]:
        tally = self._tally
        yield _counter("answers", "Answers by status.", "status", tally.answers)
        yield _counter("accepted", "Events taken.", "app", tally.accepted)
        refused = CounterMetricFamily("stats_events_refused", "Events refused.", labels=["app", "reason"])
        for labels, count in tally.refused.items():
            refused.add_metric(labels, count)
        yield refused
        yield _counter("refused_bodies", "Requests refused.", "reason", tally.refused_bodies)
        yield _counter("unknown_columns", "Bodies with columns nobody declared.", "app", tally.unknown_columns)
        yield _counter("kept", "Events kept, refused ones included.", "where", tally.kept)
        seconds = SummaryMetricFamily(
            "stats_events_batch_seconds", "Time until a batch was committed.", labels=["where"]
        )
        for where, count in tally.batches.items():
            seconds.add_metric([where], count, tally.keeping_seconds[where])
        yield seconds
        for name, text in _SINGLE.items():
            yield CounterMetricFamily(f"stats_events_{name}", text, value=getattr(tally, name))
        for name, (text, value) in self._gauges().items():
            yield GaugeMetricFamily(f"stats_events_{name}", text, value=value)


def _counter(name: str, text: str, label: str, values: Mapping[Any, float]) -> Metric:
    family = CounterMetricFamily(f"stats_events_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([str(key)], value)
    return family


def exposition(tally: Tally, gauges: Callable[[], Mapping[str, tuple[str, float]]]) -> Callable[[], bytes]:
    """A function that gives the text of /metrics, in the text format 0.0.4."""
    registry = CollectorRegistry()
    registry.register(_Exposition(tally, gauges))
    return lambda: generate_latest(registry)
