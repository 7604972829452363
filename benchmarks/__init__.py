"""What the project costs to run, measured. Nothing here is imported by stats_assets."""
