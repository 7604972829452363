"""Everything that runs on the operator's machine: the verbs of ./stats and the processes behind `up`.

    cli              the verbs; each calls one of the modules below
    up               `up` as a story: bring up, fill, keep or leave
    stack            the services together: brought up, kept alive, taken down
    services         their command lines             surroundings   their variables and folders
    processes        of the operating system         run_record     which of them are ours
    databases        whose server, which databases   migrating      their tables
    private_postgres a server of our own, with postgres_binaries and unprivileged
    run_plan         which partitions in which runs (pure)
    materialize      carries a plan out, by launchers, judged by verdicts, in the workshop
    doctor           what is not as it should be, asked by database_, running_ and room_checks, installed
    standing         how the rooms stand: overview, overview_tables
    watching         the watcher of `notifications` with this installation's services, asked by probes
    export, tools, progress, console

What a pipeline does is never decided here.
"""
