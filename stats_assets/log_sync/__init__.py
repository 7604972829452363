"""log_sync: a verified copy of every host's access log of every day, and a row saying so.

Kept       files as the hosts wrote them, below `log_sync/<host>/<yyyy>/<mm>/<dd>/` of the archive.
Source     the hosts of stats.yaml, by file:, http(s):, rsync:, ssh: or a protocol of fsspec such as s3:; sites x
           hosts x days are the files we expect.
Table      log_sync.files: one row per expected file, with what became of it.
Asset      log_sync/files, a Dagster partition per day (UTC, the date in the file's name).

What is always true
- A copy in the archive has been read to the end of its compressed stream; a cut, empty or garbled file never
  gets there. A row 'fetched' has such a copy, with its checksum.
- A newer version at the source takes the place of a copy only after it is verified. When it is damaged, the
  copy stays, the row says so, and the day fails where people can see it.
- A copy outlives its source: that a host has deleted or moved an old file, or is away, is no failure.
- A file that is missing or damaged fails its day alone; whatever else the day has is kept.

Rerun a day, or any range of days, at any time and in any order: a file that is there and unchanged costs one
question to its host. An interrupted transfer goes on where it stopped.

Reading order: config, urls, expected (which files), plan (what to do with one), transports (how a host is asked),
verify, sync (a day), assets. `late.py` decides what the sensor asks for.
"""
