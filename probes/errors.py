"""What a thread or its memory was refused."""

from __future__ import annotations

from lowlat.errors import UsageError


class AffinityError(UsageError):
    """CPUs, or a priority, that a thread cannot be given as asked; the message names them and the cause."""


class NumaError(UsageError):
    """Memory that cannot be bound as asked; the message names the node and the cause."""
