"""`lowlat ab`: compare two settings or commands with interleaved runs."""

from __future__ import annotations

import secrets
import shlex
import sys
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from lowlat import units
from lowlat.child_process import python_running
from lowlat.errors import UsageError
from lowlat_cli.command import full_command, settable
from lowlat_cli.help_page import key_of
from lowlat_cli.options.gate import (
    EveryOption,
    GateOption,
    SidesPlotOption,
    StrictOption,
    ToOption,
    deliver,
    destination_of,
)
from lowlat_cli.options.lock import WAIT_S, NoLockOption, WaitOption, alone
from lowlat_cli.options.shared import (
    SEED_MAX,
    ColorOption,
    DebugOption,
    QuietOption,
    ReportOutputOption,
    count,
    is_given,
)
from lowlat_cli.parser_errors import is_of_parser, of_parser
from lowlat_cli.progress import shown_progress
from lowlat_cli.separators import parts_of
from lowlat_cli.session import color_of, session_of
from lowlat_cli.settings import loads_code, names_output

if TYPE_CHECKING:
    from lowlat.engine.bench.subprocess_run import ComparedCommand

PAIRS_MAX: Final = 1_000
_OWN: Final = frozenset(
    {"runs", "format", "output", "verbose", "quiet", "no-lock", "wait", "color", "debug", "sweep", "log"}
)
"""Options of bench that cannot be a side's: ab says them, or they do not make one report."""
_STRAY: Final = frozenset({"output", "sweep", "log"})
"""Of these, what environment and settings file must not add to the runs either."""
_USAGE: Final = "write lowlat ab --a 'OPTIONS' --b 'OPTIONS', or lowlat ab -- COMMAND A -- COMMAND B"


def ab(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND", help="Two commands, each after a --: its words, or one quoted argument."),
    ] = None,
    a: Annotated[
        str | None,
        typer.Option("--a", metavar="OPTIONS", help="'lowlat bench' options for the first side, the base."),
    ] = None,
    b: Annotated[
        str | None, typer.Option("--b", metavar="OPTIONS", help="'lowlat bench' options for the second side, the head.")
    ] = None,
    metric: Annotated[
        Literal["report", "wall"],
        typer.Option("--metric", help="What to compare: the report that each command prints, or its wall-clock time."),
    ] = "report",
    runs: Annotated[
        int,
        typer.Option(
            "--runs", metavar="R", parser=count(2, PAIRS_MAX), help="Runs of each side; each pair has one of both."
        ),
    ] = 10,
    until_decided: Annotated[
        bool,
        typer.Option(
            "--until-decided",
            help="Run pairs until every gated metric is regressed, improved or unchanged, instead of --runs. Looking "
            "repeatedly does not raise the error rate of a metric.",
        ),
    ] = False,
    max_runs: Annotated[
        int,
        typer.Option(
            "--max-runs",
            metavar="N",
            parser=count(2, PAIRS_MAX),
            help="With --until-decided, runs of each side after which it ends undecided.",
        ),
    ] = 60,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            metavar="S",
            parser=count(0, SEED_MAX),
            help="Random seed for the order within pairs.  [default: random]",
        ),
    ] = None,
    wait: WaitOption = WAIT_S,
    no_lock: NoLockOption = False,
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
    """Compare two settings or two commands, with interleaved runs.

    Every pair runs both sides in random order, so drift on the host affects both alike. Gates, output and exit codes
    are those of 'lowlat compare'. A command must print a lowlat.report/1 document, except with --metric wall.

    \b
    Examples:
      lowlat ab --a '' --b '--orders 1M'                  does a larger pool cost anything?
      lowlat ab --a '-p deep --cpu 0' --b '-p deep --cpu 1' --until-decided
      lowlat ab -- old/bin/lowlat bench --runs 1 --json -- new/bin/lowlat bench --runs 1 --json
      lowlat ab --metric wall --gate wall=5% -- './old day.csv' -- './new day.csv'
    """
    destination = destination_of(ctx, output_format, output, verbose=verbose, plot=plot)
    base, head = _sides(ctx, words, a, b, wall=metric == "wall")
    open_ended = _open_ended(ctx, until_decided=until_decided)

    from lowlat.engine.bench.ab import AbPlan, compare_commands
    from lowlat.reports.compare.gate import parse_rule

    plan = AbPlan(
        base=base,
        head=head,
        pairs=max_runs if open_ended else runs,
        seed=secrets.randbits(32) if seed is None else seed,
        wall=metric == "wall",
        until_decided=open_ended,
        rules=tuple(map(parse_rule, gate or ())),
        command=full_command(ctx, sys.argv[1:]),
    )
    with alone(ctx, wait, no_lock=no_lock), shown_progress(color_of(ctx), verbose=verbose) as progress:
        comparison, sides = compare_commands(plan, progress)
    return deliver(comparison, sides, destination, strict=strict)


