"""`lowlat ablate`: what each low-latency technique is worth on this host."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lowlat.errors import ExitCode
from lowlat_cli.command import full_command
from lowlat_cli.destination import Destination
from lowlat_cli.listings import engine_names, technique_names
from lowlat_cli.options.lock import WAIT_S, NoLockOption, WaitOption, alone
from lowlat_cli.options.shared import (
    SEED_MAX,
    AblationOutputOption,
    ColorOption,
    DebugOption,
    FormatOption,
    QuietOption,
    VerboseOption,
    count,
    engine_name,
)
from lowlat_cli.progress import shown_progress
from lowlat_cli.session import color_of
from lowlat_cli.signals import interrupted_exit_code

if TYPE_CHECKING:
    from rich.console import Console

    from lowlat.reports.model.ablation import Ablation

PROFILE, PROFILE_IN_PYTHON = "deep", "steady"
"""A book that the second-level cache does not hold: what hides cache misses has some to hide. Filling it takes an
engine in Python seconds.
"""


def ablate(
    ctx: typer.Context,
    only: Annotated[
        str | None,
        typer.Option(
            "--only",
            metavar="LIST",
            autocompletion=technique_names,
            help="Techniques, comma-separated: {techniques}.  [default: all]",
            show_default=False,
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            metavar="NAME|FILE",
            parser=engine_name,
            autocompletion=engine_names,
            help="What techniques are measured around: {engines}, or a shared library behind lowlat_engine.h, as in "
            "./libmine.so.",
        ),
    ] = "native",
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            "-p",
            metavar="NAME|FILE",
            help="Order flow for techniques of the whole engine: {profiles}, or a TOML file.  [default: deep; steady "
            "for an engine in Python]",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            "--seed",
            metavar="S",
            parser=count(0, SEED_MAX),
            help="Random seed of the order flow, and of the order of runs.",
        ),
    ] = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer and shorter runs, within 20 seconds: for a first look.")
    ] = False,
    cpu: Annotated[
        str | None,
        typer.Option(
            "--cpu",
            metavar="LIST",
            help="CPU of the measured thread, and of a second one where a technique needs two, such as 3,5; auto: as "
            "'lowlat affinity plan --roles matcher' chooses, and one of another core.  [default: auto]",
            show_default=False,
        ),
    ] = None,
    wait: WaitOption = WAIT_S,
    no_lock: NoLockOption = False,
    output_format: FormatOption = "table",
    output: AblationOutputOption = None,
    verbose: VerboseOption = False,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Measure what each low-latency technique is worth on this host, with and without it.

    Runs with and without are interleaved in random order, within two minutes. A technique helps or hurts if the gate's
    test of 'lowlat compare' says so. The control measures the same twice. With --engine, what is around an engine is
    measured around yours, once its events are found right; what is inside lowlat is not available then.

    \b
    Examples:
      lowlat ablate                          every technique, within two minutes
      lowlat ablate --quick                  a first look, within 20 seconds
      lowlat ablate --only look-ahead,pool   two of them
      lowlat ablate --only look-ahead -p steady   on a small book
      lowlat ablate --engine ./libmine.so    what is around your own engine
      lowlat ablate -v                       also why, how, and all figures
      lowlat ablate -o techniques.html       a page with a chart to send
    """
    destination = Destination(output_format, output, color_of(ctx), verbose=verbose)
    destination.check(("md", "html"))

    from lowlat.engine.ablation.catalog import chosen
    from lowlat.engine.ablation.run import AblationPlan, measure_ablation
    from lowlat.engine.ablation.verification import measurable
    from lowlat.engine.flow.profile import load_profile
    from lowlat_cli.run_plan import cpus_of

    entry = measurable(engine)
    _ = entry.told  # what cannot be loaded does not wait for another measurement
    plan = AblationPlan(
        techniques=chosen(only),
        engine=engine,
        profile=load_profile(profile or (PROFILE if entry.compiled else PROFILE_IN_PYTHON)),
        seed=seed,
        cpus=cpus_of(cpu),
        quick=quick,
        command=full_command(ctx, sys.argv[1:]),
    )
    with alone(ctx, wait, no_lock=no_lock), shown_progress(color_of(ctx), verbose=verbose) as progress:
        found = measure_ablation(plan, progress)
    return _deliver(found, destination)


def _deliver(found: Ablation, destination: Destination) -> ExitCode:
    from lowlat.documents import text
    from lowlat.reports.outputs.ablation_markdown import to_markdown
    from lowlat.text import printable_lines

    def draw(on: Console) -> None:
        from lowlat.reports.terminal.ablation_table import render_ablation

        render_ablation(found, on, every=destination.verbose)

    others = {"md": lambda: printable_lines(to_markdown(found)), **destination.page_of(found)}
    destination.write(lambda: text(found), draw, others)
    return interrupted_exit_code() if found.status == "interrupted" else ExitCode.OK
