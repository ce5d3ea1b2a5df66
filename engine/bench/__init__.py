"""Measured runs: planned, run in fresh processes, verified, reported."""
