"""Simulated sources, so that the whole house can be seen at work without anybody's real data.

Everything is a pure function of a seed: the same seed, host, day and size give the same lines on every
machine, however often and in whatever order they are asked for. What depends on today is only which files
are already there, which ends early and which is missing; `planned.py` knows those.

    world        the seed and the random streams drawn from it
    systems      what asks the mirror list: operating systems over the years, crawlers, curiosity
    access_log   one host's log lines of one day
    log_hosts    the simulated log hosts: which there are, what each has at a given moment
    day_files    their files on disk, made once, put in place atomically
    server       the same files over HTTP on loopback
    crash_feeds  a crash collector's feeds: installs, reports, raw crashes, releases; its maps are crash_maps
    crash_site   the same over HTTP, and which are there at a given moment
    planned      what goes wrong on purpose

`python -m stats_assets.sandbox --help` tells the commands. Nothing here imports a room.
"""