def _open_ended(ctx: typer.Context, *, until_decided: bool) -> bool:
    """Whether to run until a decision: --runs on the command line overrides the settings. Raises `UsageError`."""
    if not is_given(ctx, "runs"):
        if is_given(ctx, "max_runs") and not until_decided:
            raise UsageError("--max-runs limits --until-decided; add it, or write --runs for a fixed number")
        return until_decided
    for name, flag in (("until_decided", "--until-decided"), ("max_runs", "--max-runs")):
        if is_given(ctx, name):
            raise UsageError(f"--runs fixes the number of runs, and {flag} leaves it open; remove one of them")
    return False


def _sides(
    ctx: typer.Context, words: list[str] | None, a: str | None, b: str | None, *, wall: bool
) -> tuple[ComparedCommand, ComparedCommand]:
    if words is None and a is not None and b is not None:
        if wall:
            raise UsageError("--metric wall is for commands; --a and --b are compared by their reports")
        return _setting(ctx, "--a", a), _setting(ctx, "--b", b)
    if words is None or a is not None or b is not None:
        given = "both options and commands" if words is not None else "nothing" if a is b else "only one side"
        raise UsageError(f"{given} to compare; {_USAGE}")
    parts = parts_of(words)
    if parts[0]:
        raise UsageError(f"{parts[0][0]!r} comes before the first --; {_USAGE}")
    commands = [part for part in parts if part]
    if len(commands) != 2 or len(parts) != 3:
        count_of = units.plural(len(commands), "command")
        raise UsageError(f"{count_of} given, two expected; {_USAGE}; quote a command that contains its own --")
    return _command("A", parts[1]), _command("B", parts[2])


def _command(name: str, words: list[str]) -> ComparedCommand:
    from lowlat.engine.bench.subprocess_run import ComparedCommand

    whole = words[0] if len(words) == 1 else None
    split = tuple(words) if whole is None else _split(name, whole)
    if not split:
        raise UsageError(f"command {name} is empty; {_USAGE}")
    return ComparedCommand(name, shlex.join(split), split)


def _setting(ctx: typer.Context, flag: str, text: str) -> ComparedCommand:
    """A run of bench with these options, parsed as bench parses them. Raises `UsageError`."""
    from lowlat.engine.bench.subprocess_run import ComparedCommand

    words = _split(flag, text)
    root: Any = ctx.find_root()
    bench = root.command.commands["bench"]
    try:
        with bench.make_context("bench", list(words), parent=root, help_option_names=[]) as side:
            for option in settable(bench):
                source = side.get_parameter_source(option.name)
                _check_source(flag, key_of(option), source)
                _check_harmless(ctx, flag, key_of(option), source, side.params.get(option.name))
            _check_inputs(flag, text, side.params)
    except typer.TyperException as error:
        if not is_of_parser(error):
            raise
        raise UsageError(f"{flag} {text!r}: {of_parser(error, session_of(ctx).settings_file)}") from error
    name = flag.removeprefix("--").upper()
    return ComparedCommand(
        name,
        f"bench {text}".strip(),
        (*python_running("lowlat_cli.main"), "bench", *words, "--runs", "1", "--no-kernel-path", "--json"),
        ours=True,
    )


def _check_source(flag: str, key: str, source: Any) -> None:
    where = None if source is None else source.name
    if where == "COMMANDLINE" and key in _OWN:
        raise UsageError(f"{flag}: --{key} does not apply to one side; remove it, or pass it to ab itself")
    if where in {"ENVIRONMENT", "DEFAULT_MAP"} and key in _STRAY:
        raise UsageError(f"the environment or the settings file sets {key} for bench, which ab runs; unset it")


def _check_inputs(flag: str, text: str, options: dict[str, Any]) -> None:
    """Look at the profile, the engine and the CPUs of a side, as bench does, before the other side runs."""
    from lowlat.engine.bench.engines import engine_entry
    from lowlat.engine.flow.profile import load_profile
    from lowlat_cli.run_plan import cpus_of

    try:
        load_profile(options["profile"])
        _ = engine_entry(options["engine"]).told
        cpus_of(options["cpu"])
    except UsageError as error:
        raise UsageError(f"{flag} {text!r}: {error}") from error


def _check_harmless(ctx: typer.Context, flag: str, key: str, source: Any, value: Any) -> None:
    """Refuse a path to write, and a library to load, in the options of a side that a project's file gives."""
    given = ctx.get_parameter_source(flag.removeprefix("--"))
    if given is None or given.name != "DEFAULT_MAP" or source is None or source.name != "COMMANDLINE":
        return
    if names_output("bench", key):
        where = session_of(ctx).settings_file
        raise UsageError(f"{where}: --{key} in {flag} names what to write, which a project's file cannot; remove it")
    if loads_code(key, value):
        where = session_of(ctx).settings_file
        raise UsageError(
            f"{where}: --{key} in {flag} names a library or a process, whose code a project's file cannot have run"
        )


def _split(name: str, text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"{name} {text!r} cannot be split into words: {error}") from error
