"""What a check found: plain data, as in the document `lowlat.doctor/1`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

from lowlat.documents import document_fields

Status: TypeAlias = Literal["pass", "warn", "fail", "info", "not applicable", "unknown"]
Severity: TypeAlias = Literal["warn", "fail", "info"]
"""The status of a check whose value is bad."""

STATUSES: Final[tuple[Status, ...]] = ("fail", "warn", "info", "unknown", "not applicable", "pass")
"""All, the most urgent first."""


@dataclass(frozen=True, slots=True)
class Fix:
    """How to change what was found. Without commands, it needs the firmware, the boot loader or a person."""

    summary: Annotated[str, Meta(description="What to do, in a line")]
    commands: Annotated[tuple[str, ...], Meta(description="Shell commands that do it, as root")] = ()
    undo: Annotated[tuple[str, ...], Meta(description="Shell commands that restore what was found")] = ()


@document_fields(last=("text",))
@dataclass(frozen=True, slots=True)
class MeasuredFigure:
    """A figure that was measured on this host, beside what the knob predicts."""

    value: Annotated[float, Meta(description="The figure")]
    what: Annotated[str, Meta(description="What was measured, with its unit")]

    @property
    def text(self) -> str:
        """Figure and subject, e.g. "250 timer interrupts a second on CPU 1"."""
        return f"{_figure(self.value)} {self.what}"


def _figure(value: float) -> str:
    if value and abs(value) < 0.01:
        return f"{value:.1g}"
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.3g}"


_RULES: Final = {
    "if": {"properties": {"status": {"enum": ["unknown", "not applicable"]}}},
    "then": {"properties": {"reason": {"type": "string"}}},
    "else": {"properties": {"observed": {"type": "string"}, "owner": {"type": "null"}}},
}


@document_fields(rules=_RULES)
@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one host.

    A value that is absent or unreadable is never a pass or a fail: *not applicable* says who owns the knob, *unknown*
    says which right or file is missing.
    """

    id: Annotated[str, Meta(description="Stable name of the check, and its anchor in the documentation")]
    group: Annotated[str, Meta(description="The group of checks that it belongs to")]
    title: Annotated[str, Meta(description="What is checked")]
    status: Annotated[Status, Meta(description="The verdict")]
    observed: Annotated[str | None, Meta(description="The value found; null if there is none")]
    measured: Annotated[tuple[MeasuredFigure, ...], Meta(description="Figures measured on this host")]
    source: Annotated[str, Meta(description="What it was read from or measured by")]
    reason: Annotated[str | None, Meta(description="Why there is no value: the missing right or file")]
    owner: Annotated[str | None, Meta(description="Who decides about a knob that does not exist here")]
    threshold: Annotated[str, Meta(description="What is good")]
    consequence: Annotated[str, Meta(description="What a bad value costs; an order of magnitude, not a measurement")]
    fix: Annotated[Fix | None, Meta(description="How to change it; null if there is nothing to change")]
    stands_for: Annotated[tuple[str, ...], Meta(description="Checks that this one answers for")] = ()
