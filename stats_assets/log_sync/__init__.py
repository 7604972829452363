"""log_sync: a verified copy of every host's access log of every day, a row saying so, and one ordered log per site.

Kept       files as the hosts wrote them, below `log_sync/<host>/<yyyy>/<mm>/<dd>/` of the archive, and the ordered
           logs, below `combined_logs/<yyyy>/<mm>/<dd>/`.
Source     the hosts of stats.yaml, by file:, http(s):, rsync:, ssh: or a protocol of fsspec such as s3:; sites x
           hosts x days are the files we expect.
Tables     log_sync.files: one row per expected file, with what became of it; log_sync.file_versions: every content
           it has had; log_sync.combined_logs: one row per ordered log; log_sync.coverage (view): host x day.
Assets     log_sync/files and log_sync/combined_logs, a Dagster partition per day (UTC; the date in the file's name).

What is always true
- A copy in the archive has been read to the end of its compressed stream; a cut, empty or garbled file never
  gets there. A row 'fetched' has such a copy, with its checksum.
- A newer version at the source takes the place of a copy only after it is verified. When it is damaged, the
  copy stays, the row says so, and the day fails where people can see it. Another content is another version.
- A copy outlives its source: that a host has deleted or moved an old file, or is away, is no failure.
- A file that is missing or damaged fails its day alone; whatever else the day has is kept. A file that stats.yaml
  waives counts as present.
- An ordered log is in the order of time, host, place in the host's file, without exception. Time is the instant a
  line was written: its offset from UTC counts. Every line of the hosts' files is in it, or, without a time that
  can be read, in the file beside it; nothing is dropped.
- Equal copies give an ordered log of equal bytes. Made of a part of the hosts, its row says which are missing.

Rerun a day, or any range of days, at any time and in any order: a file that is there and unchanged costs one
question to its host. An interrupted transfer goes on where it stopped.

Reading order: config, urls, expected (which files), plan (what to do with one), transports (how a host is asked),
verify, sync (a day), assets. `late.py` decides what the sensor asks for. Then lines (blocks of lines and their times),
survey, merging (order), combine (archive and disk around it), combined_days, combined_logs_asset.
"""
