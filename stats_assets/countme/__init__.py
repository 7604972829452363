"""countme: how many systems are out there, week by week, from the requests they make for mirror lists.

Counted. A package manager asks the site for a mirror list, now and then with `countme=N` in the query (N tells how
long ago the system was installed). A *hit* is such a request that was answered. Per week (Monday 00:00 UTC to the
next) two things are counted for each operating system, version, variant, architecture and repository:
hits with countme, by N; and, as `sys_age` -1, the addresses seen, distinct per day and summed over the days.

Source. The verified log files in `log_sync.files`, one per site, day and host; the day is the date in the file's name.
Every configured site is counted for itself.

Tables, in the order they are made:
    countme.sources, source_days, verdicts, quarantine   what was read of each file; every line has one verdict
    countme.clients, week_keys, addresses                names and keys that hits refer to
    countme.raw_hits, repeats                            one row per hit; which of them the policy does not count
    countme.hits                                         a view: hits with names, as analysts want them
    countme.weekly_totals, weeks                         the counts; their status, coverage and revision
    countme.published_weeks                              a view: the weeks whose totals are published
    countme.daily_unique_hosts, unique_host_days         addresses per day, repository and architecture; made from what
    countme.publications                                 the published files and what they were made of
Files: in the archive, published/countme/index.html and per site a folder with totals.csv (and Parquet, SQLite),
mirrors.csv and pictures; made again by themselves when counts change. Which is what: docs/schema.md.

Always true:
    lines of a source = sum of its verdicts; hits of a source = its rows in raw_hits
    a day's rows come from exactly the files its sources name; loading it again gives the same rows
    any order of days, one by one or as a range, gives the same tables
    a line that cannot be read is counted, sampled and never stops a day
    strict publishes final weeks only; countme.weeks says what the others lack (docs/countme.md has the rules)
    two sites never share a number
    hits of a week are counted only if their address keys compare (see `week_keys`)

Unique hosts are the condense report made of hits, under its names (`repositories.yaml`). What differs: it takes every
line that mentions the mirror list, of any path, method and status, by the date as written and not percent-decoded; here
only hits count, by UTC day, decoded, and releases from Fedora 40 and EPEL 10 on have names. Given the same text, the
old names are equal. Hosts of a day on 24 days of logs, beside that report: under the old names 3.3 to 5.1 % fewer
(strict: 3.3 to 4.9 %), under all names 0.3 to 2.6 % fewer (strict: 0.3 to 3.3 %).

Rerun. Materialize `countme/raw_hits` for the days, then `countme/weekly_totals` for their weeks, and
`countme/daily_unique_hosts` for the days and those beside them; the sensors do the same by themselves when a file
changes. Policies: `strict` has our rules, `compat` counts exactly what the established tool counts (see `parse.py`).
"""
