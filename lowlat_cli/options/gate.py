"""Options shared by verbs with a gate, and the delivery of their comparison."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from lowlat.errors import ExitCode
from lowlat.text import printable_lines
from lowlat_cli.destination import Destination
from lowlat_cli.session import color_of
from lowlat_cli.signals import interrupted_exit_code
from lowlat_cli.stdio import note, say

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
        help="Fail when METRIC is worse by more than N%: p50 to p99.999, max, mean, throughput, cpu (CPU time per "
        "command, in closed loops) or wall. OP is an operation, or * for each; without it, all operations together. "
        "Repeatable; replaces the default.  [default: p50=10%, p99=10%, and cpu=10% in closed loops]",
    ),
]
StrictOption: TypeAlias = Annotated[
    bool, typer.Option("--strict", help="Exit with 4 when a gated metric is inconclusive, instead of 0.")
]
ToOption: TypeAlias = Annotated[
    ComparisonFormat,
    typer.Option("--format", "--to", help="Output format; --json is short for --format json."),
]
EveryOption: TypeAlias = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show every metric, and show progress even without a terminal.")
]
SidesPlotOption: TypeAlias = Annotated[
    bool, typer.Option("--plot", help="Draw both sides' latency by percentile below the table.")
]


def destination_of(
    ctx: typer.Context, output_format: ComparisonFormat, output: Path | None, *, verbose: bool, plot: bool
) -> Destination:
    """The checked destination of a comparison. Raises `OutputPathError`, `UsageError`."""
    destination = Destination(output_format, output, color_of(ctx), verbose=verbose, plot=plot)
    destination.check(("md", "junit", "html"))
    return destination


def deliver(comparison: Comparison, sides: Sides, destination: Destination, *, strict: bool) -> ExitCode:
    """Write the comparison, on request with a chart of both sides under the table; print on stderr what the
    chosen output does not show there, and return the exit code of the gate.
    """
    from lowlat.reports.io.json_codec import to_text
    from lowlat.reports.outputs.comparison_junit import to_junit
    from lowlat.reports.outputs.comparison_markdown import to_markdown
    from lowlat.reports.terminal.comparison_lines import verdict

    others = {
        "md": lambda: printable_lines(to_markdown(comparison)),
        "junit": lambda: printable_lines(to_junit(comparison)),
        **destination.page_of(comparison),
    }
    destination.write(lambda: to_text(comparison), lambda on: _draw(comparison, sides, destination, on), others)
    for reason in comparison.status_reasons:
        say(f"stopped early: {reason}")
    if not destination.prints_table(others):  # the table shows warnings and verdict
        for warning in comparison.warnings:
            note(f"warning: {warning}")
        if comparison.gate.verdict != "passed":
            tell = note if _exit_code(comparison, strict=strict) == ExitCode.OK else say
            tell(verdict(comparison))
    return _exit_code(comparison, strict=strict)


def _draw(comparison: Comparison, sides: Sides, destination: Destination, on: Console) -> None:
    from lowlat.reports.terminal.comparison_table import render_comparison

    render_comparison(comparison, on, every=destination.verbose)
    if destination.plot:
        from lowlat.reports.terminal.plot import render_plot

        on.print()
        render_plot(sides, on)


def _exit_code(comparison: Comparison, *, strict: bool) -> ExitCode:
    if comparison.status == "interrupted":
        return interrupted_exit_code()
    if comparison.gate.verdict == "failed":
        return ExitCode.GATE_FAILED
    return ExitCode.INCONCLUSIVE if strict and comparison.gate.verdict == "inconclusive" else ExitCode.OK
