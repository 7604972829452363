"""Every statistics pipeline of a community: one Dagster code location, one PostgreSQL database.

Start reading at `definitions.py` (what is loaded), then at the `__init__.py` of a room
(`log_sync`, `countme`): what it counts, its tables, what is always true of them, how to rerun.
"""
