"""The passes of a run of one variant: some without a clock between the operations, one with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

import msgspec

from lowlat.engine import _core
from lowlat.engine.ablation.technique import VariantFigures, VariantRun
from lowlat.engine.bench.pass_counters import PassCounters, per_command
from lowlat.engine.bench.passes import Pass
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.model.results import HARDWARE_COUNTERS

UNCOUNTED: Final = "not available here, because they are counted around native passes only"
Typical: TypeAlias = Callable[[Iterable[float]], float]
"""Which of the passes counts: `min`, since other programs only ever add time, or `median_low` for two threads, which
are fastest when one of them was kept from running.
"""


def figures_of(
    run: VariantRun,
    untimed: Callable[[], _core.Pass],
    timed: Callable[[Recorder], object] | None = None,
    typical: Typical = min,
) -> VariantFigures:
    """The figures of native passes: `untimed` several times; `timed`, if there is one, records each operation."""
    counters = PassCounters()
    passes: list[Pass] = []
    for repeat in range(run.passes):
        counters.choose(repeat)
        native, counts = counters.count(untimed)
        passes.append(replace(Pass.of_native(native, run.scale), counts=counts))
    figures = figures_of_passes(passes, counters.why_absent, typical)
    if timed is None:
        return figures
    recorder = Recorder()
    timed(recorder)
    return with_latencies(figures, recorder)


def figures_of_passes(passes: Sequence[Pass], uncounted: str, typical: Typical = min) -> VariantFigures:
    """The figures of passes without a clock. `uncounted`: why no events of the processor were counted, if none were."""
    counted = per_command(passes)
    events = {} if counted is None else {name: getattr(counted, name) for name in HARDWARE_COUNTERS}
    cpu_ns = [done.cpu_ns for done in passes if done.cpu_ns is not None]
    operations = max(passes[0].commands, 1)
    return VariantFigures(
        wall_ns=typical([done.wall_ns for done in passes]) / operations,
        cpu_ns=typical(cpu_ns) / operations if len(cpu_ns) == len(passes) else None,
        counters={name: value for name, value in events.items() if value is not None},
        uncounted=None if counted else uncounted,
    )


def with_latencies(figures: VariantFigures, recorder: Recorder) -> VariantFigures:
    """The figures, with percentiles of the recorded times."""
    recorded = Histogram.from_native(recorder)
    p50, p99, p999 = (float(recorded.percentile(percent).value_ns) for percent in (50, 99, 99.9))
    return msgspec.structs.replace(figures, p50_ns=p50, p99_ns=p99, p999_ns=p999)
