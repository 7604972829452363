"""Benchmarks of the countme room, on made-up logs."""
