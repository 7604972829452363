"""The statements on the schema notifications. All of a look is one transaction, under the watcher's lock."""

from __future__ import annotations

CURSOR = "SELECT event_id, bus_event_id FROM notifications.watcher"
# A watcher that looks for the first time begins at the end of the log: what was before is no news.
BEGIN_CURSOR = """
INSERT INTO notifications.watcher (event_id, bus_event_id, looked_at)
VALUES (%(event_id)s, %(event_id)s, %(now)s) ON CONFLICT DO NOTHING
"""
MOVE_CURSOR = "UPDATE notifications.watcher SET event_id = %(event_id)s, looked_at = %(now)s"
MOVE_BUS_CURSOR = "UPDATE notifications.watcher SET bus_event_id = %(event_id)s"
LOOKED_AT = "SELECT looked_at FROM notifications.watcher"

# A failure that is older than the incident's newest one was read before, by a watcher that was killed.
FAILED = """
INSERT INTO notifications.incidents
    (kind, subject, dagster_partition, why, page, run_id, event_id, is_warning, first_at, last_at, due_at)
VALUES (%(kind)s, %(subject)s, %(partition)s, %(why)s, %(page)s, %(run_id)s, %(event_id)s, %(is_warning)s,
        %(at)s, %(at)s, %(due_at)s)
ON CONFLICT (kind, subject, dagster_partition) WHERE state = 'open' DO UPDATE
SET why = EXCLUDED.why, page = EXCLUDED.page, run_id = EXCLUDED.run_id, event_id = EXCLUDED.event_id,
    is_warning = EXCLUDED.is_warning, last_at = EXCLUDED.last_at, times = incidents.times + 1
WHERE EXCLUDED.event_id > incidents.event_id OR EXCLUDED.event_id = 0
"""
PASSED = """
UPDATE notifications.incidents
SET state = 'recovered', recovered_at = greatest(%(at)s, first_at)
WHERE kind = %(kind)s AND subject = %(subject)s AND dagster_partition = %(partition)s AND state = 'open'
  AND event_id <= %(event_id)s
"""
_COLUMNS = """
incident_id, kind, subject, dagster_partition, state = 'open', why, page, run_id, event_id, is_warning,
first_at, last_at, times, recovered_at, notified_at IS NOT NULL
"""
OPEN = f"SELECT {_COLUMNS} FROM notifications.incidents WHERE state = 'open' ORDER BY first_at, incident_id"  # noqa: S608 - columns of ours
# A recovery is news only to those who were told of the failure; both in one when neither was told yet.
DUE = f"""
SELECT {_COLUMNS} FROM notifications.incidents
WHERE (notified_at IS NULL AND due_at <= %(now)s)
   OR (notified_at IS NOT NULL AND state = 'recovered' AND recovery_notified_at IS NULL)
ORDER BY first_at, incident_id
"""  # noqa: S608 - columns of ours
# A service that was silent for less than it takes to be told is none of anybody's business.
FORGET_BRIEF_SILENCES = """
DELETE FROM notifications.incidents
WHERE kind = 'silence' AND state = 'recovered' AND notified_at IS NULL AND recovered_at < due_at
"""
# Told to all whom it concerns; when nobody is, as long as nobody wants to be.
TOLD = """
UPDATE notifications.incidents
SET notified_at = coalesce(notified_at, %(now)s),
    recovery_notified_at = CASE WHEN state = 'recovered' THEN %(now)s END
WHERE incident_id = ANY(%(incidents)s)
"""

NEW_MESSAGE = """
INSERT INTO notifications.messages (message_id, channel, title, body, made_at, next_try_at)
VALUES (%(message_id)s, %(channel)s, %(title)s, %(body)s, %(now)s, %(now)s)
"""
DROP_MESSAGES_OF_GONE_CHANNELS = """
UPDATE notifications.messages SET state = 'dropped' WHERE state = 'waiting' AND channel <> ALL(%(channels)s)
"""
WAITING = """
SELECT message_id, channel, title, body, attempts FROM notifications.messages
WHERE state = 'waiting' AND next_try_at <= %(now)s ORDER BY made_at, message_id
"""
COUNT_WAITING = "SELECT count(*) FROM notifications.messages WHERE state = 'waiting' AND attempts > 0"
DELIVERED = """
UPDATE notifications.messages SET state = 'delivered', delivered_at = %(now)s, attempts = attempts + 1, problem = NULL
WHERE message_id = %(message_id)s
"""
NOT_DELIVERED = """
UPDATE notifications.messages SET attempts = attempts + 1, problem = %(problem)s, next_try_at = %(next_try_at)s
WHERE message_id = %(message_id)s
"""
