"""A plan carried out with a launcher that only pretends, and on a small code location with real runs in process."""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as an object, not as a text.

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

import dagster as dg
import pytest

from stats_assets.local.asset_catalog import selected
from stats_assets.local.launchers import InProcess, partition_tags
from stats_assets.local.materialize import Request, Work, as_planned, failure_lines, unplanned
from stats_assets.local.run_plan import ONLY, Asset, Days, Outcome, Partition, Run
from stats_assets.local.verdicts import Verdict, final_attempt
from stats_assets.shared.failures import ConfigurationMistake

FIRST, LAST = date(2026, 11, 2), date(2026, 11, 8)  # a whole week
WEEK = Days(FIRST, LAST)


class Silent:
    def begins(self, runs: Sequence[Run]) -> None: ...

    def ended(self, run: Run, verdict: Verdict) -> None: ...


class Pretending:
    """Everything goes well but the partitions in `bad`."""

    def __init__(self, bad: dict[str, set[str]]) -> None:
        self.bad = bad
        self.executed: list[Run] = []

    def execute(self, runs: Sequence[Run]) -> Iterator[tuple[Run, Verdict]]:
        for run in runs:
            self.executed.append(run)
            bad = set().union(*(self.bad.get(asset, set()) for asset in run.assets)) & set(run.partitions)
            yield run, Verdict(frozenset(run.partitions) - bad, "it broke" if bad else None)


def chain() -> list[Asset]:
    dates = [FIRST + timedelta(days=n) for n in range(7)]
    partitions = tuple(Partition(f"{each}", each, each) for each in dates)
    return [
        Asset("files", frozenset(), "day", partitions),
        Asset("hits", frozenset({"files"}), "day", partitions),
        Asset("totals", frozenset({"hits"}), "week", (Partition(f"{FIRST}", FIRST, LAST),)),
        Asset("csv", frozenset({"totals"})),
    ]


def carry_out(launcher: Pretending, request: Request) -> Outcome:
    return Work(chain(), request, launcher, Silent()).carry_out()


def spans(runs: Sequence[Run]) -> list[tuple[str, str | None, str | None]]:
    return [(run.name, run.first, run.last) for run in runs]


def test_a_week_of_days_is_one_run_per_asset():
    launcher = Pretending({})
    carry_out(launcher, Request(days=WEEK))
    assert spans(launcher.executed) == [
        ("files", "2026-11-02", "2026-11-08"),
        ("hits", "2026-11-02", "2026-11-08"),
        ("totals", "2026-11-02", "2026-11-02"),
        ("csv", None, None),
    ]


def test_partitions_that_a_run_has_added_are_made_by_the_runs_after_it():
    launcher = Pretending({})
    boards = Asset("boards")
    posts = Asset("posts", frozenset({"boards"}), "boards")

    def reread(asset: Asset) -> Asset:
        has_run = [run.name for run in launcher.executed] == ["boards"]
        return replace(asset, partitions=(Partition("14"), Partition("25"))) if asset == posts and has_run else asset

    Work([posts, boards], Request(), launcher, Silent(), reread=reread).carry_out()
    assert spans(launcher.executed) == [("boards", None, None), ("posts", "14", "25")]


def test_a_failed_day_splits_the_runs_downstream_and_stops_nothing_else():
    launcher = Pretending({"files": {"2026-11-04"}})
    outcome = carry_out(launcher, Request(days=WEEK))
    assert spans(launcher.executed)[1:] == [
        ("hits", "2026-11-02", "2026-11-03"),
        ("hits", "2026-11-05", "2026-11-08"),
        ("totals", "2026-11-02", "2026-11-02"),
        ("csv", None, None),
    ]
    assert failure_lines(outcome) == [
        "files 2026-11-04: it broke",
        "hits 2026-11-04: not run: upstream failed",
    ]


