"""The built-in order flow profiles, and every key of a profile file, from the docstring of the module that reads it."""

from __future__ import annotations

import textwrap

from lowlat.engine.flow import profile


def table() -> str:
    """A row for each built-in profile."""
    names = profile.profile_names()
    rows = [f"| `{name}` | {profile.load_profile(name).description} |" for name in names]
    return "\n".join(["| profile | |", "|---|---|", *rows])


def keys() -> str:
    """All keys with their defaults."""
    text = profile.__doc__ or ""
    block = "\n".join(line for line in text.splitlines() if line.startswith("    ") or not line)
    return f"```toml\n{textwrap.dedent(block).strip()}\n```"
