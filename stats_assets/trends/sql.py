"""The room's statements. Windows of days are arrays, so that PostgreSQL leaves out the table partitions it can."""

from __future__ import annotations

# What we have of these logs. Deleting looks no further than `day`; a copy with the same checksum is no news.
KNOWN_LOGS = """
SELECT logid, l.state, l.day, l.parser_version, r.is_complete, r.sha256
FROM (SELECT * FROM trends.import_ledger WHERE logid = ANY(%(logids)s)) l
FULL JOIN (SELECT logid, is_complete, sha256 FROM trends.raw_logs WHERE logid = ANY(%(logids)s)) r USING (logid)
"""

BANNED_UPLOADERS = "SELECT steamid64 FROM trends.players WHERE is_banned"

NEWEST_DICTIONARY = """
SELECT dictionary_id, content FROM trends.dictionaries ORDER BY made_at DESC, dictionary_id LIMIT 1
"""
DICTIONARY = "SELECT content FROM trends.dictionaries WHERE dictionary_id = %(dictionary_id)s"
ADD_DICTIONARY = """
INSERT INTO trends.dictionaries (dictionary_id, content, trained_logs)
VALUES (%(dictionary_id)s, %(content)s, %(trained_logs)s)
"""
NEWEST_WHOLE_LOGS = "SELECT logid FROM trends.raw_logs WHERE is_complete ORDER BY logid DESC LIMIT %(logs)s"

# Names get their ids in sorted order, and only those that are not there: importers side by side neither wait for
# each other in a circle nor use up numbers.
ADD_WEAPONS = """
INSERT INTO trends.weapons (weapon)
SELECT n.weapon FROM unnest(%(names)s::text[]) AS n (weapon)
WHERE NOT EXISTS (SELECT FROM trends.weapons w WHERE w.weapon = n.weapon)
ORDER BY n.weapon COLLATE "C"
ON CONFLICT (weapon) DO NOTHING
"""
WEAPON_IDS = "SELECT weapon, weaponid FROM trends.weapons WHERE weapon = ANY(%(names)s)"
NAME_WEAPONS = """
UPDATE trends.weapons w SET name = n.name, slot = n.slot
FROM unnest(%(weapons)s::text[], %(names)s::text[], %(slots)s::text[]) AS n (weapon, name, slot)
WHERE w.weapon = n.weapon AND (w.name, w.slot) IS DISTINCT FROM (n.name, n.slot)
"""
UNNAMED_WEAPONS = "SELECT weapon FROM trends.weapons WHERE name IS NULL ORDER BY weapon"
ADD_MAPS = """
INSERT INTO trends.maps (map)
SELECT n.map FROM unnest(%(names)s::text[]) AS n (map)
WHERE NOT EXISTS (SELECT FROM trends.maps m WHERE m.map = n.map)
ORDER BY n.map COLLATE "C"
ON CONFLICT (map) DO NOTHING
"""

SET_BAN = """
INSERT INTO trends.players AS p (steamid64, is_banned, ban_reason)
VALUES (%(steamid64)s, %(reason)s::text IS NOT NULL, %(reason)s)
ON CONFLICT (steamid64) DO UPDATE SET is_banned = excluded.is_banned, ban_reason = excluded.ban_reason
"""
LOGIDS_OF_UPLOADER = "SELECT logid FROM trends.games WHERE uploader_steamid64 = %(steamid64)s"

# Everybody of the batch; the name is that of the newest game, whichever is imported last.
UPSERT_PLAYERS = """
INSERT INTO trends.players AS p (steamid64, name, last_game_at, last_logid)
SELECT steamid64, name, to_timestamp(played_at), logid
FROM unnest(%(steamids)s::bigint[], %(names)s::text[], %(played_at)s::bigint[], %(logids)s::integer[])
     AS n (steamid64, name, played_at, logid)
ORDER BY steamid64
ON CONFLICT (steamid64) DO UPDATE
SET name = excluded.name, last_game_at = excluded.last_game_at, last_logid = excluded.last_logid
WHERE excluded.last_logid IS NOT NULL
  AND (p.last_logid IS NULL
       OR (excluded.last_game_at, excluded.last_logid) > (p.last_game_at, p.last_logid)
       OR (excluded.last_logid = p.last_logid
           AND (excluded.last_game_at, excluded.name) IS DISTINCT FROM (p.last_game_at, p.name)))
"""

# From the first to the last names the block ranges to look into; most of the logs of a batch lie close together.
DELETE_ROWS = """
DELETE FROM {table}
WHERE logid BETWEEN %(first)s AND %(last)s AND logid = ANY(%(logids)s) AND day = ANY(%(days)s)
"""

RAW_LOGS = """
SELECT logid, uploaded_at, fetched_at, source, is_complete, dictionary_id, content
FROM trends.raw_logs WHERE logid = ANY(%(logids)s) ORDER BY logid
"""
LOGIDS_OF_DAY = """
SELECT logid FROM trends.import_ledger WHERE uploaded_at >= %(start)s AND uploaded_at < %(end)s AND state <> 'missing'
"""
QUARANTINED_LOGIDS = "SELECT logid FROM trends.quarantine WHERE logid IS NOT NULL"
DELETE_RAW_LOGS = "DELETE FROM trends.raw_logs WHERE logid = ANY(%(logids)s)"

