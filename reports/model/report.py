"""The report on a set of runs, as plain frozen data.

`lowlat.reports.io.json_codec` turns it into a `lowlat.report/1` document and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from lowlat.bounded import Count
from lowlat.reports.model.context import (
    Clock,
    Host,
    Load,
    MeasuredEngine,
    Placement,
    Recording,
    Tool,
    TopologySummary,
    Workload,
)
from lowlat.reports.model.jitter import Jitter
from lowlat.reports.model.results import Baselines, HotPath, Journal, Run, SummarySeries, Verification

SCHEMA: Final = "lowlat.report/1"
INTERRUPTED: Final = "interrupted "
"""How the reason for fewer runs than requested begins; in a merged report, the name of its part comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPart:
    """Something measured of a stage, beside the stage's own figure. Parts overlap: they do not add up to it."""

    name: Annotated[str, Meta(description="What was measured, e.g. system call")]
    p50_ns: Annotated[Count | None, Meta(description="Median, nanoseconds; null when not measured")]
    p99_ns: Annotated[Count | None, Meta(description="99th percentile, nanoseconds; null when not measured")]
    samples: Annotated[Count, Meta(description="Samples of the percentiles; 0 when not measured")]
    basis: Annotated[str, Meta(description="What the measured values are, or why there are none")]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetStage:
    """One stage of the order path: the reference budget beside what was measured here."""

    stage: Annotated[str, Meta(description="network, application, operating system, nic or total")]
    reference_ns: Annotated[Count, Meta(description="Reference budget, nanoseconds")]
    measured_ns: Annotated[Count | None, Meta(description="Measured, nanoseconds; null when not measured")]
    basis: Annotated[str, Meta(description="What the measured value is, or why there is none")]
    parts: Annotated[tuple[BudgetPart, ...], Meta(description="What else was measured of the stage")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetClass:
    """The class of trading system that the measured stages would allow."""

    name: Annotated[str, Meta(description="HFT, professional, retail, mobile or none")]
    total_ns: Annotated[Count, Meta(description="Sum of the measured stages, nanoseconds")]
    limit_ns: Annotated[Count | None, Meta(description="The limit of the class, nanoseconds; null beyond the last")]
    leaves_out: Annotated[tuple[str, ...], Meta(description="Stages that the sum leaves out")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Runs of one workload on one host."""

    schema: Annotated[Literal["lowlat.report/1"], Meta(description="Kind and version of the document")] = SCHEMA
    status: Annotated[
        Literal["ok", "interrupted", "invalid"],
        Meta(description="interrupted: fewer runs than requested; invalid: discard the figures"),
    ]
    status_reasons: Annotated[tuple[str, ...], Meta(description="Why the status is not ok")]
    tool: Tool
    command: Annotated[tuple[str, ...], Meta(description="The command line that made the document")]
    engine: Annotated[MeasuredEngine | None, Meta(description="null in a recording, of another program")]
    workload: Workload
    load: Load
    host: Host
    clock: Clock
    runs: tuple[Run, ...]
    summary: Annotated[tuple[SummarySeries, ...], Meta(description="Each operation over all runs")]
    budget: Annotated[tuple[BudgetStage, ...], Meta(description="Latency budget, stage by stage; empty in a recording")]
    budget_class: Annotated[
        BudgetClass | None, Meta(description="null unless application and operating system were measured")
    ]
    hot_path: HotPath
    verification: Annotated[Verification | None, Meta(description="null when nothing was verified")]
    gate: Annotated[dict[str, Any] | None, Meta(description="Verdict of a comparison; null without one")]
    not_available: Annotated[dict[str, str], Meta(description="Why a field is null, by its path, e.g. host.governor")]
    baselines: Annotated[Baselines | None, Meta(description="Baselines for the throughput; null when not measured")] = (
        None
    )
    journal: Annotated[Journal | None, Meta(description="null unless a journal was asked for")] = None
    topology: Annotated[TopologySummary | None, Meta(description="null in documents older than the field")] = None
    placement: Annotated[Placement | None, Meta(description="null in documents older than the field")] = None
    recording: Annotated[Recording | None, Meta(description="null unless the load model is recorded")] = None
    jitter: Annotated[
        Jitter | None,
        Meta(
            description="What took the CPUs of the runs from a thread that never sleeps, for a second after the last "
            "run; null unless asked for"
        ),
    ] = None

    def __repr__(self) -> str:
        from lowlat.reports.terminal.headline import subject
        from lowlat.reports.terminal.notebook import line_of

        return line_of(self.schema, self.status, self.workload.profile, subject(self))

    def _repr_html_(self) -> str:
        from lowlat.reports.terminal.notebook import html_of
        from lowlat.reports.terminal.report_table import render

        return html_of(lambda console: render(self, console, verbose=True))


def is_interruption(reason: str) -> bool:
    """Whether a reason of a status says that runs or checks were not made, and nothing against those that were."""
    return reason.startswith(INTERRUPTED) or f": {INTERRUPTED}" in reason
