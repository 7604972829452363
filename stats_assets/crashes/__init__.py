"""crashes: how many crashes happen per 100 active daily installs, by product, version, channel, system, signature.

Counted. A *report* is a processed crash document. It is *clean* when its processing came to its end and its product,
version and channel (of a beta its build, too) are known; only clean reports are counted, on the UTC day of their
processing. Installs are those of the day's feed. A version is active from its build date to its sunset date, both
included; crashes and installs of a rapid beta count for the beta and for the parent of its release. Duplicates
are told, not left out.

Source. A feed of installs, one of reports, one of raw crashes (what clients sent beside), by day; one of releases;
a folder of mapping files that say which products, systems, crash types and throttles there are.

Tables, in the order they are made:
    crashes.product_versions, product_version_builds     what is counted, made anew from all releases; with them
    crashes.crash_types, operating_systems, throttles, uptime_levels, release_feed    the maps
    crashes.active_daily_installs, reports, reports_private, raw_crashes    the inputs; by table partitions of a week
    crashes.input_days, quarantine                       which days are loaded from what; what could not be used
    crashes.duplicates                                   reports of the same crash
    crashes.clean_reports, rejected_reports              views: reports whose version is known, and the others
    crashes.signatures, product_adu, build_adu, signature_counts(_by_build), crashes_by_user(_by_build),
    crashes.daily_crash_rates(_by_build), signature_summary, crash_adu_by_build_signature    what is counted, by day
    crashes.aggregate_days                               from what each day was counted
    crashes.crash_rates_by_os, crash_rates_by_signature  views: the rates taken apart
Files: published/crashes/top_crashers.csv and crash-rates-*.png in the archive.

Always true:
    documents read = rows + quarantined; a document that cannot be used never stops a day
    a day is loaded and counted as a whole, in one transaction; again, in a range, in any order: the same rows
    a day whose input is missing is refused and named; none is counted as a day without crashes
    a day whose reports were retired is refused, too, and what was counted of it stays
    a report of a version that is not known yet is kept, and counts when the day is counted after it is known
    nothing depends on the clock of the machine: versions count by the day the releases feed saw them

Rerun. Materialize the inputs for the days, then what is counted of them, or all of `group:crashes`. The sensors do
the same by themselves when a feed comes late or changes, or when versions or maps do.

Reading order: config; what lines mean: map_files and maps, releases and versions, documents with report_rows and
systems, annotations, installs; feeds, load with input_days and quarantine (a day's inputs); day_state, duplicates,
aggregate with aggregate_sql (a day's counts); assets, automation; publish, export.
"""
