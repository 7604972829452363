"""Game logs: who played what, with whom and how well, from logs.tf or its like.

Source    the API of the log site, by day of upload; JSON files `log_<id>.json`; SQLite batches of the tool clone_logs.
Tables    trends.raw_logs        the bytes of every log as they came, compressed
          trends.import_ledger   what became of every logid: missing, parsed, quarantined, bogus, duplicate, banned ...
          trends.quarantine      logs that could not be read, with reason and sample
          trends.games           a row per log; beside it rounds, player_stats, player_stats_extra, class_stats,
                                 weapon_stats, heal_stats, medic_stats, event_stats, killstreaks and chat
          trends.players, maps, weapons   everybody and everything the logs name; weapons with names for people
          trends.days            when the rows of an upload day last changed
          trends.listed_logs, listed_days   what the log site names, and which days were listed
          trends.demos, league_matches, league_teams, team_members   what the demo site, ETF2L and RGL know
          trends.demo_links, match_links    the demo and the match of a log
          trends.leaderboard_cube, medic_cube   sums over the games that are no duplicates, for every combination of
                                 dimensions; trends.map_popularity counts every log
          trends.player_trends   averages over each player's last 20 games

Always true:
- Bytes, rows, ledger and quarantine of a log are committed together, and replaced together.
- The rows of a log are a pure function of its bytes; only `duplicate_of` needs other logs, and says the same in
  whichever order the logs came.
- A bad or missing copy never takes the place of a log we have. A batch of clone_logs never replaces a whole log.
- A log that cannot be imported is in quarantine, and no other log suffers from it.
- Links to demos and matches are kept apart from the logs: a reimport leaves them.
- What the log site lists is here, or noted as missing and asked for again.
- A cube's sums are those of the games its days were counted from; counting all from nothing changes no row.
- In the aggregates a game is won with more rounds won than lost; in rates a tie is half a win.

Rerun a day: materialize `trends/games` and its neighbours for it (rows anew from the bytes), with `trends/raw_logs` to
fetch first; aggregates follow by themselves. Files: `./stats trends import PATH...`; quarantine:
`./stats trends redrive`; players whose uploads shall not count: `./stats trends ban`.

How it works: `decoding` checks a log against its `shape`; `players`, `classes`, `rounds` and `sections` read its parts
by `rules` and `limits`, `gamelog` puts them together; `batches` sorts a thousand logs; `blocks` makes COPY streams of
them; `load` commits them through `store`; `redrive` does the same with bytes we have. `listing`, `api_client`,
`api_pages` and `api_import` keep level with the site. `cubes` names what is summed, `cubes_sql` makes
statements of it, `cubes_store` and `rolling` renew by differences.
"""
