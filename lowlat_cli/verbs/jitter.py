"""`lowlat jitter`: what takes a CPU from a thread that never sleeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lowlat.errors import ExitCode, UsageError
from lowlat_cli.destination import Destination
from lowlat_cli.options.lock import WAIT_S, NoLockOption, WaitOption, alone
from lowlat_cli.options.shared import (
    ColorOption,
    DebugOption,
    FormatOption,
    OutputOption,
    QuietOption,
    VerboseOption,
    count,
    duration_s,
)
from lowlat_cli.progress import shown_progress
from lowlat_cli.session import color_of
from lowlat_cli.signals import interrupted_exit_code

if TYPE_CHECKING:
    from rich.console import Console

    from lowlat.reports.model.jitter import Jitter

DURATION_MIN_S: Final = 0.01
DURATION_MAX_S: Final = 3_600.0
INTERVAL_MIN_S: Final = 1e-5
THRESHOLD_MAX_S: Final = 1.0
WAKEUPS_MAX: Final = 10_000_000


def jitter(
    ctx: typer.Context,
    cpus: Annotated[
        str,
        typer.Option("--cpus", metavar="LIST", help="CPUs to watch, at once, such as 3 or 0-3,8; all: all allowed."),
    ] = "all",
    duration: Annotated[
        float,
        typer.Option(
            "--duration",
            metavar="TIME",
            parser=duration_s(DURATION_MIN_S, DURATION_MAX_S),
            help="How long to watch, 10ms to 1h.  [default: 5s]",
            show_default=False,
        ),
    ] = 5.0,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold",
            metavar="TIME",
            parser=duration_s(1e-9, THRESHOLD_MAX_S),
            help="Shortest gap to record.  [default: 8 times the smallest time between two reads of the clock]",
            show_default=False,
        ),
    ] = None,
    wakeup: Annotated[
        bool, typer.Option("--wakeup", help="Measure how late a sleeping thread wakes up, as cyclictest does.")
    ] = False,
    interval: Annotated[
        float,
        typer.Option(
            "--interval",
            metavar="TIME",
            parser=duration_s(INTERVAL_MIN_S, 1.0),
            help="Time between wake-ups, 10us to 1s.  [default: 1ms]",
            show_default=False,
        ),
    ] = 0.001,
    fifo: Annotated[
        int | None,
        typer.Option(
            "--fifo",
            metavar="PRIO",
            parser=count(1, 99),
            help="Real-time priority (SCHED_FIFO) of the threads, 1 to 99.",
        ),
    ] = None,
    wait: WaitOption = WAIT_S,
    no_lock: NoLockOption = False,
    output_format: FormatOption = "table",
    output: OutputOption = None,
    verbose: VerboseOption = False,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Find what takes the CPU from a busy thread: every gap, and its cause.

    \b
    Examples:
      lowlat jitter                          all CPUs for 5 seconds
      lowlat jitter --cpus 2-3 --fifo 1      isolated CPUs, at real-time priority
      lowlat jitter --wakeup                 how late a sleeping thread wakes up
      lowlat jitter -v                       also the longest gaps, with all that happened in them
      lowlat jitter --json | jq '.cpus[].causes'
    """
    destination = Destination(output_format, output, color_of(ctx), verbose=verbose)
    destination.check()
    chosen = _chosen(cpus, fifo)
    if wakeup and duration / interval > WAKEUPS_MAX:
        raise UsageError(
            f"{duration:g} s are more than {WAKEUPS_MAX:,} wake-ups every {interval:g} s; raise --interval, or lower "
            "--duration"
        )
    with alone(ctx, wait, no_lock=no_lock), shown_progress(color_of(ctx), verbose=verbose) as progress:

        def waiting(share: float) -> None:
            progress("measuring wake-ups" if wakeup else "watching", share)

        found = (
            _wakeups(chosen, duration, interval, fifo, waiting)
            if wakeup
            else _gaps(chosen, duration, threshold, fifo, waiting)
        )

    def document() -> str:
        from lowlat.documents import text

        return text(found)

    def draw(on: Console) -> None:
        from lowlat_cli.views.jitter import jitter_view

        on.print(*jitter_view(found, verbose=verbose), sep="\n", highlight=False)

    destination.write(document, draw)
    return interrupted_exit_code() if found.status == "interrupted" else ExitCode.OK


def _chosen(text: str, fifo: int | None) -> tuple[int, ...]:
    from lowlat.probes.cpu.affinity import allowed_cpus, requested_cpus

    chosen = requested_cpus(text)
    if fifo is not None and set(chosen) >= set(allowed_cpus()):
        raise UsageError(
            f"--fifo {fifo} on every allowed CPU would leave none to anything else; leave one out with --cpus, or "
            "leave out --fifo"
        )
    return chosen


def _gaps(
    cpus: tuple[int, ...], duration: float, threshold: float | None, fifo: int | None, waiting: Callable[[float], None]
) -> Jitter:
    from lowlat.probes.clock.counter import calibrate_quick
    from lowlat.probes.host.virtualization import virtualization
    from lowlat.probes.jitter.gaps import GapPlan, watch_gaps
    from lowlat.reports.model.jitter import Jitter
    from lowlat_cli.jitter import SOURCES, of_gaps

    clock_hz = calibrate_quick().frequency_hz
    plan = GapPlan(duration, clock_hz, None if threshold is None else threshold * 1e9, fifo)
    recordings, stopped = watch_gaps(cpus, plan, waiting)
    return Jitter(
        status="interrupted" if stopped else "ok",
        mode="gaps",
        platform=virtualization().text,
        duration_s=duration,
        interval_ns=None,
        fifo=fifo,
        clock_hz=clock_hz,
        sources=SOURCES,
        missing=tuple(dict.fromkeys(each for recording in recordings for each in recording.missing)),
        cpus=tuple(of_gaps(recording) for recording in recordings),
    )


def _wakeups(
    cpus: tuple[int, ...], duration: float, interval: float, fifo: int | None, waiting: Callable[[float], None]
) -> Jitter:
    from lowlat.probes.clock.counter import calibrate_quick
    from lowlat.probes.host.virtualization import virtualization
    from lowlat.probes.jitter.wakeups import WakeupPlan, measure_wakeups
    from lowlat.reports.model.jitter import Jitter
    from lowlat_cli.jitter import of_wakeups

    plan = WakeupPlan(duration, round(interval * 1e9), fifo)
    recordings, stopped = measure_wakeups(cpus, plan, waiting)
    return Jitter(
        status="interrupted" if stopped else "ok",
        mode="wakeups",
        platform=virtualization().text,
        duration_s=duration,
        interval_ns=plan.interval_ns,
        fifo=fifo,
        clock_hz=calibrate_quick().frequency_hz,
        sources=("CLOCK_MONOTONIC",),
        missing=(),
        cpus=tuple(of_wakeups(recording) for recording in recordings),
    )
