"""backups: copies of the database that are known to restore, because they are restored.

Kept       base backups of the whole PostgreSQL server with the WAL behind them, or, where the role may not replicate,
           a dump per schema; below `backups.url`, one folder each, named by the UTC time it was begun.
Source     STATS_DSN, or the private server.
Tables     base_backup (a row per backup), restore_drill (a row per drill).
Assets     base_backup: day (made only on that day), restore_drill: week (of the newest backup, in that week).

What is always true
- A folder is a backup when its manifest.json is there. It is written last, after the copy was read back from where it
  is kept and verified; a run that was killed leaves a folder without one, which the next run removes.
- The manifest has rows and a fingerprint, free of order, of every permanent table of the data database, and they are
  exactly those of the moment that a restore recovers to (`moments` tells how that is known). Nobody waits for that:
  no table is locked against readers or writers, only against DROP, TRUNCATE and rewriting, while it is counted.
- Not counted: unlogged and foreign tables, sequences, other databases of the server. A base backup holds them (but not
  the rows of unlogged tables), a dump holds what is in the data database.
- Retention removes a backup only after a newer one was verified, and never the newest.
- A drill starts a private server on a copy and counts every table again; it never touches the database backed up.
- What is needed to restore is in the backup's folder: nothing has to be asked of the database that may be lost.

Rerun at any time: a second backup of a day stands beside the first, and the newest of a day is kept.

Reading order: config, plan (what is kept), moments (what a restore recovers to), manifest, shelf (where backups are),
programs, counting, taking with physical and dumping, restoring, drill, assets.
"""
