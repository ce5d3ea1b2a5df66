"""An engine of somebody else has to be right before it is measured, as for `lowlat bench`."""

from __future__ import annotations

from lowlat.engine.bench.engines import EngineEntry, engine_entry
from lowlat.engine.bench.placement import Place
from lowlat.engine.bench.run import Measurement, RunPlan, check_load, commands_file
from lowlat.engine.flow.order_flow import Flow
from lowlat.errors import ExitCode, RunFailedError, UsageError


def measurable(name: str) -> EngineEntry:
    """The engine. Raises `UsageError` for a process, whose surroundings are its own, and as `engine_entry` does."""
    entry = engine_entry(name)
    if entry.process:
        raise UsageError(
            f"{name} is a process, whose memory, priority and CPU are its own to choose; name a library or an engine "
            "in Python, or compare two starts of the process with lowlat ab"
        )
    return entry


def verify_events(flow: Flow, entry: EngineEntry, place: Place) -> None:
    """Make a run as `lowlat bench` does. Raises `UsageError` if the engine does not claim what the flow has, and
    `RunFailedError` if its events are not those of the native engine, or it ends its process.
    """
    plan = RunPlan(engine=entry.name, runs=1)
    check_load(flow, plan)
    with commands_file(flow) as file:
        measurement = Measurement(flow, plan, file, place)
        measurement.run()
        report = measurement.report(measurement.check_reference(), {})
    if report.status == "invalid":
        raise RunFailedError(
            f"{'; '.join(report.status_reasons)}; lowlat verify --engine {entry.name} shows the commands",
            ExitCode.NOT_VALID,
        )
