"""Options that verbs with a gate share, and how their comparison is delivered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from lowlat.errors import ExitCode
from lowlat_cli.destination import Destination, page_of
from lowlat_cli.session import color_of
from lowlat_cli.stdio import say

if TYPE_CHECKING:
    from rich.console import Console

    from lowlat.reports.compare.compare import Sides
    from lowlat.reports.model.comparison import Comparison

ComparisonFormat: TypeAlias = Literal["table", "json", "md", "junit", "html"]
GateOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--gate",
        metavar="METRIC[:MEASURE[:OP]]=N%",
        help="Fail when METRIC is worse by more than N%: p50 to p99.999, max, throughput, wall. Of all operations "
        "unless OP names one, or * for each. May be given again; then nothing else gates.  [default: p50=10%, p99=10%]",
    ),
]
StrictOption: TypeAlias = Annotated[
    bool, typer.Option("--strict", help="Exit with 4 when a gated metric is inconclusive, instead of 0.")
]
ToOption: TypeAlias = Annotated[
    ComparisonFormat,
    typer.Option("--format", "--to", help="What to print; --json means --format json."),
]
EveryOption: TypeAlias = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show every metric in the table, and progress off a terminal.")
]
SidesPlotOption: TypeAlias = Annotated[
    bool, typer.Option("--plot", help="Draw latency by percentile of both sides under the table.")
]


def destination_of(
    ctx: typer.Context, output_format: ComparisonFormat, output: Path | None, *, plot: bool
) -> Destination:
    """Where a comparison goes, checked. Raises `OutputPathError`, `MissingExtraError`."""
    destination = Destination(output_format, output, color_of(ctx), plot=plot)
    destination.check(page=True)
    return destination


def deliver(comparison: Comparison, sides: Sides, destination: Destination, *, strict: bool, every: bool) -> ExitCode:
    """Write the comparison, under its table the picture of its sides where that was asked for; say on stderr what no
    table shows there, and give the exit code that the gate means.
    """
    from lowlat.reports.io.json_codec import to_text
    from lowlat.reports.outputs.comparison_junit import to_junit
    from lowlat.reports.outputs.comparison_markdown import to_markdown
    from lowlat.reports.terminal.comparison_lines import verdict

    others = {
        "md": lambda: to_markdown(comparison),
        "junit": lambda: to_junit(comparison),
        **page_of(comparison),
    }
    destination.write(
        lambda: to_text(comparison), lambda on: _draw(comparison, sides, destination, on, every=every), others
    )
    for reason in comparison.status_reasons:
        say(f"stopped early: {reason}")
    if not destination.prints_table(others):  # which has both
        for warning in comparison.warnings:
            say(f"warning: {warning}")
        if comparison.gate.verdict != "passed":
            say(verdict(comparison))
    return _exit_code(comparison, strict=strict)


def _draw(comparison: Comparison, sides: Sides, destination: Destination, on: Console, *, every: bool) -> None:
    from lowlat.reports.terminal.comparison_table import render_comparison

    render_comparison(comparison, on, every=every)
    if destination.plot:
        from lowlat.reports.terminal.plot import render_plot

        on.print()
        render_plot(sides, on)


def _exit_code(comparison: Comparison, *, strict: bool) -> ExitCode:
    if comparison.status == "interrupted":
        return ExitCode.INTERRUPTED
    if comparison.gate.verdict == "failed":
        return ExitCode.GATE_FAILED
    return ExitCode.INCONCLUSIVE if strict and comparison.gate.verdict == "inconclusive" else ExitCode.OK
