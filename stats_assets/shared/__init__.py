"""What two rooms need, each module named for what it knows. Nothing here knows a room.

environment   the STATS_* variables, read once
config        a YAML file into a pydantic model, with file and line in every complaint
postgres      connections, transactions and advisory locks on the data database
bulk_load     rows of numpy columns into a table by binary COPY
archive       where files are kept: a local folder or any fsspec URL
failures      the three kinds of trouble, and how each ends a Dagster step
"""
