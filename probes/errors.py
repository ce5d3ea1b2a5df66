"""Errors of thread and memory placement."""

from __future__ import annotations

from lowlat.errors import UsageError


class AffinityError(UsageError):
    """CPUs or a priority that cannot be set for a thread; the message names them and the cause."""


class NumaError(UsageError):
    """Memory that cannot be bound to a node; the message names the node and the cause."""
