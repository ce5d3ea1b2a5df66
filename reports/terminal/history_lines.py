"""What is said of a trend in any output: its work, its reports and their ratios in words."""

from __future__ import annotations

from typing import Final, Literal

from lowlat import units
from lowlat.reports.compare.history import Entry, Trend

_FAR: Final = 1.1
"""A ratio of a tenth or more is set off; whether it is more than noise is for `lowlat compare` to say."""


def work(trend: Trend) -> str:
    """What its reports measured, behind the name of the profile."""
    parts = [
        f"{trend.engine} engine",
        units.plural(trend.commands, "command"),
        f"seed {trend.seed}" if trend.seed is not None else "",
        f"at {units.rate(trend.target_rate)}" if trend.target_rate is not None else "",
        f"{trend.measure} time of {'all operations' if trend.op == 'all' else trend.op}",
    ]
    return " · ".join(part for part in parts if part)


def hosts(trend: Trend) -> str | None:
    """The kinds of processor, where there are several; None where there is one."""
    kinds = list(dict.fromkeys(entry.host or "unknown" for entry in trend.entries))
    if len(kinds) == 1:
        return None
    return f"measured on {units.plural(len(kinds), 'kind')} of processor: {', '.join(kinds)}"


def moment(entry: Entry) -> str:
    """When its first run started, to the minute, e.g. `2026-11-23 10:00`."""
    return entry.started[:16].replace("T", " ")


def revision(entry: Entry) -> str:
    """The commit in seven digits, with a `+` where files were changed; `-` where it is not known."""
    return "-" if entry.git is None else entry.git[:7] + ("+" if entry.git.endswith("-dirty") else "")


def status(entry: Entry) -> str:
    """What is wrong with the report; nothing where it is well."""
    return {"ok": "", "interrupted": "interrupted", "invalid": "not valid"}[entry.status]


def ratio(ratio: float | None) -> str:
    """A ratio to another report, e.g. `1.05x`; `-` where there is none."""
    return "-" if ratio is None else f"{ratio:.2f}x" if ratio < 100 else f"{ratio:.0f}x"


def far(ratio: float | None) -> Literal["worse", "better", ""]:
    """Whether a ratio is to be set off, and as what."""
    if ratio is None:
        return ""
    return "worse" if ratio >= _FAR else "better" if ratio <= 1 / _FAR else ""
