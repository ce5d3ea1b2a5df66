"""The synthetic flow of a profile that is compared with a recorded one, and what both cost an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median
from typing import Final

import numpy as np

from lowlat.engine import _core
from lowlat.engine.flow.arrivals import arrivals
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.profile import ArrivalProcess, Profile
from lowlat.engine.flow.recording import Ints, RecordedFlow
from lowlat.engine.flow.statistics.arrivals import ArrivalStatistics
from lowlat.engine.flow.statistics.check import ProfileCheck, compare_flows, cost_figure
from lowlat.engine.flow.statistics.fit import check_length
from lowlat.engine.flow.statistics.measure import FlowStatistics, flow_statistics, recorded_statistics
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.native import Engine

COMMANDS_MIN: Final = 20_000
COMMANDS_MAX: Final = 1_000_000
"""As many commands as the flow has, within these bounds, are compared with it."""
_ROUNDS: Final = 7
_PICOSECONDS: Final = 1_000


def check_fit(
    profile: Profile, recorded: RecordedFlow | Flow, seed: int, progress: Callable[[str, float], None]
) -> ProfileCheck:
    """Compare a recording with the flow of a profile.

    Raises `UsageError` for a recording too short to compare, and what the readers, the generator and the engine raise.
    """
    flow, statistics = recorded_statistics(recorded, lambda share: progress("following the flow", share / 2))
    check_length(statistics, "compare")
    count = min(max(len(flow.measured), COMMANDS_MIN), COMMANDS_MAX)
    made = synthetic_flow(profile, count, seed)
    times_ns = _times_ns(profile.arrivals, count, seed, statistics.arrivals)
    expected = flow_statistics(made, times_ns, lambda share: progress(f"following {profile.name}", 0.5 + share / 3))
    progress("comparing the engine's cost", 0.9)
    return ProfileCheck(
        profile=profile.name,
        flow=flow.name,
        flow_commands=statistics.commands,
        profile_commands=expected.commands,
        seed=seed,
        figures=(*compare_flows(statistics, expected), cost_figure(*costs_ns(flow, made))),
        notes=tuple(_notes(profile, statistics)),
    )


def _times_ns(due: ArrivalProcess | None, count: int, seed: int, recorded: ArrivalStatistics | None) -> Ints | None:
    """Arrivals of a profile at the recorded rate, so that windows of a second mean the same in both flows."""
    if due is None or recorded is None:
        return None
    rate = max(1, round(recorded.rate_per_s))
    times_ps = arrivals(
        due.process,
        count,
        rate,
        seed,
        branching=due.branching,
        decay_spacings=due.decay_spacings,
        kernels=due.kernels,
    )
    return (times_ps // _PICOSECONDS).astype(np.int64)


def _notes(profile: Profile, statistics: FlowStatistics) -> Iterator[str]:
    if statistics.arrivals is None:
        yield "arrivals are not compared: the flow has no arrival times"
    elif profile.arrivals is None:
        yield "arrivals are not compared: the profile has no [arrivals]"
    if statistics.rejected:
        yield f"commands of the flow that the engine rejected, and that count nowhere: {statistics.rejected:,}"


def costs_ns(one: Flow, other: Flow) -> tuple[float, float]:
    """CPU nanoseconds per measured command of both flows: medians of interleaved native passes."""
    passes = [_measured(flow) for flow in (one, other)]
    rounds = [[measure() for measure in passes] for _ in range(_ROUNDS)]
    return median(first for first, _ in rounds), median(second for _, second in rounds)


def _measured(flow: Flow) -> Callable[[], float]:
    engine = Engine.of(
        EngineConfig(flow.instruments, flow.orders, flow.tape, flow.when_orders_dry, flow.when_trades_dry)
    )

    def measure() -> float:
        engine.reset()
        _core.run_batched(engine.matcher, flow.commands[: flow.seeded])
        return _core.run_batched(engine.matcher, flow.measured).cpu_ns / len(flow.measured)

    return measure
