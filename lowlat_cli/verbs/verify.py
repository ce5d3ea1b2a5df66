"""`lowlat verify`: does an engine do what the native one does, and if not, in which few commands?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lowlat.errors import ExitCode, UsageError
from lowlat_cli.cluster_workers import place_of, workers_of
from lowlat_cli.destination import Destination
from lowlat_cli.options.cluster import ClusterOption
from lowlat_cli.options.shared import (
    SEED_MAX,
    ColorOption,
    DebugOption,
    FormatOption,
    OutputOption,
    QuietOption,
    VerboseOption,
    count,
)
from lowlat_cli.progress import Progress, shown_progress
from lowlat_cli.session import color_of
from lowlat_cli.signals import interrupted_exit_code

if TYPE_CHECKING:
    from rich.console import Console

    from lowlat.engine.conformance.verify import VerifyPlan
    from lowlat.fleet.place import ClusterPlace
    from lowlat.reports.model.conformance import Conformance

WORLDS_MAX = 1_000_000
COMMANDS_MAX = 10_000_000


def _engine(value: Any) -> str:
    from lowlat.engine.bench.engines import NATIVE, engine_entry

    try:
        entry = engine_entry(str(value))
    except UsageError as error:
        raise typer.BadParameter(
            f"{error}; write the path of a library, as in ./libmine.so, a process, as in "
            "'ndjson:./mine', or the name of an engine in Python"
        ) from error
    if entry == NATIVE:
        raise typer.BadParameter("the native engine is what others are compared with; name another one")
    return entry.name


def verify(
    ctx: typer.Context,
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            metavar="NAME|FILE|PROCESS",
            parser=_engine,
            help="A shared library behind lowlat_engine.h, the command of a process, as in 'ndjson:./mine', or the "
            "name of an engine in Python.",
        ),
    ],
    recorded: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Recorded orders to compare with too, as 'lowlat replay' takes them."),
    ] = None,
    worlds: Annotated[
        int, typer.Option("--worlds", metavar="N", parser=count(0, WORLDS_MAX), help="How many random worlds.")
    ] = 300,
    commands: Annotated[
        int,
        typer.Option("--commands", "-n", metavar="N", parser=count(1, COMMANDS_MAX), help="Commands of each profile."),
    ] = 20_000,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", metavar="S", parser=count(0, SEED_MAX), help="Random seed; the same seed gives the same commands."
        ),
    ] = 1,
    cluster: ClusterOption = None,
    output_format: FormatOption = "table",
    output: OutputOption = None,
    verbose: VerboseOption = False,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Compare an engine with the native one, event by event.

    It gets the worked examples of the contract, random worlds, and the profiles: each as far as it takes what is in
    it, in batches and, after a reset, one command at a time. The first fault is made short: the fewest commands that
    show it, with the events of both engines. Exits with 1 if there is one, and with 3 if the engine crashed, hung, or
    broke the interface.

    A pass is about these commands only. A fault that needs a longer history than a profile has shows with a larger -n,
    a rare mix of terms with more --worlds, the flow of a venue with its recordings.

    \b
    Examples:
      lowlat verify --engine ./libmine.so                  the usual set, in seconds
      lowlat verify --engine ./libmine.so -n 2M            longer histories, in a minute
      lowlat verify --engine ./libmine.so --worlds 100000  for a night
      lowlat verify --engine ./libmine.so --worlds 100000 --cluster local:4    in parts, to the same result
      lowlat verify --engine ./libmine.so day.csv          recorded orders too
      lowlat verify --engine 'ndjson:java -jar mine.jar'   an engine that runs as a process
      lowlat verify --engine reference                     an engine in Python
      lowlat verify --engine ./libmine.so --json | jq .counterexample
    """
    destination = Destination(output_format, output, color_of(ctx), verbose=verbose)
    destination.check()
    from lowlat.engine.conformance.verify import VerifyPlan

    plan = VerifyPlan(worlds, seed, commands, tuple(str(file.absolute()) for file in recorded or ()))
    with shown_progress(color_of(ctx), verbose=verbose) as progress:
        _check_readable(recorded or (), progress)
        found = _compared(engine, plan, place_of(cluster), progress)

    def document() -> str:
        from lowlat.documents import text

        return text(found)

    def draw(on: Console) -> None:
        from lowlat_cli.views.verify import verify_view

        on.print(*verify_view(found, verbose=verbose), sep="\n", highlight=False)

    destination.write(document, draw)
    return {
        "conforms": ExitCode.OK,
        "differs": ExitCode.GATE_FAILED,
        "failed": ExitCode.NOT_VALID,
        "interrupted": interrupted_exit_code(),
    }[found.status]


def _compared(engine: str, plan: VerifyPlan, cluster: ClusterPlace | None, progress: Progress) -> Conformance:
    if cluster is None:
        from lowlat.engine.conformance.verify import verify as compare

        return compare(engine, plan, progress)
    from lowlat.fleet.campaign import verify_in_parts

    with workers_of(cluster) as workers:
        return verify_in_parts(engine, plan, workers, progress)


def _check_readable(recorded: Sequence[Path], progress: Progress) -> None:
    """Read the recordings to their ends: the processes that compare come to them last."""
    if recorded:
        from lowlat.engine.conformance.cases import recorded_commands
    for file in recorded:
        if file.is_fifo():
            raise UsageError(f"{file}: a recording is read more than once; name a file in place of a pipe")
        progress(f"reading {file}", 0.0)
        recorded_commands(file)
