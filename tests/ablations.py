"""An ablation with figures that a person can check, for tests of what shows one."""

from __future__ import annotations

from lowlat.engine.ablation.effect import Pair, effect_of
from lowlat.engine.ablation.technique import Technique, VariantFigures
from lowlat.reports.model.ablation import Ablation, TechniqueEffect
from lowlat.reports.model.context import Build, Clock, Host, Tool

SIGNIFICANCE = 0.01
PAIRS = 8
ABSENT = "not available here, because two threads need a CPU each, and CPU 0 is the only one; allow two"
UNCOUNTED = "not available here, because this processor has no counters"


def figures(cpu_ns: float, counters: dict[str, float], *, times: bool = False) -> VariantFigures:
    return VariantFigures(
        wall_ns=cpu_ns,
        cpu_ns=cpu_ns,
        p50_ns=cpu_ns if times else None,
        counters=counters,
        uncounted=None if counters else UNCOUNTED,
    )


def technique(name: str, title: str) -> Technique:
    return Technique(
        name=name,
        title=title,
        why=f"Why {name} helps.",
        mechanism=f"How {name} works.",
        with_it="lowlat's way",
        without="the naive way",
        limits="It does not always help.",
        operation="command",
        operations=1_000,
        decides="cpu",
        measure=lambda _: figures(1.0, {}),
    )


LOOK_AHEAD = technique("look-ahead", "look-ahead in batches")
POOL = technique("pool", "object pool for orders")
COUNTER = technique("counter", "time-stamp counter as the clock")
RING = technique("ring", "lock-free ring between threads")
CONTROL = technique("control", "control: the same twice")


def effect(
    measured: Technique, with_ns: float, without_ns: float, counted: bool = False, times: bool = False
) -> TechniqueEffect:
    """With runs of `with_ns` and 1% more in turn, and the same without."""
    counters = (
        ({"cycles": 100.0, "instructions": 50.0}, {"cycles": 200.0, "instructions": 51.5}) if counted else ({}, {})
    )
    pairs: list[Pair] = []
    for at in range(PAIRS):
        off = 1 + at % 2 / 100
        pairs.append(
            (figures(with_ns * off, counters[0], times=times), figures(without_ns * off, counters[1], times=times))
        )
    return effect_of(measured, 1_000, pairs, ["with", "without"] * 4, step_ns=1.0, significance=SIGNIFICANCE)


def an_ablation(*, interrupted: bool = False, quick: bool = True, control_ns: float = 30.0) -> Ablation:
    """A technique that helps, one that hurts, one that does nothing, and one that this host cannot show."""
    return Ablation(
        status="interrupted" if interrupted else "ok",
        status_reasons=("interrupted after 8 rounds of 14",) if interrupted else (),
        quick=quick,
        tool=Tool(version="1.2.3", git=None, build=Build(compiler="gcc", flags="-O2", isa="x86-64-v2")),
        command=("lowlat", "ablate"),
        started="2026-01-02T03:04:05.000000Z",
        host=Host(
            cpu="A processor",
            cores=2,
            measured_cpus="1",
            kernel="Linux 6.1",
            cmdline=None,
            governor=None,
            turbo=None,
            isolated="",
            clocksource="tsc",
            virtualization="none",
            steal_percent=None,
            load_average=None,
        ),
        clock=Clock(source="rdtsc", frequency_hz=2e9, uncertainty_ppm=0.1, read_cost_ns=20.0, step_ns=1.0),
        profile="deep",
        seed=1,
        rounds=PAIRS,
        rounds_max=14,
        significance=SIGNIFICANCE,
        techniques=(
            effect(LOOK_AHEAD, 40.0, 80.0, counted=True),
            effect(POOL, 20.0, 10.0, times=True),
            effect(COUNTER, 30.0, 30.0),
            effect_of(RING, 1_000, [], [], step_ns=1.0, significance=SIGNIFICANCE, absent=ABSENT),
            effect(CONTROL, control_ns, 30.0),
        ),
    )
