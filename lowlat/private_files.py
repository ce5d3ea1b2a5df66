"""Files and folders through which processes share memory: nobody but the user may open or replace them."""

from __future__ import annotations

import os
import stat


def why_not_private(facts: os.stat_result) -> str | None:
    """What is wrong with a file that nobody else may open, from its status; None if nothing is."""
    if facts.st_uid != os.geteuid():
        return f"belongs to user {facts.st_uid}, not to you"
    if facts.st_mode & 0o077:
        return f"has mode {stat.S_IMODE(facts.st_mode):04o}, not 0600"
    if facts.st_nlink > 1:  # someone else may hold the other name
        return f"has {facts.st_nlink} names"
    return None
