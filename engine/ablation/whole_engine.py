"""Runs of the whole engine on an order flow, with one technique and without."""

from __future__ import annotations

from lowlat.engine import _core
from lowlat.engine.ablation.passes import figures_of
from lowlat.engine.ablation.technique import VariantFigures, VariantRun
from lowlat.engine.bench.engines import engine_entry
from lowlat.engine.matching.config_codec import native_rules
from lowlat.reports._core import Histogram as Recorder


class _Seeded:
    """The native engine, seeded and warm; each pass executes the same commands from the same books."""

    def __init__(self, run: VariantRun) -> None:
        self._seeding = run.commands[: run.seeded]
        self.measured = run.commands[run.seeded :][: run.operations]
        self._engine = engine_entry("native").make_compiled(run.settings)
        self.matcher = self.seeded()
        _core.run_batched(self.matcher, self.measured)

    def seeded(self) -> _core.Matcher:
        """The matcher, back where the measured commands begin."""
        self._engine.reset()
        _core.run_batched(self._engine.matcher, self._seeding)
        return self._engine.matcher


def look_ahead(run: VariantRun) -> VariantFigures:
    """A batch with prefetching, or without."""
    engine = _Seeded(run)
    return figures_of(run, lambda: _core.ablate_look_ahead(engine.seeded(), engine.measured, with_it=run.with_it))


def hinted(run: VariantRun) -> VariantFigures:
    """A batch of the engine compiled with hints for branches, or without."""
    seeding, measured = run.commands[: run.seeded], run.commands[run.seeded :][: run.operations]
    path = _core.match_path(native_rules(run.settings), run.settings.orders, run.settings.trades, run.with_it)

    def batch() -> _core.Pass:
        path.reset()
        path.execute(seeding)
        return path.execute(measured)

    batch()
    return figures_of(run, batch)


def same_twice(run: VariantRun) -> VariantFigures:
    """The control: a batch with prefetching, whatever the variant."""
    engine = _Seeded(run)
    return figures_of(run, lambda: _core.ablate_look_ahead(engine.seeded(), engine.measured, with_it=True))


def one_at_a_time(run: VariantRun) -> VariantFigures:
    """A call for each command, and a pass with a clock around each."""
    engine = _Seeded(run)
    latencies = _core.Latencies(["service"])

    def timed(recorder: Recorder) -> None:
        _core.run_timed(engine.seeded(), engine.measured, run.scale.multiplier, run.scale.shift, latencies)
        for operation in range(len(_core.operations())):
            recorder.add(latencies.histogram("service", operation))

    return figures_of(run, lambda: _core.run_one_at_a_time(engine.seeded(), engine.measured), timed)
