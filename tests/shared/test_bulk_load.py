from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from stats_assets.shared.bulk_load import binary_rows, copy_binary, copy_text, timestamptz
from stats_assets.shared.postgres import StatsDatabase


def test_binary_rows_arrive_as_the_values_they_were(database: StatsDatabase):
    seconds = np.array([0, 1_709_546_400, -1, 4_102_444_800])
    columns = {
        "at": timestamptz(seconds),
        "big": np.array([2**63 - 1, -(2**63), 0, 7], dtype=np.int64),
        "small": np.array([1, -1, 32767, -32768], dtype=np.int16),
        "middle": np.array([2**31 - 1, -(2**31), 0, 1], dtype=np.int32),
    }
    with database.transaction() as cursor:
        cursor.execute("CREATE TEMP TABLE t (at timestamptz, big bigint, small smallint, middle integer)")
        copy_binary(cursor, ("pg_temp", "t"), list(columns), [binary_rows(columns)] * 2)
        cursor.execute("SELECT at, big, small, middle FROM t LIMIT 4")
        rows = cursor.fetchall()
        cursor.execute("SELECT count(*) FROM t")
        assert cursor.fetchone() == (8,)
    assert [row[0] for row in rows] == [datetime.fromtimestamp(int(second), UTC) for second in seconds]
    for place, name in enumerate(("big", "small", "middle"), start=1):
        assert [row[place] for row in rows] == columns[name].tolist()


def test_copying_no_block_copies_nothing(database: StatsDatabase):
    with database.transaction() as cursor:
        cursor.execute("CREATE TEMP TABLE t (big bigint)")
        copy_binary(cursor, ("pg_temp", "t"), ["big"], [])
        cursor.execute("SELECT count(*) FROM t")
        assert cursor.fetchone() == (0,)


def test_texts_keep_quotes_commas_line_ends_backslashes_and_emptiness(database: StatsDatabase):
    texts = ['a"b', "a,b", "a\nb", "a\r\nb", "\\.", "\\N", "", " ", "é€𝄞"]
    with database.transaction() as cursor:
        cursor.execute("CREATE TEMP TABLE t (place integer, value text)")
        copy_text(cursor, ("pg_temp", "t"), ("place", "value"), [*enumerate(texts), (99, None)])
        cursor.execute("SELECT value FROM t ORDER BY place")
        assert [value for (value,) in cursor.fetchall()] == [*texts, None]
