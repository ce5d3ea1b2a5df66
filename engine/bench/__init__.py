"""Measured runs: planned, executed in fresh processes, verified, reported."""