UPSERT_LEDGER = """
INSERT INTO trends.import_ledger AS l (logid, state, reason, day, uploaded_at, source, parser_version)
SELECT logid, state, reason, day, to_timestamp(uploaded_at), source, parser_version
FROM unnest(%(logids)s::integer[], %(states)s::text[], %(reasons)s::text[], %(days)s::date[],
            %(uploaded_at)s::bigint[], %(sources)s::text[], %(parser_versions)s::smallint[])
     AS n (logid, state, reason, day, uploaded_at, source, parser_version)
ORDER BY logid
ON CONFLICT (logid) DO UPDATE
SET state = excluded.state, reason = excluded.reason, attempts = l.attempts + 1, day = excluded.day,
    uploaded_at = coalesce(excluded.uploaded_at, l.uploaded_at), source = excluded.source,
    parser_version = excluded.parser_version, changed_at = now()
"""
# A bad copy or an absence never takes the rows we have: it is noted, and the log stays what it is.
COUNT_ATTEMPTS = """
UPDATE trends.import_ledger SET attempts = attempts + 1 WHERE logid = ANY(%(logids)s)
"""

UPSERT_QUARANTINE = """
INSERT INTO trends.quarantine AS q (logid, source, reason, detail, sample, sha256)
VALUES (%(logid)s, %(source)s, %(reason)s, %(detail)s, %(sample)s, %(sha256)s)
ON CONFLICT (logid) WHERE logid IS NOT NULL DO UPDATE
SET source = excluded.source, reason = excluded.reason, detail = excluded.detail, sample = excluded.sample,
    sha256 = excluded.sha256, attempts = q.attempts + 1, last_seen_at = now()
"""
UPSERT_QUARANTINED_FILE = """
INSERT INTO trends.quarantine AS q (source, reason, detail, sample, sha256)
VALUES (%(source)s, %(reason)s, %(detail)s, %(sample)s, %(sha256)s)
ON CONFLICT (source) WHERE logid IS NULL DO UPDATE
SET reason = excluded.reason, detail = excluded.detail, sample = excluded.sample,
    sha256 = excluded.sha256, attempts = q.attempts + 1, last_seen_at = now()
"""
LEAVE_QUARANTINE = "DELETE FROM trends.quarantine WHERE logid = ANY(%(logids)s)"
FILE_LEAVES_QUARANTINE = "DELETE FROM trends.quarantine WHERE logid IS NULL AND source = %(source)s"

# Pairs of logs with a round in common, one of each pair among `logids`, at most a week of uploads apart. A round is
# the same when it began in the same second and lasted as long, or (the clocks of two uploads may differ) when it
# lasted over a minute, as long, with the same damage and kills, none of them 0.
DUPLICATE_PAIRS = """
CREATE TEMP TABLE duplicate_pairs ON COMMIT DROP AS
WITH mine AS (SELECT * FROM trends.rounds WHERE logid = ANY(%(logids)s) AND day = ANY(%(days)s)),
     near AS (SELECT * FROM trends.rounds WHERE day = ANY(%(window)s))
SELECT greatest(m.logid, o.logid) AS newer, least(m.logid, o.logid) AS older
FROM mine m JOIN near o ON o.started_at = m.started_at AND o.duration_seconds = m.duration_seconds
WHERE o.logid <> m.logid AND abs(o.day - m.day) <= 7
UNION
SELECT greatest(m.logid, o.logid), least(m.logid, o.logid)
FROM mine m JOIN near o ON o.duration_seconds = m.duration_seconds AND o.red_dmg = m.red_dmg
     AND o.blue_dmg = m.blue_dmg AND o.red_kills = m.red_kills AND o.blue_kills = m.blue_kills
WHERE o.logid <> m.logid AND abs(o.day - m.day) <= 7 AND m.duration_seconds > 60
  AND m.red_dmg <> 0 AND m.blue_dmg <> 0 AND m.red_kills <> 0 AND m.blue_kills <> 0
"""
# Of the logs of the batch every pair is known anew; of others only those with a log of the batch.
MARK_DUPLICATES = """
WITH of_batch AS (
    SELECT newer AS logid, array_agg(older ORDER BY older) AS originals FROM duplicate_pairs GROUP BY newer
), changed AS (
    SELECT g.logid, g.day,
           CASE WHEN g.logid = ANY(%(logids)s) THEN b.originals
                ELSE nullif(ARRAY(SELECT old FROM unnest(g.duplicate_of) AS old WHERE old <> ALL(%(logids)s)
                                  UNION SELECT unnest(b.originals) ORDER BY 1), '{}')
           END AS duplicate_of
    FROM trends.games g LEFT JOIN of_batch b USING (logid)
    WHERE g.day = ANY(%(window)s)
      AND (g.logid = ANY(%(logids)s) OR b.logid IS NOT NULL OR g.duplicate_of && %(logids)s::integer[])
)
UPDATE trends.games g SET duplicate_of = c.duplicate_of
FROM changed c
WHERE g.logid = c.logid AND g.day = c.day AND g.duplicate_of IS DISTINCT FROM c.duplicate_of
RETURNING g.logid, g.day, c.duplicate_of IS NOT NULL
"""
MARK_IN_LEDGER = """
UPDATE trends.import_ledger l
SET state = CASE WHEN n.is_duplicate THEN 'duplicate' ELSE 'parsed' END, changed_at = now()
FROM unnest(%(logids)s::integer[], %(are_duplicates)s::boolean[]) AS n (logid, is_duplicate)
WHERE l.logid = n.logid AND l.state IN ('parsed', 'duplicate')
"""

TOUCH_DAYS = """
INSERT INTO trends.days (day, changed_at)
SELECT day, clock_timestamp() FROM unnest(%(days)s::date[]) AS n (day) ORDER BY day
ON CONFLICT (day) DO UPDATE SET changed_at = excluded.changed_at
"""
