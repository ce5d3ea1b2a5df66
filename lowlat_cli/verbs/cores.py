"""`lowlat cores`: how long a cache line takes from one CPU to another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lowlat.errors import ExitCode, UsageError
from lowlat_cli.destination import Destination
from lowlat_cli.options.lock import WAIT_S, NoLockOption, WaitOption, alone
from lowlat_cli.options.shared import ColorOption, DebugOption, FormatOption, QuietOption, VerboseOption, output_by_name
from lowlat_cli.progress import Progress, shown_progress
from lowlat_cli.session import color_of
from lowlat_cli.signals import interrupted_exit_code

if TYPE_CHECKING:
    from rich.console import Console

    from lowlat.reports.model.cores import Cores


def cores(
    ctx: typer.Context,
    cpus: Annotated[
        str,
        typer.Option("--cpus", metavar="LIST", help="CPUs to pair, such as 0-3,8; all: all allowed."),
    ] = "all",
    wait: WaitOption = WAIT_S,
    no_lock: NoLockOption = False,
    output_format: FormatOption = "table",
    output: Annotated[
        Path | None, output_by_name("*.json, *.html (a heat map), *.md, *.csv (a row for each pair)")
    ] = None,
    verbose: VerboseOption = False,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Measure how long a cache line takes from one CPU to another.

    \b
    Examples:
      lowlat cores                  every pair of CPUs; of more than 16 CPUs, 16 evenly spread
      lowlat cores --cpus 0-3,8     every pair of these
      lowlat cores -o cores.html    the heat map as a page
      lowlat cores --json | jq '.pairs[] | [.first, .second, .min_ns]'
    """
    from lowlat.reports.outputs.registry import outputs_of, texts_of

    destination = Destination(output_format, output, color_of(ctx), verbose=verbose)
    destination.check(outputs_of("cores"))
    chosen = _chosen(cpus)
    with alone(ctx, wait, no_lock=no_lock), shown_progress(color_of(ctx), verbose=verbose) as progress:
        found = _measured(chosen, progress)

    def document() -> str:
        from lowlat.documents import text

        return text(found)

    def draw(on: Console) -> None:
        from lowlat_cli.views.cores import cores_view

        on.print(*cores_view(found), sep="\n", highlight=False)

    destination.write(document, draw, {**texts_of(found), **destination.page_of(found)})
    return interrupted_exit_code() if found.status == "interrupted" else ExitCode.OK


def _chosen(text: str) -> tuple[int, ...]:
    from lowlat.probes.cpu.affinity import requested_cpus

    chosen = requested_cpus(text)
    if len(chosen) < 2:
        raise UsageError(f"--cpus {text} is CPU {chosen[0]} only, and a transfer needs two; allow or name another")
    return chosen


def _measured(chosen: tuple[int, ...], progress: Progress) -> Cores:
    from lowlat.probes.clock.counter import calibrate_quick
    from lowlat.probes.cpu.line_transfer import measure_pairs, sampled_cpus
    from lowlat.probes.host.virtualization import virtualization
    from lowlat.reports.model.cores import CorePair, Cores

    clock_hz = calibrate_quick().frequency_hz
    cpus = sampled_cpus(chosen)
    pairs, stopped = measure_pairs(cpus, clock_hz, progress)
    platform = virtualization()
    return Cores(
        status="interrupted" if stopped else "ok",
        platform=platform.text,
        guest=platform.guest_view,
        clock_hz=clock_hz,
        cpus_chosen=len(chosen),
        cpus=cpus,
        pairs=tuple(
            CorePair(
                first=each.first,
                second=each.second,
                status="ok" if each.blocks else "not measured",
                blocks=each.blocks,
                min_ns=each.min_ns,
                median_ns=each.median_ns,
            )
            for each in pairs
        ),
    )
