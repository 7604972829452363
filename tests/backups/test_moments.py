from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stats_assets.backups.moments import (
    Commit,
    Moment,
    Snapshot,
    commits_in,
    lsn_from,
    lsn_text,
    place_of,
    snapshot_from,
)

SNAPSHOT = snapshot_from("750:760:750,757")


def test_a_snapshot_sees_what_had_ended_when_it_was_taken():
    assert [xid for xid in range(748, 763) if SNAPSHOT.sees(xid)] == [748, 749, 751, 752, 753, 754, 755, 756, 758, 759]


def test_transaction_numbers_of_the_wal_are_told_apart_across_a_wraparound():
    snapshot = Snapshot((3 << 32) + 5, frozenset({(3 << 32) - 2}))
    assert snapshot.sees((1 << 32) - 1)  # 3 before
    assert not snapshot.sees((1 << 32) - 2)
    assert snapshot.sees(4)
    assert not snapshot.sees(5)


def test_with_nobody_at_work_a_recovery_stops_where_the_snapshot_was_taken():
    assert place_of(Moment(SNAPSHOT, 900), [Commit(749, 500)], consistent_from=600) == 900


def test_a_commit_the_snapshot_did_not_see_yet_is_left_out_by_stopping_before_it():
    commits = [Commit(756, 700), Commit(757, 800)]  # 757: in the WAL, but not flushed when the snapshot was taken
    assert place_of(Moment(SNAPSHOT, 900), commits, consistent_from=600) == 800


def test_commits_behind_the_snapshot_do_not_matter():
    assert place_of(Moment(SNAPSHOT, 900), [Commit(757, 950), Commit(765, 960)], consistent_from=600) == 900


def test_where_commits_left_in_another_order_no_place_fits():
    assert place_of(Moment(SNAPSHOT, 900), [Commit(757, 700), Commit(758, 800)], consistent_from=600) is None


def test_there_is_no_stopping_inside_the_base_backup():
    assert place_of(Moment(SNAPSHOT, 900), [Commit(757, 500)], consistent_from=600) is None


def test_commit_records_are_read_from_what_pg_waldump_writes():
    lines = [
        "rmgr: Transaction len (rec/tot): 34/ 34, tx:        753, lsn: 0/0152A7F8, prev 0/0152A7B8, desc: COMMIT 2026",
        "rmgr: Transaction len (rec/tot): 66/ 66, tx: 0, lsn: 1/0000ABCD, prev 0/0, desc: COMMIT_PREPARED 754: 2026",
        "rmgr: Transaction len (rec/tot): 34/ 34, tx:        755, lsn: 0/0152A900, prev 0/0, desc: ABORT 2026",
        "rmgr: Heap        len (rec/tot): 54/ 54, tx:        756, lsn: 0/0152A7F8, prev 0/0, desc: INSERT COMMIT",
    ]
    assert list(commits_in(lines)) == [Commit(753, 0x152A7F8), Commit(754, (1 << 32) + 0xABCD)]


def test_places_are_written_as_postgresql_writes_them():
    assert lsn_text(lsn_from("16/B374D848")) == "16/B374D848"


@given(st.permutations(range(100, 112)), st.sets(st.integers(100, 111)), st.integers(0, 12))
def test_a_place_has_exactly_what_the_snapshot_sees(order, running, taken):
    """Whatever order transactions commit in and leave in, a place that is given splits them as the snapshot does."""
    commits = [Commit(xid, 10 * (n + 1)) for n, xid in enumerate(order)]
    ended = {commit.xid for commit in commits[:taken]} - running
    snapshot = Snapshot(max(ended, default=99) + 1, frozenset(set(range(100, 112)) - ended))
    place = place_of(Moment(snapshot, 10 * taken + 5), commits, consistent_from=0)
    if place is not None:
        assert {commit.xid for commit in commits if commit.lsn < place} == {
            x for x in range(100, 112) if snapshot.sees(x)
        }
    elif taken:
        assert running & {commit.xid for commit in commits[:taken]}  # only those can be in the way
