"""Checks of how a host is tuned: what was read, what it costs, and the command that changes it.

A check is a class with one knob (`check.py`); the groups are lists of them (`registry.py`). `examine` runs them on the
host of an `ExaminedHost`, live or captured.
"""
