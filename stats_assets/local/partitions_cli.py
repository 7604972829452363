"""The verbs of `./stats partitions`: what each is called, takes and prints."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from stats_assets.local.console import complain, results, say
from stats_assets.shared.environment import read_environment
from stats_assets.shared.failures import ConfigurationMistake

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Partitioned tables: what would be done, doing it, bringing rows back.",
)

_Table = Annotated[str | None, typer.Option(metavar="SCHEMA.TABLE", help="this table alone")]
_Repair = Annotated[bool, typer.Option("--repair", help="also bring drifted table partitions back to their parent's")]


@app.command()
def plan(
    now: Annotated[str | None, typer.Option(metavar="ISO", help="as if it were then; UTC unless it says so")] = None,
    table: _Table = None,
    repair: _Repair = False,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON, which `apply --plan` takes")] = False,
) -> None:
    """Show the steps with their SQL, bounds, locks and estimates. Changes nothing."""
    from stats_assets.local.partitions import lines_of, planned

    at = _instant(now)
    found = planned(read_environment(os.environ), at, table, repair)
    if as_json:
        typer.echo(json.dumps(found.as_json(at or datetime.now(UTC)), indent=1))
        return
    for line in lines_of(found):
        results.print(line, markup=False, highlight=False, soft_wrap=True)


@app.command()
def apply(
    table: _Table = None,
    repair: _Repair = False,
    plan_file: Annotated[
        Path | None, typer.Option("--plan", metavar="FILE", help="this plan; refused where a table has changed since")
    ] = None,
    trust_clock: Annotated[
        bool, typer.Option("--trust-clock", help="the time is right, although the last step was long ago")
    ] = False,
) -> None:
    """Carry out what is due. Exit code 1 when a step failed; a deferred one is tried again by the next run."""
    from stats_assets.local.partitions import applied

    count, is_well = 0, True
    for result in applied(read_environment(os.environ), plan_file, table, repair, trust_clock):
        count += 1
        is_well = is_well and result.result != "failed"
        (say if result.result == "done" else complain)(str(result))
    say(f"{count} steps" if count else "nothing to do")
    raise typer.Exit(0 if is_well else 1)


@app.command()
def restore(
    name: Annotated[str, typer.Argument(help="a table partition, SCHEMA.TABLE/PARTITION, or an archive")],
    keep_days: Annotated[int, typer.Option(min=1, help="days until retention may take it away again")] = 30,
    apart: Annotated[bool, typer.Option("--apart", help="beside its table, not attached to it")] = False,
) -> None:
    """Bring rows back, from the attic or from an archived file, whose content is compared."""
    from stats_assets.local.partitions import maintaining

    with maintaining(read_environment(os.environ)) as maintenance:
        found = maintenance.restore(name, keep_days, apart)
    told = f", fingerprint {found.fingerprint} as archived" if found.fingerprint else ""
    say(f"{found.table}: {found.partition} is back from {found.source}{told}; stays until {found.keep_until:%Y-%m-%d}")


@app.command()
def import_socorro(
    table: Annotated[
        str, typer.Option(metavar="SCHEMA.TABLE", help="where the rows are")
    ] = "public.report_partition_info",
    truncate_after: Annotated[
        str | None,
        typer.Option(metavar="SPAN", help="empty raw_crashes and processed_crashes after this, e.g. 2 weeks"),
    ] = None,
    into: Annotated[Path | None, typer.Option(metavar="FILE", help="write here instead of showing it")] = None,
) -> None:
    """Read Socorro's report_partition_info and write the policies that do the same, for stats.yaml."""
    from stats_assets.local.partitions import policies_from_socorro

    text = policies_from_socorro(read_environment(os.environ), table, truncate_after)
    if into is None:
        typer.echo(text, nl=False)
    else:
        into.write_text(text, encoding="utf-8")
        say(f"{into}: put its policies into stats.yaml, and confirm: true where rows may go")


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationMistake(f"--now {text}: not a time; write it as 2026-05-20T12:00:00+00:00") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
