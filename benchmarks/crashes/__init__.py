"""Benchmarks of the room crashes, on made-up documents."""
