"""`lowlat record`: the latencies of another program as a report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from lowlat import units
from lowlat.errors import UsageError
from lowlat.reports.outputs.registry import outputs_of
from lowlat_cli.command import full_command
from lowlat_cli.destination import Destination
from lowlat_cli.options.lock import WAIT_S, NoLockOption, WaitOption, alone
from lowlat_cli.options.shared import (
    ColorOption,
    DebugOption,
    FormatOption,
    PlotOption,
    QuietOption,
    ReportOutputOption,
    VerboseOption,
    count,
    duration_s,
    is_given,
)
from lowlat_cli.progress import shown_progress
from lowlat_cli.separators import parts_of
from lowlat_cli.session import color_of

if TYPE_CHECKING:
    from lowlat.engine.bench.record_sources import Source

_USAGE: Final = "write lowlat record -- COMMAND, lowlat record FILE..., lowlat record --from PIPE, or - for stdin"
_COMMAND_RUNS: Final = 5
_NAME_MAX: Final = 200


def record(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE...|-- COMMAND", help="Files, one for each run, - for stdin; or a command."),
    ] = None,
    op: Annotated[str, typer.Option("--op", metavar="NAME", help="Operation of latencies that name none.")] = "all",
    name: Annotated[
        str,
        typer.Option(
            "--name", metavar="NAME", help="Name of the recording; recordings of different names do not compare."
        ),
    ] = "recorded",
    unit: Annotated[
        Literal["ns", "us", "ms", "s"], typer.Option("--unit", help="Unit of the numbers that are read.")
    ] = "ns",
    field: Annotated[
        str | None,
        typer.Option(
            "--field",
            metavar="NAME",
            help="Read NDJSON, with the latency in this field.  [default: ns, if the first line is a JSON object]",
        ),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option("--column", metavar="NAME", help="Read CSV with a header, with the latency in this column."),
    ] = None,
    op_field: Annotated[
        str,
        typer.Option("--op-field", metavar="NAME", help="Field or column that names the operation, where it is there."),
    ] = "op",
    pipe: Annotated[
        Path | None, typer.Option("--from", metavar="PIPE", help="Read a named pipe; each writer is a run.")
    ] = None,
    runs: Annotated[
        int | None,
        typer.Option(
            "--runs",
            metavar="R",
            parser=count(1, 1_000),
            help="How often to run the command, or how many writers of a pipe to wait for.  [default: 5; 1 for a pipe]",
        ),
    ] = None,
    skip: Annotated[
        int,
        typer.Option(
            "--skip",
            metavar="N",
            parser=count(0, 1 << 40),
            help="Leave out the first N latencies of each run, the warm-up.",
        ),
    ] = 0,
    ignore_other_lines: Annotated[
        bool,
        typer.Option("--ignore-other-lines", help="Count lines without a latency instead of refusing them."),
    ] = False,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            metavar="TIME",
            parser=duration_s(0.001, 7 * 86_400.0),
            help="How long a run of a command, a pipe or stdin may take.  [default: no limit]",
        ),
    ] = None,
    wait: WaitOption = WAIT_S,
    no_lock: NoLockOption = False,
    output_format: FormatOption = "table",
    output: ReportOutputOption = None,
    plot: PlotOption = False,
    verbose: VerboseOption = False,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Record the latencies that another program measured.

    The report is one for every other verb: show it, compare it, gate it. Text has a number on each line, or an NDJSON
    object such as {"op": "read", "ns": 1234}, or is CSV; an interval log (.hlog) is read from a file. A command that
    fails leaves no report. Its stderr is shown, its stdin is empty.

    \b
    Examples:
      lowlat record -o head.json -- ./my_bench --fast    five runs; each prints a latency a line, in nanoseconds
      lowlat record --unit us --skip 1k -- ./my_bench    microseconds; the first 1,000 of each run are warm-up
      lowlat record --op-field call --field dur_ns -- ./server_test      NDJSON with fields of your own
      lowlat record run1.csv run2.csv --column latency_ns -o base.json   files, one for each run
      lowlat record service.hlog -o base.json            an interval log of any HdrHistogram
      lowlat record --from /run/app/latencies            what a running program writes into a named pipe
      lowlat compare base.json head.json                 did it get slower?
    """
    source = _source(ctx, words, pipe, runs, timeout)
    _check_names(name=name, op=op, op_field=op_field)
    if field is not None and column is not None:
        raise UsageError("--field is for NDJSON, --column for CSV; remove one of them")
    destination = Destination(output_format, output, color_of(ctx), verbose=verbose, plot=plot)
    destination.check(outputs_of("report"))

    from lowlat.engine.bench import record as recording
    from lowlat.reports.recording.layout import Layout

    layout = Layout(unit, op, field, column, op_field, skip, ignore_other_lines)
    plan = recording.RecordPlan(source, layout, name, full_command(ctx, sys.argv[1:]))
    free = no_lock or not source.command  # only a command measures now, and here
    with alone(ctx, wait, no_lock=free), shown_progress(color_of(ctx), verbose=verbose) as progress:
        report = recording.record(plan, progress)
    return destination.deliver(report)


def _source(
    ctx: typer.Context, words: list[str] | None, pipe: Path | None, runs: int | None, timeout: float | None
) -> Source:
    """What to read: exactly one of a command, a pipe, stdin and files. Raises `UsageError`."""
    from lowlat.engine.bench.record_sources import Source

    files, *after = parts_of(words or [])
    command = tuple(word for index, part in enumerate(after) for word in (["--"] if index else []) + part)
    given = [bool(files), bool(after), pipe is not None]
    if sum(given) != 1 or (after and not command):
        raise UsageError(f"{'several sources' if sum(given) > 1 else 'nothing'} to record; {_USAGE}")
    if files and files != ["-"]:
        if "-" in files:
            raise UsageError("- is the standard input, which is one run; record it alone")
        for option, value in (("--runs", is_given(ctx, "runs")), ("--timeout", is_given(ctx, "timeout"))):
            if value:
                raise UsageError(f"{option} is for a command or a pipe; each file is one run")
        return Source(files=tuple(map(Path, files)))
    if files and is_given(ctx, "runs"):
        raise UsageError("--runs is for a command or a pipe; the standard input is one run")
    default = _COMMAND_RUNS if command else 1
    return Source(command, pipe, runs=1 if files else runs or default, limit_s=timeout)


def _check_names(**names: str) -> None:
    for option, name in names.items():
        if not 0 < len(name) <= _NAME_MAX:
            flag = option.replace("_", "-")
            raise UsageError(f"--{flag} has {units.counted(len(name), 'character')}; give it 1 to {_NAME_MAX}")
