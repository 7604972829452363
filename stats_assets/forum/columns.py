"""What the columns of the room's tables mean, as the Dagster UI shows it. The tables are made in the migrations."""

from __future__ import annotations

import dagster as dg

_SEEN = {
    "state": ("text", "live, or gone: a tombstone"),
    "first_seen_at": ("timestamptz", "when it was first stored"),
    "last_seen_at": ("timestamptz", "when it was last stored; when gone, when the forum last showed it"),
}
_DAY = {"day": ("date", "UTC day of the posts"), "bid": ("integer", "board of the thread, where it is now")}
_COUNTED = {
    "posts": ("integer", "live posts"),
    "edits": ("integer", "sum of their edit counters"),
    "content_length": ("bigint", "sum of their characters"),
    "threads_created": ("integer", "threads whose first post is among them"),
}
_TABLES: dict[str, dict[str, tuple[str, str]]] = {
    "boards": {
        "bid": ("integer", "board id"),
        "cid": ("integer", "category id"),
        "name": ("text", "its name"),
        "description": ("text", "its description"),
        "est_threads": ("integer", "number of threads, as the forum says"),
        "est_replies": ("integer", "number of replies, as the forum says"),
    }
    | _SEEN,
    "threads": {
        "tid": ("integer", "thread id"),
        "bid": ("integer", "its board"),
        "title": ("text", "title"),
        "subtitle": ("text", "subtitle"),
        "is_closed": ("boolean", "no new posts"),
        "is_sticky": ("boolean", "listed first"),
        "is_important": ("boolean", "marked as important"),
        "is_announcement": ("boolean", "marked as an announcement"),
        "is_global": ("boolean", "listed in every board"),
        "hit_count": ("integer", "views, as the forum says"),
        "est_replies": ("integer", "replies, as the forum says; counts removed ones"),
        "first_pid": ("integer", "first post, as last read"),
        "last_pid": ("integer", "last post, as last read"),
        "n_posts": ("integer", "posts, as last read; null: not yet read to its end"),
        "tags": ("text[]", "tags, when they are read"),
    }
    | _SEEN,
    "posts": {
        "pid": ("integer", "post id"),
        "tid": ("integer", "its thread"),
        "poster_uid": ("integer", "who wrote it"),
        "posted_at": ("timestamptz", "when, UTC"),
        "edit_count": ("integer", "edits the forum counts"),
        "last_edit_uid": ("integer", "who edited last"),
        "last_edit_at": ("timestamptz", "when, UTC"),
        "is_hidden": ("boolean", "its text is not shown"),
        "content_length": ("integer", "characters of its text, in post_contents"),
        "icon_id": ("integer", "icon"),
        "n_revisions": ("integer", "earlier versions in post_revisions"),
    }
    | _SEEN,
    "work": {
        "kind": ("text", "boards, listing, audit, thread, refresh, tags"),
        "key": ("integer", "board or thread id"),
        "next_page": ("integer", "cursor: the page to read next"),
        "attempts": ("integer", "failures since it last went well"),
        "next_try_at": ("timestamptz", "when it is due"),
        "last_error": ("text", "why it failed last"),
        "parked_at": ("timestamptz", "when it was given up"),
        "lease_until": ("timestamptz", "until when a crawler has it"),
        "fence": ("bigint", "number of leases so far"),
    },
    "post_quotes": {
        "day": ("date", "UTC day of the quoting post"),
        "pid": ("integer", "quoting post"),
        "quoted_pid": ("integer", "quoted post; may be one we do not have"),
        "count": ("integer", "how often"),
        "is_known": ("boolean", "we had the quoted post when the day was counted"),
    },
    "post_links": {
        "day": ("date", "UTC day of the post"),
        "pid": ("integer", "post"),
        "url": ("text", "as written, made absolute, at most 300 characters"),
        "type": ("text", "link, image, video"),
        "domain": ("text", "host in lower case, without user and port"),
        "count": ("integer", "how often"),
    },
    "daily_stats": _DAY | _COUNTED | {"active_users": ("integer[]", "who has posted, ascending")},
    "poster_stats": _DAY | {"uid": ("integer", "who has posted")} | _COUNTED,
    "quote_stats": _DAY
    | {
        "quoter_uid": ("integer", "who quotes"),
        "quoted_uid": ("integer", "whom"),
        "count": ("integer", "how often"),
    },
    "link_relation": {
        "day": ("date", "UTC day of the posts"),
        "uid": ("integer", "who links"),
        "domain": ("text", "where to"),
        "type": ("text", "link, image, video"),
        "count": ("integer", "how often"),
    },
}


def table_metadata(table: str) -> dict[str, object]:
    """Name and columns of a table of the room, as asset metadata."""
    columns = [dg.TableColumn(name, kind, meaning) for name, (kind, meaning) in _TABLES[table].items()]
    return {"dagster/column_schema": dg.TableSchema(columns), "dagster/table_name": f"forum.{table}"}
