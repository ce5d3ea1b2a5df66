"""Readers of recorded order flow, one a format."""
