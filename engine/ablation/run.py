"""Measures techniques: rounds of a pair of runs of each, one with it and one without; of the control, of two.

In a round, techniques come in random order, and so do the two runs of a pair: what drifts on the host meets all of them
alike, and an interruption leaves as many pairs of each.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from lowlat import units
from lowlat.engine.ablation.catalog import BY_NAME
from lowlat.engine.ablation.effect import Pair, effect_of, significance_of
from lowlat.engine.ablation.process import variant_process
from lowlat.engine.ablation.protocol import AblationJob, VariantAnswer, VariantJob
from lowlat.engine.ablation.technique import OWN, Technique, VariantFigures
from lowlat.engine.ablation.verification import measurable, verify_events
from lowlat.engine.bench.ab import Progress
from lowlat.engine.bench.placement import Place, choose_place
from lowlat.engine.bench.report_context import this_host, tool
from lowlat.engine.bench.run import RunPlan, commands_file, name_of, settings_of
from lowlat.engine.bench.run_setup import clock_context
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.profile import Profile
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.matching.config_codec import to_plain
from lowlat.engine.matching.records import EXTENDED_COMMAND
from lowlat.errors import ExitCode, RunFailedError
from lowlat.probes.clock.counter import Calibration, calibrate_quick
from lowlat.probes.cpu.affinity import affinity_of
from lowlat.reports.compare.interleaving import order_of
from lowlat.reports.model.ablation import Ablation

Run: TypeAlias = Callable[[VariantJob], VariantAnswer]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured. `rounds`: at most; one is begun only if it should end within `limit_s`. `passes`: of a run.
    `share`: of the operations of a pass.
    """

    rounds: int
    limit_s: float
    passes: int
    share: float


THOROUGH: Final = Effort(rounds=20, limit_s=100.0, passes=5, share=1.0)
QUICK: Final = Effort(rounds=10, limit_s=16.0, passes=2, share=0.25)


@dataclass(frozen=True, slots=True)
class AblationPlan:
    """What to measure. `engine`: as `RunPlan` names it. `cpus`: of the measured thread, and of a second one where a
    technique needs two; None lets the placement plan choose. `seed`: of the flow, of the pieces, and of the order.
    """

    techniques: tuple[Technique, ...]
    profile: Profile
    engine: str = OWN
    seed: int = 1
    cpus: tuple[int, ...] | None = None
    quick: bool = False
    command: tuple[str, ...] = ()

    @property
    def effort(self) -> Effort:
        """How much is measured."""
        return QUICK if self.quick else THOROUGH


def measure_ablation(plan: AblationPlan, progress: Progress = lambda _text, _share: None) -> Ablation:
    """Measure all techniques of the plan.

    Ctrl-C after the first round returns the rounds so far; before that, it raises `KeyboardInterrupt`. Raises
    `UsageError` for an engine that cannot be measured, `AffinityError` for a CPU that cannot be used, and
    `RunFailedError` if a run fails, or an engine of somebody else executes other trades than ours.
    """
    started, begin = datetime.now(UTC), time.monotonic()
    progress("preparing", 0.0)
    entry = measurable(plan.engine)
    place, clock = choose_place(plan.cpus), calibrate_quick()
    rounds = Rounds([each.for_engine(entry) for each in plan.techniques], plan.effort, plan.seed, begin)
    flow = synthetic_flow(plan.profile, max(row.operations for row in rounds.rows), plan.seed)
    if entry.name != OWN:
        progress("verifying the engine's events", 0.0)
        verify_events(flow, entry, place)
        rounds.begin = time.monotonic()  # its time is not taken from theirs
    other_cpu = second_cpu(place, affinity_of())
    with (
        commands_file(flow) as file,
        variant_process(_job(flow, file.fileno(), entry.name, place, other_cpu, clock)) as process,
    ):
        rounds.make(process.run, progress)
    progress("done", 1.0)
    return _document(plan, name_of(entry), rounds, place, other_cpu, clock, started)


def second_cpu(place: Place, allowed: Sequence[int]) -> int | None:
    """The CPU of a second thread: the next one asked for, or else of another core than the first, of its package if
    there is one. None if there is only one CPU, or threads cannot be pinned.
    """
    if place.cpus is None:
        return None
    first, *asked = place.cpus
    topology = place.topology
    package = next((each for each in topology.packages if any(first in core.cpus for core in each.cores)), None)

    def distance(cpu: int) -> tuple[bool, bool, int]:
        near = package is not None and any(cpu in core.cpus for core in package.cores)
        return cpu in topology.siblings_of(first), not near, cpu

    return asked[0] if asked else min((cpu for cpu in allowed if cpu != first), key=distance, default=None)


def _job(
    flow: Flow, commands_fd: int, engine: str, place: Place, other_cpu: int | None, clock: Calibration
) -> AblationJob:
    os.lseek(commands_fd, 0, os.SEEK_SET)
    return AblationJob(
        parent=os.getpid(),
        commands_fd=commands_fd,
        engine=engine,
        wide=flow.commands.dtype == EXTENDED_COMMAND,
        seeded=flow.seeded,
        settings=to_plain(settings_of(flow, RunPlan())),
        cpu=place.cpus[0] if place.cpus else None,
        other_cpu=other_cpu,
        multiplier=clock.scale.multiplier,
        shift=clock.scale.shift,
    )


