"""What becomes of odd documents, lines, files and feeds; that loading is whole and can be repeated."""

from __future__ import annotations

import gzip
import json
import random
from datetime import timedelta

import pytest
import zstandard

from stats_assets.crashes import copy_rows
from stats_assets.crashes.feeds import FeedAway
from stats_assets.crashes.load import DayLoader
from stats_assets.crashes.store import read_maps
from stats_assets.shared.postgres import StatsDatabase
from tests.crashes.world import RELEASE, TUESDAY, World, noon, report

WEDNESDAY = TUESDAY + timedelta(days=1)


def quarantined(world: World) -> list[tuple]:
    return world.rows("SELECT place, reason FROM crashes.quarantine ORDER BY input, place")


def line(**changed: object) -> bytes:
    return json.dumps(report(99, noon(TUESDAY)) | changed).encode() + b"\n"


def test_odd_documents_are_quarantined_with_their_reason_and_the_day_goes_on(world: World):
    good = report(1, noon(TUESDAY))
    other_day = report(7, noon(WEDNESDAY))
    more = b"".join(
        [
            b'{"uuid": "cut off\n',
            line(uptime="long"),
            line(signature="a\0b"),
            line(hang_type=7),
            line(json_dump={"stack": "x" * 5000}),
            line(uuid="none"),
            json.dumps(other_day).encode() + b"\n",
            line(process_type="; DROP TABLE"),
            json.dumps(good).encode() + b"\n",  # the same id again
            line(date_processed=None),
            b"[" * 5000 + b"\n",
            b'{"uuid": "\xff"}\n',
            line(signature="mend me").replace(b"mend me", b"\\ud800"),
        ]
    )
    world.settings = {"max_document_bytes": 6000}
    world.deliver_reports(TUESDAY, [good], more.replace(b"x" * 5000, b"x" * 7000))
    loaded = world.loader().load_reports(TUESDAY)
    reasons = dict(quarantined(world))
    assert (loaded.read, loaded.rows, loaded.quarantined) == (14, 1, 13)
    kinds = {place: reason.partition(":")[0] for place, reason in reasons.items()}
    assert kinds == {
        2: "not JSON",
        3: "wrong type",
        4: "signature holds a NUL",
        5: "wrong type",
        6: "longer than 6000 bytes",
        7: "uuid is none",
        8: "date_processed is of another day",
        9: "process_type is no such name",
        10: "uuid was there before",
        11: "date_processed is missing",
        12: "wrong type",
        13: "not JSON",
        14: "not JSON",
    }


def test_samples_hold_nothing_a_person_could_be_found_by(world: World):
    bad = (
        b'{"uuid": "x", "email": "ann", "reason": "asked ann@example.org at https://example.org/ann?id=7",'
        b' "addons": [["ann", "1"]]}\n{"uuid": "x", "user_comments": "I am \\"ann\\", of age'
    )
    world.deliver_reports(TUESDAY, [report(1, noon(TUESDAY))], bad)
    world.loader().load_reports(TUESDAY)
    samples = [sample for (sample,) in world.rows("SELECT sample FROM crashes.quarantine ORDER BY place")]
    assert samples == [
        '{"uuid": "x", "email": "REMOVED", "reason": "asked EMAILREMOVED at URLREMOVED", "addons": "REMOVED"',
        '{"uuid": "x", "user_comments": "REMOVED"',
    ]


def test_samples_are_bounded_and_counts_are_not(world: World):
    world.settings = {"max_samples": 3}
    world.deliver_reports(TUESDAY, [report(1, noon(TUESDAY))], b"{\n" * 50)
    loaded = world.loader().load_reports(TUESDAY)
    assert loaded.quarantined == 50
    assert len(quarantined(world)) == 3


def test_texts_keep_quotes_line_ends_and_control_characters(world: World):
    odd = 'a "quoted"\tsignature\nover \x01two\x02 lines \\N \\.'
    world.deliver_reports(TUESDAY, [report(1, noon(TUESDAY), signature=odd), report(2, noon(TUESDAY), signature=None)])
    world.loader().load_reports(TUESDAY)
    assert world.rows("SELECT signature FROM crashes.reports ORDER BY uuid") == [(odd,), ("",)]


