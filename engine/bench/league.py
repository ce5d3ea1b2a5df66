"""Runs several engines interleaved on several order flows.

Within a flow, every round has one run of each engine, in random order, so that what drifts on the host meets all of
them alike. Flows come one after the other: only engines on the same flow are compared.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Final

from lowlat import units
from lowlat.engine.bench.crosscheck import ReferenceCheck
from lowlat.engine.bench.engines import EngineEntry, engine_entry
from lowlat.engine.bench.order_memory import measured_engine
from lowlat.engine.bench.placement import Place, choose_place
from lowlat.engine.bench.run import Measurement, Progress, RunPlan, commands_file, lacked, name_of
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.profile import Profile
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.errors import ExitCode, RunFailedError, UsageError
from lowlat.reports.compare.interleaving import rounds_of
from lowlat.reports.compare.league import league_of, table_of, with_report, without_report
from lowlat.reports.model.league import League, LeagueEntry, LeagueTable

COMMANDS: Final = 500_000
"""Commands of a run unless told; fewer than those of `lowlat bench`, since a league has many runs."""
_MEMORY_SHARE: Final = 0.05
"""What the progress bar expects of the memory's measurement."""


@dataclass(frozen=True, slots=True)
class LeaguePlan:
    """What to measure.

    `engines`: as `engine_entry` takes them. `rounds`: runs of each engine on each flow. `commands`: of a run, None for
    the default; an engine in Python gets at most what its entry says. `seed`: of the flows, and of the order.
    """

    engines: tuple[str, ...]
    profiles: tuple[Profile, ...]
    rounds: int
    cpus: tuple[int, ...] | None = None
    commands: int | None = None
    seed: int = 1
    command: tuple[str, ...] = ()


def measure_league(plan: LeaguePlan, progress: Progress = lambda _text, _share: None) -> League:
    """Measure all engines of the plan.

    An engine whose run fails is left out of further rounds on that flow. Ctrl-C after the first run returns the results
    so far; before that, it raises `KeyboardInterrupt`. Raises `UsageError` for engines that are named twice, or none of
    which takes any flow; `PlugInError`; and `RunFailedError` if no engine gives any result.
    """
    named, flows = _named(plan.engines), _Flows(plan)
    flows.check_wanted(named)
    engines, place, chance = [], choose_place(plan.cpus), random.Random(plan.seed)
    for index, (name, entry) in enumerate(named.items()):
        progress(f"memory per order of {name}", _MEMORY_SHARE * index / len(named))
        engines.append(measured_engine(name, entry))
    tables: list[LeagueTable] = []
    stopped = None
    for profile in plan.profiles:
        contest = _Contest(plan, named, flows, profile, place, chance)
        stopped = contest.run(_part(progress, len(tables), len(plan.profiles)))
        if contest.measured or not stopped:
            tables.append(contest.table())
        if stopped:
            break
    if not tables:
        raise KeyboardInterrupt
    _check_results(tables)
    progress("done", 1.0)
    left = [profile.name for profile in plan.profiles[len(tables) :]]
    where = "; not measured: ".join([f"interrupted {stopped}", *([", ".join(left)] if left else [])])
    return league_of(
        engines,
        tables,
        command=plan.command,
        seed=plan.seed,
        rounds=plan.rounds,
        interrupted=where if stopped else None,
    )


def _part(progress: Progress, index: int, of: int) -> Progress:
    """The progress of one flow as part of the whole."""

    def part(text: str, share: float) -> None:
        progress(text, _MEMORY_SHARE + (1 - _MEMORY_SHARE) * (index + share) / of)

    return part


def _named(engines: Sequence[str]) -> dict[str, EngineEntry]:
    """The engines by a name that no other has: its own, or that of its library's file. Raises `UsageError`."""
    entries = [engine_entry(given) for given in engines]
    if twice := [name for name, count in Counter(entry.name for entry in entries).items() if count > 1]:
        raise UsageError(f"{twice[0]} is named twice; name each engine once")
    own = [name_of(entry) for entry in entries]
    files = [Path(entry.name).name for entry in entries]
    names = [file if own.count(name) > 1 else name for name, file in zip(own, files, strict=True)]
    return {name if names.count(name) == 1 else entry.name: entry for name, entry in zip(names, entries, strict=True)}


class _Flows:
    """The flow of a profile for each engine."""

    def __init__(self, plan: LeaguePlan) -> None:
        self._plan = plan
        self.of = cache(self._made)

    def length(self, entry: EngineEntry) -> int:
        """Commands of a run of this engine."""
        wanted = self._plan.commands or COMMANDS
        return wanted if entry.compiled and not entry.process else min(wanted, entry.commands)

    def check_wanted(self, named: dict[str, EngineEntry]) -> None:
        """Raise `UsageError` if no engine takes any of the flows."""
        missing = [
            f"{name} on {profile.name}: {why}"
            for profile in self._plan.profiles
            for name, entry in named.items()
            if (why := lacked(self.of(profile, self.length(entry)), entry))
        ]
        if len(missing) == len(named) * len(self._plan.profiles):
            raise UsageError(f"no engine takes what a flow has: {missing[0]}; choose another --profile")

    def _made(self, profile: Profile, commands: int) -> Flow:
        return synthetic_flow(profile, commands, self._plan.seed)


