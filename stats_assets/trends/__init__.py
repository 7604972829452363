"""Game logs: who played what, with whom and how well, from logs.tf or its like.

Source    the API of the log site, by day of upload; JSON files `log_<id>.json`; SQLite batches of the tool clone_logs.
Tables    trends.raw_logs        the bytes of every log as they came, compressed
          trends.import_ledger   what became of every logid: missing, parsed, quarantined, bogus, duplicate, banned ...
          trends.quarantine      logs that could not be read, with reason and sample
          trends.games           a row per log; beside it rounds, player_stats, player_stats_extra, class_stats,
                                 weapon_stats, heal_stats, medic_stats, event_stats, killstreaks and chat
          trends.players, maps, weapons   everybody and everything the logs name
          trends.days            when the rows of an upload day last changed

Always true:
- Bytes, rows, ledger and quarantine of a log are committed together, and replaced together.
- The rows of a log are a pure function of its bytes; only `duplicate_of` needs other logs, and says the same in
  whichever order the logs came.
- A bad or missing copy never takes the place of a log we have. A batch of clone_logs never replaces a whole log.
- A log that cannot be imported is in quarantine, and no other log suffers from it.
- Links to demos and matches are kept apart from the logs: a reimport leaves them.

Rerun a day: materialize `trends/games` and its neighbours for it (rows anew from the bytes), with `trends/raw_logs` to
fetch first. Files: `./stats trends import PATH...`; quarantine: `./stats trends redrive`.

How it works: `shape` and `gamelog` read a log by `rules`; `batches` sorts a thousand of them; `blocks` makes their rows
COPY streams; `load` commits them through `store`; `redrive` does the same with bytes we have.
"""
