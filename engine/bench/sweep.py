"""A sweep: one flow in open loops at several rates, to find the highest rate that meets its latency objectives."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Final

from lowlat import units
from lowlat.engine.bench.crosscheck import ReferenceCheck
from lowlat.engine.bench.kernel_stages import peer_stages
from lowlat.engine.bench.loop_ceiling import LoopCeiling, open_loop_ceiling
from lowlat.engine.bench.placement import Place, choose_place
from lowlat.engine.bench.protocol import OpenLoop
from lowlat.engine.bench.report_builder import run_of
from lowlat.engine.bench.run import Measurement, Progress, RunPlan, check_load, commands_file
from lowlat.engine.flow.order_flow import Flow
from lowlat.errors import RunFailedError
from lowlat.reports.model.budget import Measured
from lowlat.reports.model.objective import Objective, default_objectives
from lowlat.reports.model.report import Report
from lowlat.reports.model.sustainable import between, rates_around
from lowlat.reports.model.sweep import Decided, Sweep, at_rates, sweep_of

RESOLUTION: Final = 1.1
"""The search ends when the rates around the answer differ by at most this factor, and the runs of both were made `SURE`
times."""
SURE: Final = 3
"""Around the answer, each run counts."""
STEPS_MAX: Final = 20
"""Most steps of the search, each a rate's runs."""
SEARCH_S: Final = 120
"""The search begins no further step after this time: on a busy host, runs take several times as long."""
_STEPS_USUAL: Final = 8
"""What the progress bar expects of them."""


def measure_sweep(
    flow_of: Callable[[OpenLoop], Flow],
    load_at: Callable[[int], OpenLoop],
    rates: Sequence[int],
    plan: RunPlan,
    objectives: Sequence[Objective] = (),
    *,
    seed: int = 0,
    progress: Progress = lambda _text, _share: None,
) -> Sweep:
    """Measure the flow at the rates, `plan.runs` times each, then search for the highest one that meets `objectives`.

    Each pass over the rates is in random order, drawn with `seed`, so that noise of the host does not always
    meet the same rates. `load_at`: the load at a rate. `objectives`: none for the default.

    Rates above the ceiling of the open loop are left out: they would measure the loop. Raises `UsageError` if all are.
    Ctrl-C, or a run whose process dies, ends it with the runs made so far; if there are none, `KeyboardInterrupt` or
    `RunFailedError` is raised. Otherwise raises what `lowlat.engine.bench.run.measure` raises.
    """
    rates, ceiling = within_ceiling(rates, open_loop_ceiling())
    with contextlib.ExitStack() as stack:
        made = _Runs(flow_of, load_at, plan, stack)
        failure, interrupted = None, False
        try:
            for rate in rates:
                made.add(rate)
            usual = plan.runs * (len(rates) + _STEPS_USUAL)
            for rate, part in _steps(made, rates, objectives, seed):
                progress(f"{part}, at {units.rate(rate)}", min(len(made.order) / usual, 0.99))
                made.run(rate)
        except KeyboardInterrupt:
            interrupted = True
            if not made.order:
                raise
        except RunFailedError as error:
            if not made.order:
                raise
            failure = f"at {units.rate(rate)}: {error}"
        progress("verifying against the reference engine", 0.99)
        points = made.reports(verify=not interrupted)
    return sweep_of(
        points,
        order=made.indices(),
        seed=seed,
        objectives=objectives,
        loop_ceiling=ceiling,
        interrupted=interrupted,
        failure=failure,
    )


def within_ceiling(rates: Sequence[int], ceiling: LoopCeiling) -> tuple[Sequence[int], float | None]:
    """The rates, lowest first, that the open loop itself reaches, and its ceiling if it is below the others.

    Raises `UsageError` if all are above it.
    """
    ceiling.check(rates[0])
    kept = [rate for rate in rates if rate <= ceiling.commands_per_s]
    return kept, None if len(kept) == len(rates) else ceiling.commands_per_s


