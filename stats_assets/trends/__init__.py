"""Game logs."""
