"""The schema file of the benchmarks of typed tables."""

from __future__ import annotations

from stats_assets.events.schema_file import parse_schema

_TEXT = """
tables:
  plays:
    columns:
      - {name: time, type: timestamp}
      - {name: platform, required: true}
      - {name: version, required: true}
      - {name: user_id}
      - {name: event_type, required: true}
      - {name: score, type: i32}
      - {name: seconds, type: f64}
apps:
  game: {secret_key: secret, tables: [plays]}
"""

SCHEMA = parse_schema(_TEXT, {}, "benchmark")