class _Runs:
    """The runs at each rate, on one CPU placement. Flows of the same length share their file of commands."""

    def __init__(
        self,
        flow_of: Callable[[OpenLoop], Flow],
        load_at: Callable[[int], OpenLoop],
        plan: RunPlan,
        stack: contextlib.ExitStack,
    ) -> None:
        self.order: list[int] = []
        """The rate of each run made."""
        self.each = plan.runs
        """Runs of a rate at a time."""
        self._flow_of, self._load_at, self._plan, self._stack = flow_of, load_at, plan, stack
        self._place: Place = choose_place(plan.cpus)
        self._at: dict[int, Measurement] = {}
        self._files: dict[int, IO[bytes]] = {}

    def add(self, rate: int) -> None:
        """Prepare a rate."""
        load = self._load_at(rate)
        plan = dataclasses.replace(self._plan, load=load)
        flow = self._flow_of(load)
        check_load(flow, plan)
        length = len(flow.commands)
        if length not in self._files:
            self._files[length] = self._stack.enter_context(commands_file(flow))
        self._at[rate] = Measurement(flow, plan, self._files[length], self._place)

    def run(self, rate: int) -> None:
        """Make a run at this rate."""
        if rate not in self._at:
            self.add(rate)
        self._at[rate].run()
        self.order.append(rate)

    def count(self, rate: int) -> int:
        """Number of runs made at this rate."""
        return len(self._at[rate].finished) if rate in self._at else 0

    def decided(self, objectives: Sequence[Objective]) -> Decided:
        """What the runs made so far say about their rates."""
        runs_at = {float(rate): [run_of(each, at.plan.load) for each in at.finished] for rate, at in self._measured()}
        return at_rates(runs_at, objectives or default_objectives(runs_at[min(runs_at)]))

    def reports(self, *, verify: bool) -> list[Report]:
        """A report for each rate with a run, the lowest first. Ctrl-C leaves the rest of them unverified."""
        checks: dict[int, ReferenceCheck | None] = {}
        around: dict[str, Measured] = dict(peer_stages(self._plan.peer))
        measured = [at for _, at in self._measured()]
        with contextlib.suppress(KeyboardInterrupt):
            around |= measured[0].kernel_stage() if verify else {}
            for at in measured if verify else ():
                if len(at.flow.commands) not in checks:
                    checks[len(at.flow.commands)] = at.check_reference()
        return [at.report(checks.get(len(at.flow.commands)), around) for at in measured]

    def indices(self) -> list[int]:
        """For each run, in the order made, the index of its rate among those with a run."""
        index = {rate: at for at, (rate, _) in enumerate(self._measured())}
        return [index[rate] for rate in self.order]

    def _measured(self) -> list[tuple[int, Measurement]]:
        return [(rate, at) for rate, at in sorted(self._at.items()) if at.finished]


def _steps(made: _Runs, rates: Sequence[int], objectives: Sequence[Objective], seed: int) -> Iterator[tuple[int, str]]:
    """The rate of each run, and of which part it is: passes over the rates, then the search."""
    chance = random.Random(seed)
    runs = made.each
    passes = [rate for _ in range(runs) for rate in chance.sample(rates, len(rates))]
    for index, rate in enumerate(passes):
        yield rate, f"run {index + 1} of {len(passes)}, then a search"
    end = time.monotonic() + SEARCH_S
    for step in range(STEPS_MAX):
        found = next_rate(made.decided(objectives), lambda rate: made.count(rate) < SURE * runs)
        if found is None or time.monotonic() > end:
            return
        yield from [(found, f"search, step {step + 1} of at most {STEPS_MAX}")] * runs


def next_rate(decided: Decided, unsure: Callable[[int], bool]) -> int | None:
    """The next rate of the search, None when it is done.

    First, an undecided rate between the two around the answer is measured again while it is `unsure`: the other
    programs may have gone. Then comes bisection on the logarithm of the rate, on both sides of what stays undecided.
    Last, the rates around the answer are measured again while they are `unsure`: one that was noisy would otherwise
    end the search at the wrong place.
    """
    below, above = rates_around(decided.points)
    between_them = between(decided.undecided, (below, above))
    if again := next((round(rate) for rate in between_them if unsure(round(rate))), None):
        return again
    ends = [below, *between_them[:1], *between_them[-1:], above]
    for low, high in ((ends[0], ends[1]), (ends[-2], ends[-1])):
        if low is not None and high is not None and high > low * RESOLUTION:
            middle = round(math.sqrt(low * high))
            if low < middle < high:
                return middle
    return next((round(rate) for rate in (above, below) if rate is not None and unsure(round(rate))), None)
