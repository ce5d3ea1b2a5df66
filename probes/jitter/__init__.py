"""What takes a CPU from a thread that never sleeps, and how late a thread that sleeps wakes up."""

from __future__ import annotations