def test_only_what_is_missing_and_what_follows_from_it_is_made():
    launcher = Pretending({})
    every_day = {f"{FIRST + timedelta(days=n)}" for n in range(7)}
    present = {"files": every_day, "hits": every_day - {"2026-11-05"}, "totals": {"2026-11-02"}, "csv": {ONLY}}
    carry_out(launcher, Request(days=WEEK, present=present))
    assert spans(launcher.executed) == [
        ("hits", "2026-11-05", "2026-11-05"),
        ("totals", "2026-11-02", "2026-11-02"),
        ("csv", None, None),
    ]


def test_nothing_is_made_when_nothing_is_missing():
    launcher = Pretending({})
    every_day = {f"{FIRST + timedelta(days=n)}" for n in range(7)}
    present = {"files": every_day, "hits": every_day, "totals": {"2026-11-02"}, "csv": {ONLY}}
    carry_out(launcher, Request(days=WEEK, present=present))
    assert launcher.executed == []


def test_assets_of_one_step_are_made_together_with_what_any_of_them_needs():
    launcher = Pretending({})
    files, hits, *_ = chain()
    together = [replace(files, step="both"), replace(hits, step="both")]
    present = {"files": {"2026-11-02", "2026-11-03"}, "hits": {"2026-11-02"}}
    Work(together, Request(days=WEEK, present=present), launcher, Silent()).carry_out()
    assert spans(launcher.executed) == [("files and 1 more", "2026-11-03", "2026-11-08")]


def test_a_day_that_fails_fails_for_every_asset_of_its_step():
    files, hits, *_ = chain()
    together = [replace(files, step="both"), replace(hits, step="both")]
    outcome = Work(together, Request(days=WEEK), Pretending({"hits": {"2026-11-04"}}), Silent()).carry_out()
    assert failure_lines(outcome) == ["files 2026-11-04: it broke", "hits 2026-11-04: it broke"]


def test_a_reason_that_many_partitions_share_is_told_once():
    keys = [f"{date(2026, 1, 1) + timedelta(days=n)}" for n in range(300)]
    outcome = Outcome(failed={"files": dict.fromkeys(keys, "killed") | {"2026-02-01": "no such file"}})
    assert failure_lines(outcome) == [
        "files 299 partitions from 2026-01-01 to 2026-10-27: killed",
        "files 2026-02-01: no such file",
    ]


def test_a_failure_that_was_planned_is_no_surprise():
    outcome = carry_out(Pretending({"files": {"2026-11-04"}}), Request(days=WEEK))
    assert unplanned(outcome, {"files": {"2026-11-04"}}) == []
    assert unplanned(outcome, {"files": {"2026-11-05"}}) == ["files 2026-11-04: it broke"]
    assert as_planned(outcome, {"files": {"2026-11-04"}}) == ["files 2026-11-04: it broke"]


def test_a_run_that_fails_with_every_partition_made_counts_as_failed():
    class Blocked(Pretending):
        def execute(self, runs: Sequence[Run]) -> Iterator[tuple[Run, Verdict]]:
            for run in runs:
                yield run, Verdict(frozenset(run.partitions), "a check failed")

    outcome = carry_out(Blocked({}), Request(partition="2026-11-04"))
    assert "files 2026-11-04: a check failed" in failure_lines(outcome)


def test_a_blocking_check_fails_the_days_it_names_and_no_other():
    class Blocked(Pretending):
        def execute(self, runs: Sequence[Run]) -> Iterator[tuple[Run, Verdict]]:
            for run in runs:
                reason = "check lines: 1 file is odd: 2026-11-04: a has no hit; look" if run.name == "files" else None
                yield run, Verdict(frozenset(run.partitions), reason)

    outcome = carry_out(Blocked({}), Request(days=WEEK))
    assert outcome.failed == {"files": {"2026-11-04": "a has no hit"}}


def test_the_reason_of_one_day_is_taken_out_of_the_message_for_all():
    verdict = Verdict(frozenset(), "files: 2 of 9 days incomplete: 2026-11-04: a is away; 2026-11-05: b is away; rerun")
    assert verdict.reason_for("2026-11-04") == "a is away"
    assert verdict.reason_for("2026-11-05") == "b is away"