def test_private_fields_are_dropped_unless_they_are_configured_to_stay(world: World):
    told = {"email": "ann@example.org", "url": "http://example.org/x", "user_comments": "help", "app_notes": "n"}
    world.deliver_reports(TUESDAY, [report(1, noon(TUESDAY), **told)])
    kept = "SELECT email, url, user_comments, app_notes, domain FROM crashes.reports_private"
    world.loader().load_reports(TUESDAY)
    assert world.rows(kept) == [(None, None, None, None, "http://example.org")]
    assert world.rows("SELECT has_email, has_url, has_comments, has_app_notes FROM crashes.reports") == [(True,) * 4]
    world.settings = {"private_fields": "restricted"}
    world.loader().load_reports(TUESDAY)
    assert world.rows(kept) == [(*told.values(), "http://example.org")]


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_a_file_may_be_compressed(world: World, suffix: str):
    content = json.dumps(report(1, noon(TUESDAY))).encode()
    packed = {
        "jsonl": content,
        "jsonl.gz": gzip.compress(content),
        "jsonl.zst": zstandard.ZstdCompressor().compress(content),
    }
    world.write(f"feed/{TUESDAY}.{suffix}", packed[suffix])
    world.settings = {"reports_feed": f"file://{world.folder}/feed/%Y-%m-%d.{suffix}"}
    assert world.loader().load_reports(TUESDAY).rows == 1


def test_a_dated_folder_may_hold_a_file_per_document(world: World):
    world.write(f"folder/{TUESDAY:%Y/%m/%d}/a.json", json.dumps(report(1, noon(TUESDAY))))
    world.write(f"folder/{TUESDAY:%Y/%m/%d}/b.json.gz", gzip.compress(json.dumps(report(2, noon(TUESDAY))).encode()))
    world.write(f"folder/{TUESDAY:%Y/%m/%d}/deep/c.json", json.dumps(report(3, noon(TUESDAY)), indent=2))
    world.write(f"folder/{TUESDAY:%Y/%m/%d}/d.json.part", "{")
    world.settings = {"reports_feed": f"file://{world.folder}/folder/%Y/%m/%d/"}
    loaded = world.loader().load_reports(TUESDAY)
    assert (loaded.rows, loaded.quarantined, len(loaded.files)) == (3, 0, 3)


@pytest.mark.parametrize("name", ["reports", "raw_crashes"])
def test_a_cut_file_changes_nothing(world: World, name: str):
    documents = [report(n, noon(TUESDAY)) for n in range(200)]
    packed = gzip.compress("\n".join(map(json.dumps, documents)).encode())
    feed = {"reports": "reports_feed", "raw_crashes": "raw_feed"}[name]
    world.settings = {feed: f"file://{world.folder}/feed/%Y-%m-%d.jsonl.gz"}
    path = world.write(f"feed/{TUESDAY}.jsonl.gz", packed)
    load = {"reports": world.loader().load_reports, "raw_crashes": world.loader().load_raw_crashes}[name]
    assert load(TUESDAY).rows == 200
    before = world.everything()
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(FeedAway, match="cannot be read to its end"):
        load(TUESDAY)
    assert world.everything() == before


@pytest.mark.parametrize("step", ["load_reports", "load_raw_crashes", "load_installs"])
def test_a_feed_that_is_missing_or_empty_is_a_failure_that_names_it(world: World, step: str):
    folder = {"load_reports": "reports", "load_raw_crashes": "raw", "load_installs": "adi"}[step]
    with pytest.raises(FeedAway, match=rf"{folder}/{TUESDAY}.*there is no such file"):
        getattr(world.loader(), step)(TUESDAY)
    suffix = "csv" if folder == "adi" else "jsonl"
    world.write(f"{folder}/{TUESDAY}.{suffix}", "")
    with pytest.raises(FeedAway, match=f"{folder}/{TUESDAY}"):
        getattr(world.loader(), step)(TUESDAY)
    assert world.rows("SELECT * FROM crashes.input_days") == []


def test_a_feed_that_breaks_off_is_asked_again(world: World):
    world.settings = {"attempts": 3, "attempt_seconds": 1}
    waited: list[float] = []

    def mend(seconds: float) -> None:
        waited.append(seconds)
        world.deliver(TUESDAY)

    world.deliver(TUESDAY)
    world.write(f"raw/{TUESDAY}.jsonl", "")
    loader = DayLoader(world.database, world.config, read_maps(world.config), sleep=mend)
    assert loader.load_raw_crashes(TUESDAY).rows == 1
    assert waited == [1]


