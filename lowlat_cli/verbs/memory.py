"""`lowlat memory`: how long a load from memory takes, and how many bytes a second move."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from lowlat.errors import ExitCode, FormatError
from lowlat_cli.destination import Destination
from lowlat_cli.options.lock import WAIT_S, NoLockOption, WaitOption, alone
from lowlat_cli.options.shared import (
    ColorOption,
    DebugOption,
    FormatOption,
    QuietOption,
    VerboseOption,
    duration_s,
    output_by_name,
)
from lowlat_cli.progress import shown_progress
from lowlat_cli.quantity import parse_size
from lowlat_cli.session import color_of
from lowlat_cli.signals import interrupted_exit_code

if TYPE_CHECKING:
    from rich.console import Console

DURATION_MIN_S: Final = 0.1
DURATION_MAX_S: Final = 600.0


def _size(value: Any) -> int:
    try:
        return parse_size(str(value))
    except FormatError as error:
        raise typer.BadParameter(str(error)) from error


def memory(
    ctx: typer.Context,
    cpus: Annotated[
        str,
        typer.Option("--cpus", metavar="LIST", help="CPUs to measure from, such as 0-3,8; all: all allowed."),
    ] = "all",
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            metavar="SIZE",
            parser=_size,
            help="Largest memory to load from, such as 64MiB or 4GiB; at most half of what is available.  [default: 4 "
            "times the last cache as reported, at most 2GiB]",
            show_default=False,
        ),
    ] = None,
    duration: Annotated[
        float,
        typer.Option(
            "--duration",
            metavar="TIME",
            parser=duration_s(DURATION_MIN_S, DURATION_MAX_S),
            help="How long to measure, 100ms to 10min, besides preparing the memory.  [default: 6s]",
            show_default=False,
        ),
    ] = 6.0,
    wait: WaitOption = WAIT_S,
    no_lock: NoLockOption = False,
    output_format: FormatOption = "table",
    output: Annotated[Path | None, output_by_name("*.json, *.md, *.csv (a row for each size)")] = None,
    verbose: VerboseOption = False,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Measure the latency of each cache and of memory, and memory bandwidth.

    \b
    Examples:
      lowlat memory                      caches, huge against small pages, bandwidth; in about 12 seconds
      lowlat memory --cpus 2-3           from these CPUs
      lowlat memory --limit 64MiB        only up to this size, which is faster
      lowlat memory -v                   also every size
      lowlat memory -o ladder.csv        the sizes, for a spreadsheet
      lowlat memory --json | jq '.levels[] | [.name, .knee_bytes, .min_ns]'
    """
    from lowlat.reports.outputs.registry import outputs_of, texts_of

    destination = Destination(output_format, output, color_of(ctx), verbose=verbose)
    destination.check(outputs_of("memory"))

    from lowlat.probes.clock.counter import calibrate_quick
    from lowlat.probes.cpu.affinity import requested_cpus
    from lowlat.probes.memory.sites import choose_limit
    from lowlat.probes.topology import read_topology
    from lowlat_cli.memory import MemoryPlan, measured

    chosen = requested_cpus(cpus)
    topology = read_topology()
    choose_limit(topology, max(chosen), limit)  # before the wait for another measurement
    with alone(ctx, wait, no_lock=no_lock), shown_progress(color_of(ctx), verbose=verbose) as progress:
        largest = choose_limit(topology, max(chosen), limit)
        plan = MemoryPlan(topology, chosen, largest, duration, calibrate_quick().frequency_hz)
        found = measured(plan, progress)

    def document() -> str:
        from lowlat.documents import text

        return text(found)

    def draw(on: Console) -> None:
        from lowlat_cli.views.memory import memory_view

        on.print(*memory_view(found, verbose=verbose), sep="\n", highlight=False)

    destination.write(document, draw, texts_of(found))
    return interrupted_exit_code() if found.status == "interrupted" else ExitCode.OK
