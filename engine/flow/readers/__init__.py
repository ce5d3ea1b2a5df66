"""Readers of recorded order flow, one per format."""
