"""`lowlat compare`: did latency regress?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from lowlat import units
from lowlat.errors import UsageError
from lowlat_cli.command import full_command
from lowlat_cli.options.gate import (
    EveryOption,
    GateOption,
    SidesPlotOption,
    StrictOption,
    ToOption,
    deliver,
    destination_of,
)
from lowlat_cli.options.shared import ColorOption, DebugOption, QuietOption, ReportOutputOption
from lowlat_cli.separators import parts_of


def compare(
    ctx: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE", help="Reports or interval logs (.hlog): a base and a head, or several on each side of a --."
        ),
    ],
    gate: GateOption = None,
    strict: StrictOption = False,
    output_format: ToOption = "table",
    output: ReportOutputOption = None,
    plot: SidesPlotOption = False,
    verbose: EveryOption = False,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Compare two sets of runs, and fail if the second is worse.

    Reports must be of the same workload and settings, with at least 2 runs a side; 10 or more recommended. A metric
    regressed if its ratio is beyond the limit and a rank test gives p below 0.05. Percentiles are interpolated between
    the steps of the clock. Exit code 1 if a gated metric regressed; 3 if the reports are not comparable, or if the same
    commands gave different events.

    \b
    Examples:
      lowlat compare base.json head.json
      lowlat compare base.json head.json --gate cpu=5% --gate p50:service:cancel=5%
      lowlat compare base/*.json -- head/*.json              several reports per side
      lowlat compare base.json head.json --to md >> "$GITHUB_STEP_SUMMARY"
      lowlat compare base.json head.json --to junit -o gate.xml
      lowlat compare base.json head.json -o gate.html        a page with the ratios as a chart
      lowlat compare base.json head.json --plot              both sides' latency by percentile
      lowlat compare base/*.hlog -- head/*.hlog              interval logs of any HdrHistogram, one for each run
    """
    base_files, head_files = _sides(files)
    destination = destination_of(ctx, output_format, output, verbose=verbose, plot=plot)

    from lowlat.engine.bench.record import report_of_log
    from lowlat.reports.compare.compare import Sides, compare_reports, samples_of
    from lowlat.reports.compare.gate import parse_rule
    from lowlat.reports.io.loader import read_reports

    rules = tuple(map(parse_rule, gate or ()))
    reports = read_reports([*base_files, *head_files], report_of_log)
    base = samples_of(reports[: len(base_files)], _label(base_files), [str(file) for file in base_files])
    head = samples_of(reports[len(base_files) :], _label(head_files), [str(file) for file in head_files])
    comparison = compare_reports(base, head, rules, full_command(ctx, sys.argv[1:]))
    return deliver(comparison, Sides(base, head), destination, strict=strict)


def _sides(words: list[str]) -> tuple[list[Path], list[Path]]:
    """Base and head: two files, or the files on each side of a single `--`."""
    parts = parts_of(words)
    if len(parts) == 1 and len(words) == 2:
        parts = [words[:1], words[1:]]
    if len(parts) == 1:
        raise UsageError(
            f"{units.plural(len(words), 'file')}, but no separator between base and head; "
            "write two, or: lowlat compare BASE... -- HEAD..."
        )
    if len(parts) > 2:
        raise UsageError("more than one --; write lowlat compare BASE... -- HEAD...")
    if not (parts[0] and parts[1]):
        raise UsageError("one side of the -- has no file; write lowlat compare BASE... -- HEAD...")
    base, head = ([Path(word) for word in part] for part in parts)
    return base, head


def _label(files: list[Path]) -> str:
    return str(files[0]) if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