def test_a_message_that_names_no_day_is_the_reason_of_each():
    assert Verdict(frozenset(), "disk full").reason_for("2026-11-04") == "disk full"


def test_a_single_partition_and_a_range_are_tagged_as_dagster_knows_them():
    assert partition_tags(Run(("a",), "x", "x", ("x",))) == {"dagster/partition": "x"}
    assert partition_tags(Run(("a",), "x", "z", ("x", "y", "z"))) == {
        "dagster/asset_partition_range_start": "x",
        "dagster/asset_partition_range_end": "z",
    }
    assert partition_tags(Run(("a",), partitions=(ONLY,))) == {}


DAILY = dg.DailyPartitionsDefinition(start_date="2026-11-02", end_date="2026-11-09", timezone="UTC")


@dg.asset(partitions_def=DAILY, backfill_policy=dg.BackfillPolicy.single_run(), key_prefix="room")
def raw(context: dg.AssetExecutionContext) -> None:
    good = [key for key in context.partition_keys if key != "2026-11-04"]
    if good == list(context.partition_keys):
        return
    for key in good:
        context.log_event(dg.AssetMaterialization(context.asset_key, partition=key))
    raise dg.Failure("room/raw: 1 day incomplete: 2026-11-04: host a is away; rerun it later", allow_retries=False)


@dg.asset(deps=[raw], partitions_def=DAILY, backfill_policy=dg.BackfillPolicy.single_run(), key_prefix="room")
def clean(context: dg.AssetExecutionContext) -> None:
    context.log.debug("fine")


@dg.asset(deps=[clean], key_prefix="room")
def report() -> None:
    raise ValueError("no paper in the printer")


@dg.asset(deps=[clean], key_prefix="room")
def leaflet() -> None: ...


@dg.asset(
    partitions_def=DAILY,
    backfill_policy=dg.BackfillPolicy.single_run(),
    key_prefix="room",
    group_name="checked",
    check_specs=[dg.AssetCheckSpec("lines", asset=["room", "hits"], blocking=True)],
)
def hits() -> dg.MaterializeResult:
    told = "1 file is odd: 2026-11-03: a has no hit; look"
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=False, description=told)])


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return dg.Definitions(assets=[raw, clean, report, leaflet, hits], executor=dg.in_process_executor)


@pytest.fixture(scope="module")
def in_process(definitions: dg.Definitions) -> Iterator[tuple[dg.DagsterInstance, Outcome]]:
    with dg.DagsterInstance.ephemeral() as instance:
        launcher = InProcess(definitions.resolve_implicit_global_asset_job_def(), instance)
        assets = selected(definitions, "group:default", instance)
        yield instance, Work(assets, Request(days=WEEK), launcher, Silent()).carry_out()


def test_real_runs_tell_which_days_are_done_and_why_one_is_not(in_process):
    _, outcome = in_process
    assert outcome.failed["room/raw"] == {"2026-11-04": "host a is away"}
    assert len(outcome.done["room/raw"]) == 6


def test_the_instance_knows_the_same_partitions_as_materialized(in_process):
    instance, outcome = in_process
    assert instance.get_materialized_partitions(dg.AssetKey(["room", "clean"])) == outcome.done["room/clean"]
    assert "2026-11-04" not in outcome.done["room/clean"]


def test_an_exception_in_an_asset_is_told_by_its_own_message(in_process):
    _, outcome = in_process
    assert outcome.failed["room/report"] == {ONLY: "ValueError: no paper in the printer"}


def test_what_is_not_partitioned_shares_a_run_and_fails_alone(in_process):
    instance, outcome = in_process
    assert outcome.done["room/leaflet"] == {ONLY} and "room/leaflet" not in outcome.failed
    shared = [run for run in instance.get_runs() if len(run.asset_selection or ()) == 2]
    assert [sorted(key.path[-1] for key in run.asset_selection) for run in shared] == [["leaflet", "report"]]


