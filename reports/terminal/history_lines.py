"""Text of a trend for all outputs: its work, its reports and their ratios."""

from __future__ import annotations

from typing import Final, Literal

from lowlat import units
from lowlat.reports.compare.history import Entry, Trend

_FAR: Final = 1.1
"""A ratio of a tenth or more is set off; whether it is more than noise is for `lowlat compare` to say."""


def work(trend: Trend) -> str:
    """What the reports measured, shown after the name of the profile."""
    parts = [
        f"{trend.engine} engine" if trend.engine else "another program",
        units.plural(trend.commands, "command") if trend.commands is not None else "",
        f"seed {trend.seed}" if trend.seed is not None else "",
        f"at {units.rate(trend.target_rate)}" if trend.target_rate is not None else "",
        f"{trend.measure} time of {'all operations' if trend.op == 'all' else trend.op}",
    ]
    return " · ".join(part for part in parts if part)


def hosts(trend: Trend) -> str | None:
    """The processor models if there are several, else None."""
    kinds = list(dict.fromkeys(entry.host or "unknown" for entry in trend.entries))
    if len(kinds) == 1:
        return None
    return f"measured on {units.plural(len(kinds), 'kind')} of processors: {', '.join(kinds)}"


def moment(entry: Entry) -> str:
    """The start of its first run, to the minute, e.g. `2026-11-23 10:00`."""
    return entry.started[:16].replace("T", " ")


def revision(entry: Entry) -> str:
    """The commit in seven digits, with a `+` if files were changed; `-` if unknown."""
    return "-" if entry.git is None else entry.git[:7] + ("+" if entry.git.endswith("-dirty") else "")


def status(entry: Entry) -> str:
    """What is wrong with the report; empty if it is ok."""
    return {"ok": "", "interrupted": "interrupted", "invalid": "not valid"}[entry.status]


def ratio(ratio: float | None) -> str:
    """A ratio to another report, e.g. `1.05x`; `-` if there is none."""
    return "-" if ratio is None else f"{ratio:.2f}x" if ratio < 100 else f"{ratio:.0f}x"


def far(ratio: float | None) -> Literal["worse", "better", ""]:
    """Whether to highlight a ratio as worse or better."""
    if ratio is None:
        return ""
    return "worse" if ratio >= _FAR else "better" if ratio <= 1 / _FAR else ""
