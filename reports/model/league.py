"""A league: several engines measured interleaved on several order flows, with their reports. Plain frozen data.

`reports/compare/league.py` derives its figures from the reports, when it is made and when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

from lowlat import units
from lowlat.bounded import Amount, Count, Positive, Seed, Share
from lowlat.reports.model.report import Report

SCHEMA: Final = "lowlat.league/1"

Outcome: TypeAlias = Literal["verified", "unverified", "other events", "invalid", "failed", "lacking", "not run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeagueEngine:
    """One of the engines."""

    name: Annotated[str, Meta(description="What the league calls it; no other has the same name")]
    given: Annotated[str, Meta(description="As it was asked for: a name, the file of a library, or a process")]
    kind: Annotated[
        Literal["compiled", "library", "process", "python"],
        Meta(
            description="compiled: into lowlat; library: a shared library; process: one of its own; python: called "
            "from Python"
        ),
    ]
    version: Annotated[
        str | None, Meta(description="Of the engine of a library or a process, by its own word; null for others")
    ]
    memory_orders: Annotated[
        Count, Meta(description="Resting orders that an engine of its own was filled with, to see what each takes")
    ]
    memory_growth_bytes: Annotated[
        Count | None,
        Meta(description="Growth of the resident memory of a process that makes and fills it; null: see memory_absent"),
    ]
    memory_absent: Annotated[str | None, Meta(description="Why the growth is not known; null if it is")]

    @property
    def bytes_per_order(self) -> float | None:
        """Memory for each resting order."""
        growth = self.memory_growth_bytes
        return None if growth is None or not self.memory_orders else growth / self.memory_orders


@dataclass(frozen=True, slots=True, kw_only=True)
class LeagueFigures:
    """What an engine did on one flow. Times are nanoseconds; null where the host does not tell."""

    commands: Annotated[Positive, Meta(description="Commands in a run; fewer for an engine in Python")]
    runs: Annotated[Positive, Meta(description="Runs")]
    batched_cpu_ns: Annotated[
        Amount | None,
        Meta(description="CPU time per command, all in one call: of each run its least pass; median over the runs"),
    ]
    one_at_a_time_cpu_ns: Annotated[
        Amount | None, Meta(description="CPU time per command, a call for each; median over the runs")
    ]
    p50_ns: Annotated[Count | None, Meta(description="Median latency of a command, over all runs")]
    p99_ns: Annotated[Count | None, Meta(description="99th percentile")]
    p999_ns: Annotated[Count | None, Meta(description="99.9th percentile")]
    call_ns: Annotated[
        Amount | None,
        Meta(description="CPU time of a call into a library's engine that does nothing; part of one_at_a_time_cpu_ns"),
    ]
    batched_call_ns: Annotated[Amount | None, Meta(description="The same in batches; part of batched_cpu_ns")]
    ratio: Annotated[
        Amount | None,
        Meta(description="batched_cpu_ns over that of base, estimated over pairs of runs; null of base itself"),
    ]
    interval: Annotated[
        tuple[Amount, Amount] | None, Meta(description="95% confidence interval of ratio; null for too few runs")
    ]
    p: Annotated[Share | None, Meta(description="Two-sided p of Savage's rank test; null without a ratio")]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeagueEntry:
    """One engine on one flow."""

    engine: Annotated[str, Meta(description="Its name in engines")]
    outcome: Annotated[
        Outcome,
        Meta(
            description="verified: its events are right; unverified: the check was interrupted or left out; other "
            "events: they are wrong; invalid: its figures are, for another reason; failed: a run ended without a "
            "result; lacking: the flow needs what it does not claim to take; not run: interrupted before"
        ),
    ]
    reason: Annotated[str | None, Meta(description="Why it is neither verified nor unverified, in words")]
    figures: Annotated[LeagueFigures | None, Meta(description="null unless verified or unverified")]
    report: Annotated[Report | None, Meta(description="The report of its runs, `lowlat.report/1`; null without any")]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeagueTable:
    """All engines on one flow."""

    profile: Annotated[str, Meta(description="Name of the order flow profile")]
    base: Annotated[
        str | None, Meta(description="Engine that ratios refer to: the first with figures; null without any")
    ]
    order: Annotated[
        tuple[tuple[str, ...], ...], Meta(description="Engines in the order in which each round was to run them")
    ]
    entries: Annotated[tuple[LeagueEntry, ...], Meta(min_length=1, description="In the order of engines")]


@dataclass(frozen=True, slots=True, kw_only=True)
class League:
    """Engines measured interleaved."""

    schema: Annotated[Literal["lowlat.league/1"], Meta(description="Kind and version of the document")] = SCHEMA
    status: Annotated[
        Literal["ok", "interrupted", "invalid"],
        Meta(description="interrupted: fewer runs or flows than requested; invalid: an engine is wrong or failed"),
    ]
    status_reasons: Annotated[tuple[str, ...], Meta(description="Why the status is not ok")]
    version: Annotated[str, Meta(description="Version of lowlat that measured")]
    command: Annotated[tuple[str, ...], Meta(description="The command line that made the document")]
    seed: Annotated[Seed, Meta(description="Random seed of the flows, and of the order in each round")]
    rounds: Annotated[Positive, Meta(description="Rounds requested for each flow, each with one run of every engine")]
    interrupted: Annotated[str | None, Meta(description="Where Ctrl-C ended it, in words; null if nothing did")]
    engines: Annotated[tuple[LeagueEngine, ...], Meta(min_length=1, description="In the order asked for")]
    tables: Annotated[tuple[LeagueTable, ...], Meta(min_length=1, description="One for each flow")]

    def __repr__(self) -> str:
        from lowlat.reports.terminal.notebook import line_of

        engines, flows = units.plural(len(self.engines), "engine"), units.plural(len(self.tables), "flow")
        return line_of(self.schema, self.status, engines, flows)

    def _repr_html_(self) -> str:
        from lowlat.reports.terminal.league_table import render_league
        from lowlat.reports.terminal.notebook import html_of

        return html_of(lambda console: render_league(self, console, every=True))
