"""The context of a report's runs: the program, the engine, the workload, the host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from importlib.metadata import version
from statistics import median
from typing import Any

from lowlat.engine import _core
from lowlat.engine.bench.protocol import Load, Pipeline, RunOutcome
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.config_codec import pools_in_words
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.host.facts import host_facts
from lowlat.probes.reading import Reading
from lowlat.reports.model import context, results
from lowlat.reports.model.over_runs import steal_percent


def tool() -> context.Tool:
    """This program, and how it was built."""
    build = _core.build_facts()
    flags = [build["flags"]]
    flags += [f"-fsanitize={build['sanitize']}"] if build["sanitize"] else []
    flags += ["-DLOWLAT_CHECKED"] if build["checked"] else []
    return context.Tool(
        version=version("lowlat"),
        git=build["git"] or None,
        build=context.Build(compiler=build["compiler"], flags=" ".join(flags), isa=build["isa"]),
    )


def engine(name: str, sized: EngineConfig, outcomes: Sequence[RunOutcome]) -> context.MeasuredEngine:
    """The engine that was measured."""
    return context.MeasuredEngine(
        name=name,
        settings={"symbols": len(sized.instruments), **pools_in_words(sized)},
        library=_library([outcome.library for outcome in outcomes if outcome.library]),
        process=_process([outcome.process for outcome in outcomes if outcome.process]),
    )


def _process(told: Sequence[context.ExternalProcess]) -> context.ExternalProcess | None:
    """The process of all runs: the median cost of the transport."""
    costs = ("echo_ns", "batched_echo_ns", "echo_cpu_ns", "batched_echo_cpu_ns")
    return replace(told[0], **{name: median(getattr(each, name) for each in told) for name in costs}) if told else None


def _library(told: Sequence[context.Library]) -> context.Library | None:
    """The library of all runs: the median cost of a call, the largest growth."""
    if not told:
        return None
    growths = [each.heap_growth_bytes for each in told if each.heap_growth_bytes is not None]
    return replace(
        told[0],
        call_ns=median(each.call_ns for each in told),
        batched_call_ns=median(each.batched_call_ns for each in told),
        heap_growth_bytes=max(growths, default=None),
    )


def workload(flow: Flow, load: Load) -> context.Workload:
    """The workload of the engine."""
    overtaking = isinstance(load, Pipeline) and load.producers > 1
    in_turn = (
        "producers overtake each other: live orders, levels and trades are those of the flow in its original order",
    )
    return context.Workload(
        profile=flow.name,
        seed=flow.seed,
        commands=len(flow.measured),
        mix=flow.mix,
        live_orders=_rounded(flow.live_orders),
        levels=_rounded(flow.levels),
        depth_touched=_rounded(flow.depth_touched),
        trades=flow.trades,
        hash=f"sha256:{flow.hash}",
        seeded=flow.seeded,
        notes=(*flow.notes, *(in_turn if overtaking else ())),
    )


def _rounded(extent: context.Extent | None) -> context.Extent | None:
    return None if extent is None else replace(extent, mean=round(extent.mean, 3))


def host(outcomes: Sequence[RunOutcome], runs: Sequence[results.Run]) -> tuple[context.Host, dict[str, str]]:
    """The host's facts, and the reasons for each None. Steal is that of the measured CPUs during the passes."""
    return _host(format_cpu_list({outcome.cpu for outcome in outcomes}), steal_percent(runs))


def this_host(measured_cpus: str | None) -> tuple[context.Host, dict[str, str]]:
    """The same outside runs of an engine: whatever the measured CPUs lost is not known."""
    return _host(measured_cpus, None)


def recording_host(*, known: bool) -> tuple[context.Host, dict[str, str]]:
    """The host of a recording: this one if it is `known` that the other program runs here."""
    if known:
        return _host(None, None)
    nothing: dict[str, Any] = {field.name: None for field in fields(context.Host)}
    return context.Host(**nothing), {"host.cpu": "not available here, because what was recorded does not tell"}


def _host(measured_cpus: str | None, steal: float | None) -> tuple[context.Host, dict[str, str]]:
    read = host_facts()
    readings: dict[str, Reading[Any]] = {
        "cpu": read.cpu_brand,
        "cores": read.logical_cpus,
        "kernel": read.kernel_release,
        "cmdline": read.kernel_cmdline,
        "governor": read.governor,
        "turbo": read.turbo,
        "isolated": read.isolated_cpus,
        "clocksource": read.clocksource,
        "load_average": read.load_average,
    }
    facts: dict[str, Any] = {name: reading.value for name, reading in readings.items()}
    if read.isolated_cpus.value is not None:
        facts["isolated"] = format_cpu_list(read.isolated_cpus.value)
    return context.Host(
        **facts,
        measured_cpus=measured_cpus,
        virtualization=read.virtualization.text,
        steal_percent=steal,
    ), {f"host.{name}": reading.text for name, reading in readings.items() if reading.value is None}
