"""`lowlat ab`: which of two is faster, measured in turn."""

from __future__ import annotations

import secrets
import shlex
import sys
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from lowlat.child_process import python_running
from lowlat.errors import UsageError
from lowlat_cli.command import full_command, key_of, settable
from lowlat_cli.options.gate import (
    EveryOption,
    GateOption,
    SidesPlotOption,
    StrictOption,
    ToOption,
    deliver,
    destination_of,
)
from lowlat_cli.options.shared import ColorOption, DebugOption, ReportOutputOption, count
from lowlat_cli.progress import shown_progress
from lowlat_cli.separators import parts_of
from lowlat_cli.session import color_of, session_of
from lowlat_cli.wording import is_of_parser, of_parser

if TYPE_CHECKING:
    from lowlat.engine.bench.subprocess_run import Command

PAIRS_MAX: Final = 1_000
SEED_MAX: Final = 2**64 - 1
_OWN: Final = frozenset({"runs", "format", "output", "verbose", "color", "debug", "sweep", "log"})
"""Options of bench that cannot be a side's: ab says them, or they do not make one report."""
_STRAY: Final = frozenset({"output", "sweep", "log"})
"""Of these, what environment and settings file must not add to the runs either."""
_USAGE: Final = "write lowlat ab --a 'OPTIONS' --b 'OPTIONS', or lowlat ab -- COMMAND A -- COMMAND B"


class SideError(UsageError):
    """A side that is missing, given twice, or that cannot be run."""


def ab(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND", help="Two commands; a word in quotes is a whole one."),
    ] = None,
    a: Annotated[
        str | None,
        typer.Option("--a", metavar="OPTIONS", help="Options of 'lowlat bench' for the first side, the base."),
    ] = None,
    b: Annotated[
        str | None, typer.Option("--b", metavar="OPTIONS", help="Options of 'lowlat bench' for the second side.")
    ] = None,
    metric: Annotated[
        Literal["report", "wall"],
        typer.Option("--metric", help="What a command is measured by: the report that it prints, or its elapsed time."),
    ] = "report",
    runs: Annotated[
        int,
        typer.Option(
            "--runs", metavar="R", parser=count(2, PAIRS_MAX), help="Runs of each side, one of either a pair."
        ),
    ] = 10,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed", metavar="S", parser=count(0, SEED_MAX), help="Of the order within pairs.  [default: a fresh one]"
        ),
    ] = None,
    gate: GateOption = None,
    strict: StrictOption = False,
    output_format: ToOption = "table",
    output: ReportOutputOption = None,
    plot: SidesPlotOption = False,
    verbose: EveryOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Measure two settings or two commands in turn, and compare them.

    Every pair runs both sides, in random order: what drifts on the host meets both alike. Gate, output and exit codes
    are those of 'lowlat compare'. A command has to print a lowlat.report/1 document, unless its elapsed time is taken.

    \b
    Examples:
      lowlat ab --a '' --b '--orders 1M'                  does a larger pool cost anything?
      lowlat ab --a '-p deep --cpu 0' --b '-p deep --cpu 1'
      lowlat ab -- old/bin/lowlat bench --runs 1 --json -- new/bin/lowlat bench --runs 1 --json
      lowlat ab --metric wall --gate wall=5% -- './old day.csv' -- './new day.csv'
    """
    destination = destination_of(ctx, output_format, output, plot=plot)
    base, head = _sides(ctx, words, a, b, wall=metric == "wall")

    from lowlat.engine.bench.ab import AbPlan, compare_commands
    from lowlat.reports.compare.gate import parse_rule

    plan = AbPlan(
        base=base,
        head=head,
        pairs=runs,
        seed=secrets.randbits(32) if seed is None else seed,
        wall=metric == "wall",
        rules=tuple(map(parse_rule, gate or ())),
        command=full_command(ctx, sys.argv[1:]),
    )
    with shown_progress(color_of(ctx), verbose=verbose) as progress:
        comparison, sides = compare_commands(plan, progress)
    return deliver(comparison, sides, destination, strict=strict, every=verbose)


def _sides(
    ctx: typer.Context, words: list[str] | None, a: str | None, b: str | None, *, wall: bool
) -> tuple[Command, Command]:
    if words is None and a is not None and b is not None:
        if wall:
            raise SideError("--metric wall is for commands; --a and --b are measured by their reports")
        return _setting(ctx, "--a", a), _setting(ctx, "--b", b)
    if words is None or a is not None or b is not None:
        given = "both options and commands" if words is not None else "nothing" if a is b else "one side only"
        raise SideError(f"{given} to compare; {_USAGE}")
    parts = parts_of(words)
    if parts[0]:
        raise SideError(f"{parts[0][0]!r} stands before the first --; {_USAGE}")
    commands = [part for part in parts if part]
    if len(commands) != 2 or len(parts) != 3:
        count_of = f"{len(commands)} command{'s' * (len(commands) != 1)}"
        raise SideError(f"{count_of} where two belong; {_USAGE}; quote a command that holds a -- of its own")
    return _command("A", parts[1]), _command("B", parts[2])


def _command(name: str, words: list[str]) -> Command:
    from lowlat.engine.bench.subprocess_run import Command

    whole = words[0] if len(words) == 1 else None
    split = tuple(words) if whole is None else _split(name, whole)
    if not split:
        raise SideError(f"command {name} is empty; {_USAGE}")
    return Command(name, shlex.join(split), split)


def _setting(ctx: typer.Context, flag: str, text: str) -> Command:
    """A run of bench with these options, parsed as bench would. Raises `SideError` with what is wrong with them."""
    from lowlat.engine.bench.subprocess_run import Command

    words = _split(flag, text)
    root: Any = ctx.find_root()
    bench = root.command.commands["bench"]
    try:
        with bench.make_context("bench", list(words), parent=root, help_option_names=[]) as side:
            for option in settable(bench):
                _check_source(flag, key_of(option), side.get_parameter_source(option.name))
    except typer.TyperException as error:
        if not is_of_parser(error):
            raise
        raise SideError(f"{flag} {text!r}: {of_parser(error, session_of(ctx).settings_file)}") from error
    name = flag.removeprefix("--").upper()
    return Command(
        name,
        f"bench {text}".strip(),
        (*python_running("lowlat_cli.main"), "bench", *words, "--runs", "1", "--json"),
        ours=True,
    )


def _check_source(flag: str, key: str, source: Any) -> None:
    where = None if source is None else source.name
    if where == "COMMANDLINE" and key in _OWN:
        raise SideError(f"{flag}: --{key} is not for a side of ab; leave it out, or give it to ab itself")
    if where in {"ENVIRONMENT", "DEFAULT_MAP"} and key in _STRAY:
        raise SideError(f"environment or settings file set {key} for bench, which ab runs; unset it meanwhile")


def _split(name: str, text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise SideError(f"{name} {text!r} cannot be split into words: {error}") from error
