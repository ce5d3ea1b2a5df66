"""`lowlat league`: several engines on several order flows, interleaved."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lowlat.errors import ExitCode, UsageError
from lowlat_cli.command import full_command
from lowlat_cli.destination import Destination
from lowlat_cli.listings import engine_names
from lowlat_cli.options.lock import WAIT_S, NoLockOption, WaitOption, alone
from lowlat_cli.options.shared import (
    SEED_MAX,
    ColorOption,
    CpuOption,
    DebugOption,
    FormatOption,
    LeagueOutputOption,
    QuietOption,
    VerboseOption,
    count,
    engine_name,
)
from lowlat_cli.progress import shown_progress
from lowlat_cli.session import color_of
from lowlat_cli.signals import interrupted_exit_code
from lowlat_cli.stdio import say
from lowlat_cli.verbs.bench import COMMANDS_MAX

if TYPE_CHECKING:
    from rich.console import Console

    from lowlat.engine.flow.profile import Profile
    from lowlat.reports.model.league import League

ROUNDS_MAX = 1_000
PROFILES = "steady,deep,many-symbols"


def league(
    ctx: typer.Context,
    engines: Annotated[
        list[str],
        typer.Argument(
            metavar="ENGINE|FILE|PROCESS...",
            parser=engine_name,
            autocompletion=engine_names,
            help="Engines: {engines}, shared libraries behind lowlat_engine.h, as in ./libmine.so, or commands of "
            "processes, as in 'ndjson:./mine'.",
        ),
    ],
    profile: Annotated[
        str,
        typer.Option(
            "--profile", "-p", metavar="LIST", help="Order flows, comma-separated: {profiles}, or TOML files."
        ),
    ] = PROFILES,
    commands: Annotated[
        int | None,
        typer.Option(
            "--commands",
            "-n",
            metavar="N",
            parser=count(1, COMMANDS_MAX),
            help="Commands of a run. An engine in Python gets the first 20k of them, or what its package says.  "
            "[default: 500k]",
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            "--seed",
            metavar="S",
            parser=count(0, SEED_MAX),
            help="Random seed of the order flows, and of the order of engines in each round.",
        ),
    ] = 1,
    runs: Annotated[
        int,
        typer.Option(
            "--runs", metavar="R", parser=count(1, ROUNDS_MAX), help="Rounds; each has one run of every engine."
        ),
    ] = 6,
    cpu: CpuOption = None,
    wait: WaitOption = WAIT_S,
    no_lock: NoLockOption = False,
    output_format: FormatOption = "table",
    output: LeagueOutputOption = None,
    verbose: VerboseOption = False,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Measure several engines against each other, interleaved, and check what they execute.

    Ratios are to the first engine named that has figures. An engine that executes other trades than the native one has
    none, and the exit code is 3. One that lacks what a flow needs is named with what it lacks.

    \b
    Examples:
      lowlat league native reference                       the two engines of lowlat
      lowlat league native ./libmine.so -p equity          yours, on a busy stock
      lowlat league ./old.so ./new.so -p steady,mine.toml  two versions of yours, on your own mix too
      lowlat league native ./libmine.so -o league.html     a page to send
    """
    destination = Destination(output_format, output, color_of(ctx), verbose=verbose)
    destination.check(("md", "html", "csv"))
    profiles = _profiles(profile)

    from lowlat.engine.bench.league import LeaguePlan, measure_league
    from lowlat_cli.run_plan import cpus_of

    plan = LeaguePlan(
        engines=tuple(engines),
        profiles=profiles,
        rounds=runs,
        cpus=cpus_of(cpu),
        commands=commands,
        seed=seed,
        command=full_command(ctx, sys.argv[1:]),
    )
    with alone(ctx, wait, no_lock=no_lock), shown_progress(color_of(ctx), verbose=verbose) as progress:
        found = measure_league(plan, progress)
    return _deliver(found, destination)


def _profiles(listed: str) -> tuple[Profile, ...]:
    from lowlat.engine.flow.profile import load_profile

    profiles = tuple(load_profile(name.strip()) for name in listed.split(",") if name.strip())
    names = [each.name for each in profiles]
    if not profiles:
        raise UsageError(f"--profile {listed!r} names no order flow; write --profile {PROFILES}")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"--profile names {twice} twice; name each once")
    return profiles


def _deliver(found: League, destination: Destination) -> ExitCode:
    from lowlat.reports.io.json_codec import to_text
    from lowlat.reports.outputs.league_csv import to_csv
    from lowlat.reports.outputs.league_markdown import to_markdown
    from lowlat.text import printable_lines

    def draw(on: Console) -> None:
        from lowlat.reports.terminal.league_table import render_league

        render_league(found, on, every=destination.verbose)

    others = {
        "md": lambda: printable_lines(to_markdown(found)),
        "csv": lambda: printable_lines(to_csv(found)),
        **destination.page_of(found),
    }
    destination.write(lambda: to_text(found), draw, others)
    if found.status != "ok":
        say(f"{'invalid' if found.status == 'invalid' else 'stopped early'}: {'; '.join(found.status_reasons)}")
    if found.status == "interrupted":
        return interrupted_exit_code()
    return ExitCode.NOT_VALID if found.status == "invalid" else ExitCode.OK
