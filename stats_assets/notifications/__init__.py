"""notifications: what went wrong reaches people, once, and so does that it is well again.

Told       runs that failed, checks that failed, assets that are not fresh, services that are silent.
Source     Dagster's event log behind a cursor, its heartbeats, and what `./stats watch` asks of services.
Tables     incidents (what is wrong since when, and what was), messages (the outbox: a row per message and channel),
           watcher (how far the event log is read).
Channels   whatever apprise can reach: mail, chat, webhook, and a hundred more; `bus` also publishes on AMQP.

What is always true
- An incident is one thing that is wrong: kind, subject and Dagster partition. While it is open, further failures of
  the same thing add to `times` and are not told again. Partitions of one run are told together.
- Incidents, the outbox and the cursor move in one transaction: a watcher that is killed anywhere goes on where it was.
  A message leaves the outbox when its channel has taken it. One that cannot be delivered is tried again for ever, at
  distances growing to an hour; the other channels do not wait for it. Only a kill between a channel's yes and our own
  commit can tell something twice.
- Runs that Dagster will try again by itself are not told unless the last attempt fails.
- Nothing that was wrong before the watcher first looked is told.
- One watcher works at a time; a second one leaves at once.

Reading order: config, incidents (what is known of a failure), dagster_events (where failures are seen), recovery,
message, sql, store, outbox, channels, watch. Messages for machines: bus, publisher.
"""