@dataclass(slots=True)
class Row:
    """A technique's pairs so far. `absent`: why this host cannot show it."""

    technique: Technique
    operations: int
    first: tuple[Literal["with", "without"], ...]
    pairs: list[Pair] = field(default_factory=list)
    absent: str | None = None


class Rounds:
    """The rounds of an ablation. `begin`: when it began, by the monotonic clock."""

    def __init__(self, techniques: Sequence[Technique], effort: Effort, seed: int, begin: float) -> None:
        self.effort, self.made, self.interrupted = effort, 0, False
        self._seed, self.begin, self._chance = seed, begin, random.Random(seed)
        self.rows = [
            Row(technique, max(int(technique.operations * effort.share), 1), self._order(technique, number))
            for number, technique in enumerate(techniques)
        ]

    def _order(self, technique: Technique, number: int) -> tuple[Literal["with", "without"], ...]:
        sides: dict[str, Literal["with", "without"]] = {"base": "without", "head": "with"}
        pairs = self.effort.rounds * technique.pairs_per_round
        return tuple(sides[first] for first in order_of(pairs, self._seed + number))

    def make(self, run: Run, progress: Progress) -> None:
        """Make as many as the time allows. Ctrl-C ends it; before the end of the first round, it is raised."""
        try:
            for number in range(self.effort.rounds):
                if number and self._elapsed_s() * (number + 1) / number > self.effort.limit_s:
                    break
                self._make_round(number, run, progress)
                self.made = number + 1
        except KeyboardInterrupt:
            if not self.made:
                raise
            self.interrupted = True
            for row in self.rows:
                del row.pairs[self.made * row.technique.pairs_per_round :]

    def _make_round(self, number: int, run: Run, progress: Progress) -> None:
        pairs = [row for row in self.rows if row.absent is None for _ in range(row.technique.pairs_per_round)]
        for turn, row in enumerate(self._chance.sample(pairs, len(pairs))):
            done = number + turn / len(pairs)
            progress(self._next(number, row, done), done / self.effort.rounds)
            self._make_pair(row, run)

    def _make_pair(self, row: Row, run: Run) -> None:
        number, pair = len(row.pairs), dict[str, VariantFigures | None]()
        for variant in (row.first[number], "with" if row.first[number] == "without" else "without"):
            pair[variant] = None if row.absent else self._figures(row, number, variant, run)
        if (with_it := pair["with"]) and (without := pair["without"]):
            row.pairs.append((with_it, without))

    def _figures(self, row: Row, number: int, variant: str, run: Run) -> VariantFigures | None:
        name = row.technique.name
        # Both runs of a pair get the same numbers, so that they differ in the technique only.
        job = VariantJob(
            technique=name,
            with_it=variant == "with",
            operations=row.operations,
            passes=self.effort.passes,
            seed=self._seed + number,
        )
        answer = run(job)
        if answer.failure is not None:
            raise RunFailedError(f"{name}, {variant}: {answer.failure}", ExitCode.NOT_VALID)
        if answer.absent is not None:
            row.absent, row.pairs = f"not available here, because {answer.absent}", []
        return answer.figures

    def _next(self, number: int, row: Row, done: float) -> str:
        left_s = min(self._elapsed_s() * (self.effort.rounds / done - 1), self._left_s()) if done else self._left_s()
        about = f"about {units.counted(max(round(left_s), 0), 'second')} left"
        return f"round {number + 1} of {self.effort.rounds}, {row.technique.title}, {about}"

    def _elapsed_s(self) -> float:
        return time.monotonic() - self.begin

    def _left_s(self) -> float:
        return self.effort.limit_s - self._elapsed_s()


def _document(
    plan: AblationPlan,
    engine: str,
    rounds: Rounds,
    place: Place,
    other_cpu: int | None,
    clock: Calibration,
    started: datetime,
) -> Ablation:
    significance = significance_of(len(BY_NAME))
    host, _ = this_host(None if place.cpus is None else str(place.cpus[0]))
    made = units.counted(rounds.made, "round")
    return Ablation(
        status="interrupted" if rounds.interrupted else "ok",
        status_reasons=(f"interrupted after {made} of {rounds.effort.rounds}",) if rounds.interrupted else (),
        quick=plan.quick,
        tool=tool(),
        command=plan.command,
        started=started.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        host=host,
        other_cpu=other_cpu,
        clock=clock_context(clock),
        engine=engine,
        profile=plan.profile.name,
        seed=plan.seed,
        rounds=rounds.made,
        rounds_max=rounds.effort.rounds,
        significance=significance,
        techniques=tuple(
            effect_of(
                row.technique,
                row.operations,
                row.pairs,
                row.first,
                step_ns=clock.step_ns,
                significance=significance,
                absent=row.absent,
            )
            for row in rounds.rows
        ),
    )
