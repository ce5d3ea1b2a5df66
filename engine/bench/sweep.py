"""A sweep: one kind of flow in open loops at rising rates."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from lowlat import units
from lowlat.engine.bench.protocol import OpenLoop
from lowlat.engine.bench.run import Progress, RunPlan, measure
from lowlat.engine.flow.order_flow import Flow
from lowlat.errors import RunFailedError
from lowlat.reports.model.report import Report
from lowlat.reports.model.sweep import Sweep, sweep_of


def measure_sweep(
    flow_of: Callable[[OpenLoop], Flow],
    plan: RunPlan,
    loads: Sequence[OpenLoop],
    progress: Progress = lambda _text, _share: None,
) -> Sweep:
    """Measure the flow at each load, the lowest rate first, otherwise according to `plan`.

    Ctrl-C, or a run whose process dies, ends it with the rates measured so far; if there are none, `KeyboardInterrupt`
    or `RunFailedError` is raised. Otherwise raises what `lowlat.engine.bench.run.measure` raises.
    """
    points: list[Report] = []
    failure = None
    for load in loads:
        done = len(points) / len(loads)
        rate = units.rate(load.arrivals.rate)

        def report_progress(text: str, share: float, done: float = done, rate: str = rate) -> None:
            progress(f"at {rate}: {text}", done + share / len(loads))

        try:
            report_progress("generating the order flow", 0.0)
            points.append(measure(flow_of(load), dataclasses.replace(plan, load=load), report_progress))
        except KeyboardInterrupt:
            if not points:
                raise
            break
        except RunFailedError as error:
            if not points:
                raise
            failure = f"at {rate}: {error}"
            break
        if points[-1].status == "interrupted":
            break
    return sweep_of(points, interrupted=len(points) < len(loads), failure=failure)