@dataclass(slots=True)
class _Side:
    """An engine on one flow. `missing`: what it lacks. `failure`: how a run failed, after which it has no more."""

    entry: EngineEntry
    measurement: Measurement | None = None
    missing: str | None = None
    failure: str | None = None

    @property
    def runs(self) -> int:
        return len(self.measurement.finished) if self.measurement else 0


@dataclass(slots=True)
class _Contest:
    """All engines on one flow."""

    plan: LeaguePlan
    named: dict[str, EngineEntry]
    flows: _Flows
    profile: Profile
    place: Place
    chance: random.Random
    sides: dict[str, _Side] = field(default_factory=dict)
    order: tuple[tuple[str, ...], ...] = ()
    checks: dict[tuple[str, int], ReferenceCheck] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sides = {name: _Side(entry) for name, entry in self.named.items()}
        self.order = rounds_of([*self.named], self.plan.rounds, self.chance)

    @property
    def measured(self) -> bool:
        """Whether there is a run."""
        return any(side.runs for side in self.sides.values())

    def run(self, progress: Progress) -> str | None:
        """Make all runs and checks. Returns where Ctrl-C ended them, None if nothing did."""
        where, total = f"in {self.profile.name}", self.plan.rounds * len(self.sides) + 1
        try:
            with contextlib.ExitStack() as stack:
                progress(f"{self.profile.name}: generating the order flow", 0.0)
                self._prepare(stack)
                for turn, (number, name) in enumerate(self._turns()):
                    where = f"in {self.profile.name}, round {number} of {self.plan.rounds}"
                    progress(f"{self.profile.name}: round {number} of {self.plan.rounds}, {name}", turn / total)
                    self._make_run(self.sides[name])
            where = f"in {self.profile.name}, before the check against the reference engine"
            progress(f"{self.profile.name}: verifying against the reference engine", 1 - 1 / total)
            self._check()
        except KeyboardInterrupt:
            return where
        return None

    def _prepare(self, stack: contextlib.ExitStack) -> None:
        files: dict[int, IO[bytes]] = {}
        for side in self.sides.values():
            length = self.flows.length(side.entry)
            flow = self.flows.of(self.profile, length)
            side.missing = lacked(flow, side.entry)
            if side.missing:
                continue
            if length not in files:
                files[length] = stack.enter_context(commands_file(flow))
            engine = side.entry.library or side.entry.name
            plan = RunPlan(engine=engine, runs=self.plan.rounds, cpus=self.plan.cpus, command=self.plan.command)
            side.measurement = Measurement(flow, plan, files[length], self.place)

    def _turns(self) -> Iterator[tuple[int, str]]:
        for number, names in enumerate(self.order, 1):
            yield from ((number, name) for name in names)

    def _make_run(self, side: _Side) -> None:
        if side.measurement is None or side.failure is not None:
            return
        try:
            side.measurement.run()
        except RunFailedError as error:
            side.failure = str(error).removeprefix(f"{side.entry.library} ")

    def _check(self) -> None:
        """Engines with the same stand-in and the same commands share a check."""
        for side in self.sides.values():
            if side.measurement and side.runs and (key := self._key(side)) not in self.checks:
                self.checks[key] = side.measurement.check_reference()

    def _key(self, side: _Side) -> tuple[str, int]:
        return side.entry.stand_in.name, self.flows.length(side.entry)

    def table(self) -> LeagueTable:
        """The results so far."""
        return table_of(self.profile.name, self.order, [self._entry(name, side) for name, side in self.sides.items()])

    def _entry(self, name: str, side: _Side) -> LeagueEntry:
        if side.missing:
            return without_report(name, "lacking", side.missing)
        if side.failure:
            return without_report(name, "failed", side.failure)
        if side.measurement is None or not side.runs:
            return without_report(name, "not run", None)
        return with_report(name, side.measurement.report(self.checks.get(self._key(side)), {}))


def _check_results(tables: Sequence[LeagueTable]) -> None:
    """Raise `RunFailedError` if no engine gave any result."""
    entries = [entry for table in tables for entry in table.entries]
    failed = [entry for entry in entries if entry.outcome == "failed"]
    if failed and not any(entry.report for entry in entries):
        more = f" (and {units.plural(len(failed) - 1, 'other')})" if len(failed) > 1 else ""
        raise RunFailedError(f"{failed[0].engine}: {failed[0].reason}{more}", ExitCode.NOT_VALID)
