"""Runs of the whole engine on an order flow, with one technique and without."""

from __future__ import annotations

from lowlat.engine import _core
from lowlat.engine.ablation.measured_engine import CompiledEngine, engine_of
from lowlat.engine.ablation.passes import figures_of
from lowlat.engine.ablation.technique import VariantFigures, VariantRun
from lowlat.engine.bench.engines import NATIVE
from lowlat.engine.matching.config_codec import native_rules


def look_ahead(run: VariantRun) -> VariantFigures:
    """A batch with prefetching, or without."""
    own = NATIVE.make_compiled(run.settings)
    engine = CompiledEngine(run, own)

    def batch() -> _core.Pass:
        engine.seeded()
        return _core.ablate_look_ahead(own.matcher, engine.measured, with_it=run.with_it)

    return figures_of(run, batch)


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


def batches(run: VariantRun) -> VariantFigures:
    """All commands in one call, or a call for each."""
    engine = engine_of(run)
    return engine.batched() if run.with_it else engine.one_at_a_time()


def same_twice(run: VariantRun) -> VariantFigures:
    """The control: a batch, whatever the variant."""
    return engine_of(run).batched()


def one_at_a_time(run: VariantRun) -> VariantFigures:
    """A call for each command, and a pass with a clock around each."""
    return engine_of(run).one_at_a_time()
