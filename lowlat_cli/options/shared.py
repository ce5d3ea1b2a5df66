"""Options that several verbs take, and parsers for counts and durations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import typer

from lowlat.errors import FormatError, UsageError
from lowlat_cli.console import Color
from lowlat_cli.listings import engine_names
from lowlat_cli.quantity import parse_count, parse_duration_ns
from lowlat_cli.session import session_of
from lowlat_cli.stdio import show_notes

SEED_MAX = 2**64 - 1
"""The largest random seed, of an order flow and of the order of runs."""

OutputFormat: TypeAlias = Literal["table", "json"]
ExhaustionPolicy: TypeAlias = Literal["reject", "grow"]


def count(minimum: int, maximum: int) -> Callable[[Any], int]:
    """A parser for options that take a count within bounds."""

    def parse(value: Any) -> int:
        try:
            number = parse_count(str(value))
        except FormatError as error:
            raise typer.BadParameter(str(error)) from error
        if not minimum <= number <= maximum:
            raise typer.BadParameter(f"{value} is outside {minimum}..{maximum}")
        return number

    return parse


def is_given(ctx: typer.Context, name: str) -> bool:
    """Whether an option was given on the command line, not in the environment or settings file."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def duration_s(minimum_s: float, maximum_s: float) -> Callable[[Any], float]:
    """A parser for options that take a duration within bounds; returns seconds."""

    def parse(value: Any) -> float:
        if isinstance(value, float):  # the default
            return value
        try:
            seconds = parse_duration_ns(str(value)) / 1e9
        except FormatError as error:
            raise typer.BadParameter(str(error)) from error
        if not minimum_s <= seconds <= maximum_s:
            raise typer.BadParameter(f"{value} is outside {minimum_s:g}s..{maximum_s:g}s")
        return seconds

    return parse


def engine_name(value: Any) -> str:
    """The name of an engine, the whole path of its library, or its process. Raises `typer.BadParameter` for what is
    none of these.
    """
    from lowlat.engine.bench.engines import ENGINES, engine_entry, is_foreign

    if is_foreign(str(value)):
        try:
            return engine_entry(str(value)).name
        except UsageError as error:
            raise typer.BadParameter(str(error)) from error
    if value not in ENGINES:
        raise typer.BadParameter(ENGINES.refusal(str(value)))
    return str(value)


def _remember_color(ctx: typer.Context, param: typer.CallbackParam, value: Color | None) -> Color | None:
    """A flag may appear at any level, and the last one wins; without a flag, environment and settings file apply."""
    session = session_of(ctx)
    source = ctx.get_parameter_source(param.name)
    if session.color is None or (source is not None and source.name == "COMMANDLINE"):
        session.color = value
    return session.color


def _remember_debug(ctx: typer.Context, value: bool) -> bool:
    session = session_of(ctx)
    session.debug = session.debug or value
    return session.debug


def _remember_quiet(ctx: typer.Context, value: bool) -> bool:
    session = session_of(ctx)
    session.quiet = session.quiet or value
    show_notes(shown=not session.quiet)
    return session.quiet


ColorOption: TypeAlias = Annotated[
    Color | None,
    typer.Option(
        "--color",
        callback=_remember_color,
        help="Color the output. auto: on a terminal or with FORCE_COLOR, unless NO_COLOR is set.  [default: auto]",
    ),
]
DebugOption: TypeAlias = Annotated[
    bool,
    # Eager, so that it applies to errors in the other options too.
    typer.Option("--debug", callback=_remember_debug, is_eager=True, help="Show the traceback of an error."),
]
QuietOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        callback=_remember_quiet,
        help="Write only the result and errors: no progress, notes, warnings.",
    ),
]
FormatOption: TypeAlias = Annotated[
    OutputFormat, typer.Option("--format", help="Output format; --json is short for --format json.")
]
OutputOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write to FILE instead of stdout, atomically. A file named *.json gets the JSON document, and the "
        "table is still printed; - is stdout.",
    ),
]


def output_by_name(formats: str) -> Any:
    """`--output` of a verb that writes several formats: their names, each with what it has in parentheses."""
    return typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write to FILE instead of stdout, atomically. Its name chooses the format; the table is still printed: "
        f"{formats}. - is stdout.",
    )


ReportOutputOption: TypeAlias = Annotated[
    Path | None,
    output_by_name(
        "*.json, *.html (a page with charts; needs the extra lowlat[html]), *.md, and what else 'lowlat report --to' "
        "writes: *.csv, *.hgrm, *.hlog, *.prom, *.xml (JUnit)"
    ),
]
LeagueOutputOption: TypeAlias = Annotated[
    Path | None,
    output_by_name("*.json, *.html (a page with a chart; needs the extra lowlat[html]), *.md, *.csv"),
]
AblationOutputOption: TypeAlias = Annotated[
    Path | None, output_by_name("*.json, *.html (a page with a chart; needs the extra lowlat[html]), *.md")
]
PlotOption: TypeAlias = Annotated[
    bool,
    typer.Option("--plot", help="Draw latency by percentile below the table; for a sweep, latency vs. throughput."),
]
VerboseOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--verbose", "-v", help="Show everything, list mismatches, and show progress even without a terminal."
    ),
]
RunsOption: TypeAlias = Annotated[
    int, typer.Option("--runs", metavar="R", parser=count(1, 1_000), help="Number of runs, each in a fresh process.")
]
NoKernelPathOption: TypeAlias = Annotated[
    bool,
    typer.Option("--no-kernel-path", help="Leave the kernel's part out of the latency budget: half a second less."),
]
CpuOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--cpu",
        metavar="LIST",
        help="CPUs to measure on, interleaved over runs, such as 3 or 0-3,8; auto: the CPU that "
        "'lowlat affinity plan --roles matcher' chooses.  [default: auto]",
    ),
]
EngineOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="NAME|FILE|PROCESS",
        parser=engine_name,
        autocompletion=engine_names,
        help="What is measured: {engines}, a shared library behind lowlat_engine.h, as in ./libmine.so, or the command "
        "of a process, as in 'ndjson:./mine'.",
    ),
]
OrdersOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--orders",
        metavar="N",
        parser=count(1, 1 << 30),
        help="Capacity of the order pool, in resting orders.  [default: as the flow needs, at least 50k]",
    ),
]
TradesOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--trades",
        metavar="N",
        parser=count(1, 1 << 32),
        help="Capacity of the trade tape, in trades.  [default: 100k]",
    ),
]
PoolPolicyOption: TypeAlias = Annotated[
    ExhaustionPolicy,
    typer.Option("--on-exhaustion", help="On order pool exhaustion: reject the command, or grow the pool."),
]
