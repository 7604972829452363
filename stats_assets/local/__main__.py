"""`python -m stats_assets.local VERB`, as the launcher ./stats runs it."""

from stats_assets.local.cli import main

if __name__ == "__main__":
    main()
