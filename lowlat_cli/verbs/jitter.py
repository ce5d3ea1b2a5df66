"""`lowlat jitter`: what takes a CPU from a thread that never sleeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lowlat.errors import ExitCode, UsageError
from lowlat_cli.destination import Destination
from lowlat_cli.options.lock import WAIT_S, NoLockOption, WaitOption, alone
from lowlat_cli.options.shared import (
    ColorOption,
    DebugOption,
    FormatOption,
    QuietOption,
    VerboseOption,
    count,
    duration_s,
    is_given,
    output_by_name,
)
from lowlat_cli.progress import shown_progress
from lowlat_cli.session import color_of
from lowlat_cli.signals import interrupted_exit_code

if TYPE_CHECKING:
    from rich.console import Console


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
            help="Shortest gap to record.  [default: 8 times the typical time between two reads of the clock]",
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
    output: Annotated[
        Path | None, output_by_name("*.json, *.html, *.md, *.csv, *.hlog (a line for each CPU), *.hgrm (all CPUs)")
    ] = None,
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
      lowlat jitter -o gaps.html             a page: when the longest gaps were, and why
      lowlat jitter -o gaps.hlog             the histograms, for HdrHistogram's tools
      lowlat jitter --json | jq '.cpus[].causes'
    """
    from lowlat.reports.outputs.registry import outputs_of, texts_of

    destination = Destination(output_format, output, color_of(ctx), verbose=verbose)
    destination.check(outputs_of("jitter"))
    chosen = _chosen(cpus, fifo)
    _check_mode(ctx, wakeup=wakeup, wakeups=duration / interval)
    with alone(ctx, wait, no_lock=no_lock), shown_progress(color_of(ctx), verbose=verbose) as progress:
        from lowlat.engine.bench.jitter import measured
        from lowlat.probes.clock.counter import calibrate_quick
        from lowlat.probes.jitter.gaps import GapPlan
        from lowlat.probes.jitter.wakeups import WakeupPlan

        clock_hz = calibrate_quick().frequency_hz
        plan: GapPlan | WakeupPlan = GapPlan(duration, clock_hz, None if threshold is None else threshold * 1e9, fifo)
        if wakeup:
            plan = WakeupPlan(duration, round(interval * 1e9), fifo)
        what = "measuring wake-ups" if wakeup else "watching"
        found = measured(chosen, plan, clock_hz, lambda share: progress(what, share))

    def document() -> str:
        from lowlat.documents import text

        return text(found)

    def draw(on: Console) -> None:
        from lowlat_cli.views.jitter import jitter_view

        on.print(*jitter_view(found, verbose=verbose), sep="\n", highlight=False)

    destination.write(document, draw, {**texts_of(found), **destination.page_of(found)})
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


def _check_mode(ctx: typer.Context, *, wakeup: bool, wakeups: float) -> None:
    """Refuse options of the other mode, and more wake-ups than are kept."""
    if wakeup and is_given(ctx, "threshold"):
        raise UsageError("--threshold is for gaps; leave it out with --wakeup")
    if not wakeup and is_given(ctx, "interval"):
        raise UsageError("--interval is for wake-ups; add --wakeup, or leave it out")
    if wakeup and wakeups > WAKEUPS_MAX:
        raise UsageError(
            f"--duration has {wakeups:,.0f} intervals, and at most {WAKEUPS_MAX:,} wake-ups are kept; raise "
            "--interval, or lower --duration"
        )
