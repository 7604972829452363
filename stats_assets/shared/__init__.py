"""What two rooms need, each module named for what it knows. Nothing here knows a room.

environment     the STATS_* variables, read once
config          a YAML file into a pydantic model, with file and line in every complaint
days            dates as ranges, and when a day begins
failures        the kinds of trouble, as exceptions
postgres        connections, transactions and advisory locks on the data database
sqlalchemy_url  its connection string as SQLAlchemy wants it
bulk_load       rows of numpy columns into a table by binary COPY
archive         where files are kept: a local folder or any fsspec URL
compression     compressed files as streams of their contents
resources       database and archive as Dagster hands them out
partitions      the Dagster partitions that rooms have in common
runs            Dagster runs: how trouble ends a step, retries, what is under way, ranges
run_reasons     why a run failed, read from its events
runbooks        which page of docs/runbooks tells what to do
"""
