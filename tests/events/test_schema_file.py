"""The schema file: what is understood, and what a person reads when it is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stats_assets.events.schema_file import EventSchema, parse_schema, read_schema_file
from stats_assets.shared.environment import PROJECT_FOLDER
from stats_assets.shared.failures import ConfigurationMistake

GOOD = """\
tables:
  levels:
    columns:
      - {name: level, type: i32, required: true}
      - {name: agent, header: User-Agent}
apps:
  game:
    secret_key: s1
    tables: [levels]
"""
# What attolytics refuses or breaks on because it does not quote names works here: sc16, sc17.
VERDICTS = {
    "sc01": True,
    "sc03": False,
    "sc06": True,
    "sc07": False,
    "sc08": False,
    "sc09": True,
    "sc10": False,
    "sc15": False,
    "sc16": True,
    "sc17": True,
    "sc18": True,
}


def parse(text: str, environ: dict[str, str] | None = None) -> EventSchema:
    return parse_schema(text, environ or {}, "events.yaml")


def complaint(text: str) -> str:
    with pytest.raises(ConfigurationMistake) as raised:
        parse(text)
    return str(raised.value)


@pytest.mark.parametrize(("case", "is_accepted"), VERDICTS.items())
def test_reference_case(case: str, is_accepted: bool, reference_data: Path):
    cases = [json.loads(line) for line in (reference_data / "events/event_schema_cases.jsonl").open()]
    text = next(each["yaml"] for each in cases if each["id"] == case)
    if is_accepted:
        parse(text)
    else:
        assert complaint(text).startswith("events.yaml:")


def test_every_reference_case_of_the_file_alone_is_tested(reference_data: Path):
    cases = [json.loads(line) for line in (reference_data / "events/event_schema_cases.jsonl").open()]
    assert {case["id"] for case in cases if case["yaml"] is not None} == set(VERDICTS)


def test_the_schema_file_of_the_sandbox_is_right():
    schema = read_schema_file(PROJECT_FOLDER / "events.yaml", {})
    assert set(schema.tables) == {"sessions", "levels"}


def test_columns_have_the_defaults_of_attolytics():
    (column,) = parse("tables: {t: {columns: [{name: a}]}}\napps: {}").tables["t"].columns
    assert (column.type, column.header, column.indexed, column.required) == ("string", None, False, False)


def test_every_problem_has_its_line():
    text = GOOD.replace("[levels]", "[levels, medals]") + "  web:\n    tables: [levels]\n"
    assert complaint(text).splitlines() == [
        "events.yaml:9: apps.game.tables[1]: no table 'medals' above; there are: levels",
        "events.yaml:10: apps.web: needs a secret_key or a secret_hash",
    ]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("required: true", "requierd: true", "unknown key; allowed here: header, indexed, name, required, type"),
        ("required: true", "required: 1", "valid boolean"),
        ("name: level", "name: extra", "every table has a column extra of its own"),
        ("name: level", "name: _t", "_t names the table"),
        ("name: level", 'name: "a\\0b"', "all of them printable"),
        ("name: level", f"name: {'x' * 64}", "1 to 63 bytes"),
        ("name: level", "name: event_id", "event_id is the client's name for an event: a string"),
        ("header: User-Agent", 'header: "User Agent"', "is no name of a header"),
        ("  levels:", '  "levels; drop table x":', "letters, digits and _"),
        ("  levels:", "  raw_events:", "is a table of the house"),
        ("  levels:", "  levels_20260101:", "ends like a table partition"),
        ("  game:", '  "a/b":', "an app's name has"),
        ("[levels]", "[levels, levels]", "'levels' is given twice"),
        ("secret_key: s1", "secret_hash: s1", "write sha256: and 64"),
        ("secret_key: s1", 'secret_key: ""', "at least 1 character"),
        ("secret_key: s1", "secret_key: s1\n    access_control_allow_origin: example.org", "write an origin such as"),
        (
            "secret_key: s1",
            f"secret_hash: sha256:{'0' * 64}\n    require_signature: true",
            "a hash cannot verify a signature",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(before: str, after: str, message: str):
    told = complaint(GOOD.replace(before, after, 1))
    assert told.startswith("events.yaml:") and message in told


def test_a_secret_is_never_repeated_in_a_complaint():
    assert "4711" not in complaint(GOOD.replace("secret_key: s1", "secret_key: 4711"))
    assert "s3cret" not in complaint(GOOD.replace("secret_key: s1", "secret_hash: s3cret"))


def test_secrets_come_from_the_environment_and_two_are_good_at_once():
    text = GOOD.replace("secret_key: s1", 'secret_key: ["${NEW}", old]')
    assert parse(text, {"NEW": "n"}).apps["game"].secret_key == ("n", "old")
    assert len(parse(text, {"NEW": "n"}).apps["game"].secret_digests) == 2


def test_the_version_follows_the_meaning_and_not_the_secrets():
    version = parse(GOOD).version
    assert parse(GOOD.replace("s1", "s2") + "# a comment\n").version == version
    assert parse(GOOD.replace("i32", "i64")).version != version
    assert "s1" not in parse(GOOD).document
