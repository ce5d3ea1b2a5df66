"""Which reports measured the same thing: the same commands, at the same rate, by an engine of the same settings."""

from __future__ import annotations

from reports.model import Report


def differences(one: Report, other: Report) -> list[str]:
    """What keeps the other report from being compared or merged with the one; empty when nothing does."""
    return _differing(_work(one), _work(other))


def surrounding_differences(one: Report, other: Report) -> list[str]:
    """Facts of host and build that differ: such reports compare, but their figures are not of one machine."""
    return _differing(_surroundings(one), _surroundings(other))


def work_of(report: Report) -> frozenset[tuple[str, object]]:
    """What was measured, equal and hashable: reports compare when theirs are equal."""
    return frozenset(_work(report).items())


def _differing(one: dict[str, object], other: dict[str, object]) -> list[str]:
    return [
        f"{name} {_shown(other.get(name))}, not {_shown(one.get(name))}"
        for name in one | other
        if one.get(name) != other.get(name)
    ]


def _work(report: Report) -> dict[str, object]:
    work, load = report.workload, report.load
    return {
        "profile": work.profile,
        "seed": work.seed,
        "commands": work.commands,
        "workload hash": work.hash,
        "load": load.model,
        "target rate": load.target_rate,
        "arrivals": load.arrivals,
        "producers": load.producers,
        "engine": report.engine.name,
        **{f"engine setting {name}": value for name, value in report.engine.settings.items()},
    }


def _surroundings(report: Report) -> dict[str, object]:
    host, tool = report.host, report.tool
    return {
        "processor": host.cpu,
        "CPUs": host.cores,
        "kernel": host.kernel,
        "virtualization": host.virtualization,
        "governor": host.governor,
        "clock": report.clock.source,
        "lowlat": tool.version,
        "git revision": tool.git,
        "compiler": tool.build.compiler,
        "compiler flags": tool.build.flags,
        "instruction set": tool.build.isa,
    }


def _shown(value: object) -> str:
    return "none" if value is None else str(value)
