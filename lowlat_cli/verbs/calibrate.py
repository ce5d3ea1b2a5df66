"""`lowlat calibrate`: measure the processor's time-stamp counter as a clock."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from lowlat.errors import UsageError
from lowlat_cli.destination import Destination
from lowlat_cli.options.lock import WAIT_S, NoLockOption, WaitOption, alone
from lowlat_cli.options.shared import ColorOption, DebugOption, FormatOption, OutputOption, QuietOption, duration_s
from lowlat_cli.progress import shown_progress
from lowlat_cli.session import color_of

if TYPE_CHECKING:
    from rich.console import Console

DURATION_MIN_S = 0.01
DURATION_MAX_S = 60.0
_QUIET_S = 0.5
"""A window below this needs no progress."""


def calibrate(
    ctx: typer.Context,
    duration: Annotated[
        float,
        typer.Option(
            "--duration",
            metavar="TIME",
            parser=duration_s(DURATION_MIN_S, DURATION_MAX_S),
            help="How long to measure, 10ms to 60s.  [default: 100ms]",
            show_default=False,
        ),
    ] = 0.1,
    cpu: Annotated[
        str | None,
        typer.Option("--cpu", metavar="N", help="CPU to measure on; auto: auto-selected.  [default: not pinned]"),
    ] = None,
    wait: WaitOption = WAIT_S,
    no_lock: NoLockOption = False,
    output_format: FormatOption = "table",
    output: OutputOption = None,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Measure the time-stamp counter: frequency, read cost, resolution, skew between CPUs.

    \b
    Examples:
      lowlat calibrate                     in a fraction of a second, well below 1 ppm
      lowlat calibrate --cpu 3             on one CPU
      lowlat calibrate --duration 10s      longer, on a noisy host
      lowlat calibrate --json | jq .frequency_hz
    """
    destination = Destination(output_format, output, color_of(ctx))
    destination.check()

    from lowlat.documents import text
    from lowlat.probes.clock.counter import calibrate as measure

    chosen = None if cpu is None else _one_cpu(cpu)
    bar = shown_progress(color_of(ctx), verbose=False) if duration > _QUIET_S else nullcontext()
    with alone(ctx, wait, no_lock=no_lock), bar as progress:
        if progress:
            progress(f"measuring for {duration:g} s", 0.0)
        found = measure(duration, chosen)

    def draw(on: Console) -> None:
        from lowlat_cli.views.calibration import calibration_view

        on.print(*calibration_view(found), sep="\n", highlight=False)

    destination.write(lambda: text(found), draw)
    return 0


def _one_cpu(text: str) -> int:
    """The checked CPU from the command line. Raises `FormatError`, `AffinityError` or `UsageError`."""
    from lowlat.probes.cpu.affinity import requested_cpus
    from lowlat.probes.cpu.placement import FIRST_ROLE, plan

    auto = text.strip().lower() == "auto"
    cpus = plan(FIRST_ROLE).cpus_of(FIRST_ROLE) if auto else requested_cpus(text)
    if len(cpus) != 1:
        raise UsageError(f"--cpu {text} names {len(cpus)} CPUs; calibration runs on one; name one CPU")
    return cpus[0]