def test_texts_as_long_as_they_may_be_are_counted(world: World):
    # Letters of three bytes that do not compress: what makes the longest keys.
    letters = random.Random(8)

    def wild(length: int) -> str:
        return "".join(chr(letters.randrange(0x4E00, 0x9FFF)) for _ in range(length))

    names = ("Android_CPU_ABI", "Android_Manufacturer", "Android_Model", "Android_Version", "AdapterVendorID")
    crash = report(1, noon(TUESDAY), signature=wild(300), cpu_name=wild(300), flash_version=wild(300))
    world.deliver(TUESDAY)
    world.deliver_reports(TUESDAY, [crash])
    world.deliver_raw(TUESDAY, {crash["uuid"]: {name: wild(300) for name in names}})
    row = f"{TUESDAY},Owl,Windows,1.0,10.0,{RELEASE},release,{{owl@example.org}},5"
    world.write(f"adi/{TUESDAY}.csv", f"{row}\n{row.replace('1.0', wild(600))}\n{row.replace('1.0', wild(700))}\n")
    world.load(TUESDAY)
    world.count(TUESDAY)
    assert world.rows("SELECT crashes, installs FROM crashes.daily_crash_rates WHERE channel = 'release'") == [(1, 10)]
    assert world.rows("SELECT count(*) FROM crashes.signature_summary WHERE attribute = 'device'") == [(1,)]


def test_odd_lines_of_the_installs_are_quarantined(world: World):
    row = f"{TUESDAY},Owl,Windows,1.0,10.0,{RELEASE},release,{{owl@example.org}}"
    lines = [
        f"{row},7".replace(",", "\t"),  # tabs are as good as commas
        f"{row},5".replace("Windows", "Win%64ows"),  # percent-encoded
        f"{row},many",
        f"{row},",
        f"{row},1,2",
        f"{WEDNESDAY},{row.partition(',')[2]},3",
        f"{row},-4",
        f"{row},9".replace("owl@", "elk@"),  # of no product: left out, and told
        f"{row},\r3",  # a line end in the middle
        f"{'w' * 200_000},{row}",
    ]
    world.write(f"adi/{TUESDAY}.csv", "\n".join(lines))
    loaded = world.loader().load_installs(TUESDAY)
    assert (loaded.read, loaded.quarantined, loaded.unknown_product) == (10, 7, 1)
    assert world.rows("SELECT sum(installs) FROM crashes.active_daily_installs") == [(12,)]


def test_loading_again_exchanges_the_day(world: World):
    world.deliver(TUESDAY)
    world.load(TUESDAY)
    world.count(TUESDAY)
    before = world.everything()
    world.load(TUESDAY)
    world.count(TUESDAY)
    assert world.everything() == before
    world.deliver_reports(TUESDAY, [report(5, noon(TUESDAY))])
    world.load(TUESDAY)
    assert world.rows("SELECT left(uuid::text, 8) FROM crashes.reports") == [("00000005",)]


def test_a_load_that_dies_in_the_middle_leaves_the_day_as_it_was(world: World, monkeypatch: pytest.MonkeyPatch):
    world.deliver(TUESDAY)
    world.load(TUESDAY)
    before = world.everything()
    world.deliver_reports(TUESDAY, [report(n, noon(TUESDAY)) for n in range(50)])
    monkeypatch.setattr(copy_rows, "_ROWS_PER_COPY", 10)
    loader = world.loader()
    seen = 0

    def dies(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen > 25:
            raise KeyboardInterrupt

    read = loader._reader.read
    monkeypatch.setattr(loader._reader, "read", lambda content: (dies(), read(content))[1])
    with pytest.raises(KeyboardInterrupt):
        loader.load_reports(TUESDAY)
    assert world.everything() == before


def test_a_database_that_is_away_is_told(world: World):
    from stats_assets.shared.failures import SourceAway

    world.deliver(TUESDAY)
    world.database = StatsDatabase(dsn="postgresql://127.0.0.1:1/none?connect_timeout=1")
    with pytest.raises(SourceAway, match="PostgreSQL does not answer"):
        world.loader().load_reports(TUESDAY)