def test_an_asset_can_be_selected_by_its_plain_name(definitions):
    with dg.DagsterInstance.ephemeral() as instance:
        assert [asset.key for asset in selected(definitions, "room/clean", instance)] == ["room/clean"]


def test_a_selection_in_dagsters_syntax_is_understood(definitions):
    with dg.DagsterInstance.ephemeral() as instance:
        keys = [asset.key for asset in selected(definitions, 'key:"room/raw" or key:"room/report"', instance)]
    assert keys == ["room/raw", "room/report"]


@pytest.mark.parametrize("selection", ["room/nothing", "group:nothing", "((("])
def test_a_selection_of_nothing_names_what_there_is(definitions, selection):
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(
            ConfigurationMistake, match=r"there are: room/clean, room/hits, room/leaflet, room/raw"
        ) as caught,
    ):
        selected(definitions, selection, instance)
    assert "\n" not in str(caught.value)


def test_partitions_cover_the_days_of_their_window(definitions):
    with dg.DagsterInstance.ephemeral() as instance:
        partitions = selected(definitions, "room/raw", instance)[0].partitions
    assert partitions[0] == Partition("2026-11-02", FIRST, FIRST)
    assert len(partitions) == 7


@pytest.fixture
def failed_and_good_run() -> Iterator[tuple[dg.DagsterInstance, str, str, float]]:
    """An instance with a failed run, a good one, and the time when the failed one ended."""

    @dg.op
    def break_or_not(context: dg.OpExecutionContext) -> None:
        if context.run.tags.get("breaks"):
            raise ValueError("broken")

    @dg.job(executor_def=dg.in_process_executor)
    def some_job() -> None:
        break_or_not()

    with dg.DagsterInstance.ephemeral() as instance:
        failed = some_job.execute_in_process(instance=instance, raise_on_error=False, tags={"breaks": "yes"}).run_id
        good = some_job.execute_in_process(instance=instance).run_id
        record = instance.get_run_record_by_id(failed)
        assert record is not None and record.end_time is not None
        yield instance, failed, good, record.end_time


def test_a_failed_run_has_not_ended_before_dagster_decided_on_another_attempt(failed_and_good_run):
    instance, failed, _, ended_at = failed_and_good_run
    assert final_attempt(instance, failed, ended_at + 1) is None
    instance.add_run_tags(failed, {"dagster/will_retry": "false"})
    assert final_attempt(instance, failed, ended_at + 1) == failed


def test_a_failed_run_nobody_decides_about_has_ended_after_a_while(failed_and_good_run):
    instance, failed, _, ended_at = failed_and_good_run
    assert final_attempt(instance, failed, ended_at + 11) == failed


def test_a_run_that_is_tried_again_ends_as_its_second_attempt(failed_and_good_run):
    instance, failed, good, ended_at = failed_and_good_run
    instance.add_run_tags(failed, {"dagster/will_retry": "true"})
    assert final_attempt(instance, failed, ended_at + 11) is None
    instance.add_run_tags(failed, {"dagster/auto_retry_run_id": good})
    assert final_attempt(instance, failed, ended_at + 11) == good


def test_a_run_whose_second_attempt_never_comes_has_ended(failed_and_good_run):
    """Dagster cannot make it while the code server is away."""
    instance, failed, _, ended_at = failed_and_good_run
    instance.add_run_tags(failed, {"dagster/will_retry": "true"})
    assert final_attempt(instance, failed, ended_at + 61) == failed


def test_a_blocking_check_is_told_in_its_own_words(definitions: dg.Definitions):
    with dg.DagsterInstance.ephemeral() as instance:
        launcher = InProcess(definitions.resolve_implicit_global_asset_job_def(), instance)
        assets = selected(definitions, "group:checked", instance)
        outcome = Work(assets, Request(days=WEEK), launcher, Silent()).carry_out()
    assert outcome.failed == {"room/hits": {"2026-11-03": "a has no hit"}}
