"""The room's published tables as CSV files with natural keys, sorted: `./stats export forum DIR`.

    boards.csv, threads.csv, posts.csv, users.csv, post_quotes.csv, post_links.csv
Times are `YYYY-MM-DD HH:MM:SS` UTC, booleans t and f; lines end in LF, fields are quoted only where they must be.
Threads and posts that are gone are there with their state; quotes are of posts we have.
"""

from __future__ import annotations

from pathlib import Path

from stats_assets.shared.postgres import StatsDatabase, plan_for_bulk

# Sessions speak UTC.
_SELECTS = {
    "boards": "SELECT bid, cid, name, description FROM forum.boards ORDER BY bid",
    "threads": """
        SELECT tid, bid, title, subtitle, is_closed, is_sticky, is_important, is_announcement, is_global,
               first_pid, last_pid, coalesce(n_posts, 0) AS n_posts, state FROM forum.threads ORDER BY tid""",
    "posts": """
        SELECT pid, tid, poster_uid, to_char(posted_at, 'YYYY-MM-DD HH24:MI:SS') AS timestamp, edit_count,
               to_char(last_edit_at, 'YYYY-MM-DD HH24:MI:SS') AS last_edit_timestamp, is_hidden, content_length,
               md5(content) AS content_md5, n_revisions, state
        FROM forum.posts JOIN forum.post_contents USING (pid) ORDER BY pid""",
    "users": "SELECT uid, gid FROM forum.users ORDER BY uid",
    "post_quotes": "SELECT pid, quoted_pid, count FROM forum.quotes ORDER BY pid, quoted_pid",
    "post_links": "SELECT pid, url, type, domain, count FROM forum.post_links ORDER BY pid, url, type",
}


def export(database: StatsDatabase, folder: Path) -> list[Path]:
    """Writes the files into `folder` (made if absent), each in place of an older one; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with database.transaction() as cursor:
        plan_for_bulk(cursor)
        for name, select in _SELECTS.items():
            part = folder / f"{name}.csv.part"
            with part.open("wb") as file:
                cursor.copy_expert(f"COPY ({select}) TO STDOUT (FORMAT csv, HEADER)", file)
            written.append(part.replace(folder / f"{name}.csv"))
    return written
