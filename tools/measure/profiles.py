"""Measures every built-in closed-loop profile and prints the README's table, one row each, as Markdown."""

from __future__ import annotations

import statistics
import sys

from lowlat.engine import load_profile, profile_names, synthetic_flow
from lowlat.engine.bench.run import RunPlan, measure
from lowlat.reports.model.report import Report

COMMANDS, SEED, RUNS = 1_000_000, 1, 5
MARKETS = ("equity", "futures", "day")
"""Profiles that look like a market lead the table; the others isolate one load."""


def row(name: str, report: Report) -> str:
    """One profile's figures: median over runs, percentiles of the merged histograms."""
    ns = [run.throughput.ns_per_command for run in report.runs if run.throughput]
    single = [run.one_at_a_time.ns_per_command for run in report.runs if run.one_at_a_time]
    whole = next(series for series in report.summary if series.op == "all")
    events = report.verification.events / (report.workload.seeded + report.workload.commands)
    median = statistics.median(ns)
    at = {percent: f"{whole.percentiles[percent].value:,}" for percent in ("50", "99", "99.9")}
    return (
        f"| `{name}` | {events:.2f} | {_median(ns)} | {_median(single)} | {1e3 / median:.1f} "
        f"| {at['50']} | {at['99']} | {at['99.9']} | {_times(report, median)} |"
    )


def _times(report: Report, ns: float) -> str:
    """How much slower the reference engine is; `-` for a flow that it is not given."""
    reference_ns = report.baselines.reference_ns
    return "-" if reference_ns is None else f"{reference_ns / ns:,.0f}x"


def _median(ns: list[float]) -> str:
    """The median over runs, and their range."""
    return f"**{statistics.median(ns):.1f}** ({min(ns):.1f}-{max(ns):.1f})"


def main() -> None:
    """Measure and print."""
    rows, reports = [], []
    for name in (*MARKETS, *sorted(set(profile_names()) - set(MARKETS))):
        if load_profile(name).arrivals:
            continue
        print(f"measuring {name}", file=sys.stderr)
        reports.append(measure(synthetic_flow(load_profile(name), COMMANDS, SEED), RunPlan(runs=RUNS)))
        if reports[-1].status != "ok":
            sys.exit(f"{name}: {reports[-1].status}: {reports[-1].status_reasons}")
        rows.append(row(name, reports[-1]))
    one = reports[0]
    loop = statistics.median(report.baselines.loop_ns for report in reports)
    print(
        f"{one.host.cpu}, {one.host.cores} CPUs, {one.host.virtualization}, "
        f"{one.clock.frequency_hz / 1e9:.3f} GHz counter; {one.tool.build.compiler}, {one.tool.build.isa}; "
        f"{COMMANDS:,} commands, seed {SEED}, {RUNS} runs. A read-only loop over the commands takes {loop:.1f} ns "
        f"each, timer overhead {one.baselines.clock_ns:.0f} ns.\n"
    )
    columns = (
        *("events a command", "batched: ns a command, median (runs)", "one at a time: ns a command, median (runs)"),
        *("M commands/s, batched", "p50 ns", "p99 ns", "p99.9 ns"),
    )
    print(f"| profile | {' | '.join(columns)} | reference engine |")
    print("|---|" + "--:|" * (len(columns) + 1))
    print("\n".join(rows))


if __name__ == "__main__":
    main()
