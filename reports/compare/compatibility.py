"""Whether two reports may be compared, and what weakens the comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from lowlat import units
from lowlat.errors import NotValidError
from lowlat.reports.model.comparison import ComparedSide
from lowlat.reports.model.recording import RECORDED
from lowlat.reports.model.report import Report

RUNS_MIN: Final = 2
"""Nobody can tell from one run what is chance."""
OTHER_ENVIRONMENT: Final = "measured in different environments: "
"""How the weakness begins that names what differs."""

Measured: TypeAlias = Report | ComparedSide
"""What says what was measured, and where: a report, or the side of a comparison, which keeps parts of its first report.
Nothing here is asked of a side without a report.
"""


@dataclass(frozen=True, slots=True)
class FactThatDiffers:
    """A fact that differs, and what it is of each, as shown."""

    fact: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.fact} ({' and '.join(self.values)})"


Facts: TypeAlias = Mapping[str, Callable[[Any], Any]]
"""By name, as messages have it."""

_SAME: Final[Facts] = {
    "seed": lambda report: report.workload.seed,
    "profile": lambda report: report.workload.profile,
    "commands": lambda report: report.workload.commands,
    "workload hash": lambda report: report.workload.hash,
    "load model": lambda report: report.load.model,
    "target rate": lambda report: report.load.target_rate,
    "arrivals": lambda report: report.load.arrivals,
    "producers": lambda report: report.load.producers,
    "engine": lambda report: report.engine.name if report.engine else None,
}
_SKIPPED: Final[Facts] = {"latencies skipped": lambda report: report.recording.skip if report.recording else None}
_SURROUNDINGS: Final[Facts] = {
    "processor": lambda report: report.host.cpu,
    "cores": lambda report: report.host.cores,
    "measured CPUs": lambda report: report.host.measured_cpus,
    "kernel": lambda report: report.host.kernel,
    "kernel command line": lambda report: report.host.cmdline,
    "governor": lambda report: report.host.governor,
    "turbo": lambda report: report.host.turbo,
    "isolated CPUs": lambda report: report.host.isolated,
    "virtualization": lambda report: report.host.virtualization,
    "clock source": lambda report: report.clock.source,
    "compiler": lambda report: _own(report, report.tool.build.compiler),
    "compiler flags": lambda report: _own(report, report.tool.build.flags),
    "instruction set": lambda report: _own(report, report.tool.build.isa),
}


def check_valid(reports: Sequence[Report], side: str) -> None:
    """Raise `NotValidError` for a side with a report that is not valid."""
    for report in reports:
        if report.status == "invalid":
            why = "; ".join(report.status_reasons) or "no reason given"
            raise NotValidError(f"{side} is invalid, so there is nothing to compare: {why}")


def check_repeated(reports: Sequence[Report], side: str) -> None:
    """Raise `NotValidError` for a side with fewer than two runs. A single interval log is shown: it has no more, and
    every verdict is inconclusive.
    """
    runs = sum(len(report.runs) for report in reports)
    logs = all(report.recording is not None and report.recording.format == "hlog" for report in reports)
    if runs < RUNS_MIN and not logs:
        raise NotValidError(
            f"{side} has {units.plural(runs, 'run')}: too few to tell a change from chance; use --runs 10 on both sides"
        )


def check_same_events(reports: Sequence[Report]) -> None:
    """Raise `NotValidError` if engines with the same settings answered the same commands with different events.

    Figures of a wrong engine mean nothing. Leaves out pipelines with several producers, whose threads decide the order
    of the commands, and reports without a digest.
    """
    _check_same_digest([(each, each.verification.digest) for each in reports if each.verification is not None])


def check_same_events_of_sides(base: ComparedSide, head: ComparedSide) -> None:
    """The same of both sides of a comparison, which have reports."""
    _check_same_digest([(side, side.digest) for side in (base, head) if side.digest is not None])


def _check_same_digest(measured: Iterable[tuple[Any, str]]) -> None:
    by_work: dict[object, dict[str, None]] = {}
    for each, digest in measured:
        if (each.load.producers or 1) == 1:
            by_work.setdefault(_commands_of(each), {})[digest] = None
    for digests in by_work.values():
        if len(digests) > 1:
            raise NotValidError(
                f"the same commands gave different events, so an engine is wrong: digests "
                f"{' and '.join(map(_cut, digests))}; find the engine that errs before comparing its speed"
            )


def check_same_work(reports: Sequence[Report]) -> None:
    """Raise `NotValidError`, naming the differences, unless all reports have the same work, settings and events."""
    check_same_events(reports)
    if different := tuple(differences(reports)):
        raise NotValidError(
            f"these reports are not comparable: they differ in {'; '.join(different)}; "
            "measure both sides with the same options"
        )


def differences(reports: Sequence[Report]) -> Iterator[str]:
    """Differences in the work and the settings of the reports, with the values."""
    yield from map(str, differences_kept(reports))
    if len({_recorded(report) for report in reports}) == 1:
        yield from map(str, _differing(reports, _SKIPPED))


def differences_kept(sides: Sequence[Measured]) -> Iterator[FactThatDiffers]:
    """Those of them that the sides of a comparison still show."""
    if len({_recorded(side) for side in sides}) > 1:  # they have hardly anything in common
        yield from _differing(sides, {"load model": _SAME["load model"]})
        return
    yield from _differing(sides, _SAME)
    names = dict.fromkeys(name for side in sides for name in _settings(side))
    yield from _differing(sides, {f"engine setting {name}": _setting(name) for name in names})


def weaknesses(reports: Sequence[Report]) -> Iterator[str]:
    """Differences in hosts, builds and how the reports ended that weaken a comparison, one line each."""
    if different := tuple(surroundings(reports)):
        yield f"{OTHER_ENVIRONMENT}{'; '.join(map(str, different))}"
    for report in reports:
        if report.status == "interrupted":
            yield f"a report has fewer runs than requested: {'; '.join(report.status_reasons) or 'no reason given'}"


def surroundings(sides: Sequence[Measured]) -> Iterator[FactThatDiffers]:
    """Differences in hosts and builds."""
    return _differing(sides, _SURROUNDINGS)


def _commands_of(measured: Any) -> object:
    """What determines the events of a right engine."""
    work = measured.workload
    return (
        work.hash,
        work.seed,
        work.commands,
        work.seeded,
        measured.load.model,
        *sorted(_settings(measured).items()),
    )


def _recorded(measured: Any) -> bool:
    return bool(measured.load.model == RECORDED)


def _own(measured: Any, fact: str) -> str | None:
    """A fact of lowlat's build, which changes only what lowlat measures itself."""
    return None if _recorded(measured) else fact


def _settings(measured: Any) -> Mapping[str, Any]:
    return measured.engine.settings if measured.engine else {}


def _setting(name: str) -> Callable[[Any], Any]:
    return lambda measured: _settings(measured).get(name)


def _differing(sides: Sequence[Any], facts: Facts) -> Iterator[FactThatDiffers]:
    for name, of in facts.items():
        values = tuple(dict.fromkeys(_shown(of(side)) for side in sides))
        if len(values) > 1:
            yield FactThatDiffers(name, tuple(map(_cut, values)))


def _shown(value: Any) -> str:
    return "none" if value is None else f"{value:,.0f}" if isinstance(value, int | float) else str(value)


def _cut(shown: str) -> str:
    """A prefix of a hash, long enough to tell two apart."""
    return f"{shown[:23]}..." if shown.startswith("sha256:") and len(shown) > 26 else shown
