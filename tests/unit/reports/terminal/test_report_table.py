"""The table is what most users see: nothing is cut off, and caveats appear beside the figures."""

from __future__ import annotations

import dataclasses
import io
import re

import pytest
from rich.console import Console

from lowlat import units
from lowlat.reports.model.report import BudgetClass, Report
from lowlat.reports.model.results import HARDWARE_COUNTERS, HardwareCounters
from lowlat.reports.terminal.latency_table import FOOTNOTE
from lowlat.reports.terminal.report_table import render


def shown(
    report: Report, *, width: int = 100, terminal: bool = True, no_color: bool = True, verbose: bool = True
) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=terminal, no_color=no_color)
    render(report, console, verbose=verbose)
    return stream.getvalue()


def words(report: Report, *, verbose: bool = True) -> str:
    """The text without line breaks, so that a phrase is found even if it wraps."""
    return " ".join(shown(report, terminal=False, verbose=verbose).split())


@pytest.mark.parametrize("width", [80, 100, 140])
def test_no_line_is_wider_than_the_terminal_and_no_cell_is_cut(report: Report, width: int) -> None:
    text = shown(report, width=width)
    plain = [line for line in text.replace("\x1b[", "\0").splitlines() if "\0" not in line]
    assert max(map(len, plain)) <= width
    assert "…" not in text
    for series in report.summary:
        assert units.time(series.max) in text
        spread = series.spread["99"]
        if series.op == "all" or "  min-max of runs" in text:  # columns of their own, or a line below the table
            assert units.time_range(spread.min, spread.max) in text


def test_off_a_terminal_rows_are_not_folded_to_80_columns(report: Report) -> None:
    text = shown(report, width=80, terminal=False)
    assert "\x1b" not in text
    row = next(line for line in text.splitlines() if line.strip().startswith("all "))
    assert units.time(report.summary[0].max) in row
    assert "180-183 ns" in row


def test_the_console_gets_its_width_back(report: Report) -> None:
    console = Console(file=io.StringIO(), width=80)
    render(report, console)
    assert console.width == 80


def test_no_color_is_respected(report: Report) -> None:
    assert "\x1b[36m" not in shown(report)
    assert "\x1b[36m" in shown(report, no_color=False)


def test_percentiles_with_few_samples_beyond_are_marked(report: Report) -> None:
    """p99.99 of 60,000 samples has 6 in its tail, p99.9 has 60."""
    whole = report.summary[0]
    text = words(report)
    assert f"{units.time(whole.percentiles['99.99'].value)}*" in text
    assert f"{units.time(whole.percentiles['99.9'].value)}*" not in text.split("add")[0]
    assert FOOTNOTE in text


def test_what_must_be_known_to_believe_the_numbers_is_said(report: Report) -> None:
    text = words(report)
    for phrase in (
        "resolution 10 ns",
        "timer cost 15.2 ns",
        "40.0 M/s · 25 ns per command · runs 24.0-26.0 ns (24.0 25.0 26.0)",
        "0 allocations · 0 page faults · 3 involuntary context switches",
        "750 timer interrupts",
        "steal 30.0 ms",
        "largest gap 1.20 ms",
        "noisy: 1 of 3 runs (run 3: 2 involuntary context switches)",
        "digest 9f86d081884c7d65",
        "first 20,000 commands identical to the reference engine's",
        "add 50.0%, cancel 40.0%, market 10.0%",
        "live orders 10,012 (peak 10,480)",
        "not measured needs a second host: run 'lowlat bench --listen PORT' there",
        "incomplete: network, operating system, NIC not measured",
        "<100 µs 99.980%",
    ):
        assert phrase in text


def test_status_is_shown_when_not_ok(report: Report) -> None:
    assert "INVALID" not in words(report)
    for status, phrase in (("invalid", "INVALID"), ("interrupted", "INTERRUPTED")):
        broken = dataclasses.replace(report, status=status, status_reasons=("digest differs",))  # type: ignore[arg-type]
        text = words(broken)
        assert phrase in text
        assert "digest differs" in text


def test_a_budget_class_needs_every_stage(report: Report) -> None:
    """A class from only some of the stages would be too good."""
    found = BudgetClass(name="HFT", total_ns=9_181, limit_ns=100_000, leaves_out=("network", "NIC"))
    assert "budget class" not in words(dataclasses.replace(report, budget_class=found))
    whole = dataclasses.replace(report, budget_class=dataclasses.replace(found, leaves_out=()))
    assert "budget class HFT (< 100 µs): 9.18 µs" in words(whole)


def test_runs_are_numbered_from_1(report: Report) -> None:
    """As in the progress line, the documents and the messages."""
    noisy = next(run for run in report.runs if run.os_noise.noisy)
    assert f"(run {noisy.number}: " in words(report)


def test_scheduling_delay_has_the_name_of_the_field(report: Report) -> None:
    """The document calls it scheduling_delay."""
    late = dataclasses.replace(
        report, summary=(*report.summary, dataclasses.replace(report.summary[0], measure="scheduling_delay"))
    )
    assert "sched. delay" in words(late) and "scheduling_delay" not in words(late)


def test_a_difference_from_the_reference_engine_cannot_be_overlooked(report: Report) -> None:
    assert report.verification is not None
    wrong = dataclasses.replace(report, verification=dataclasses.replace(report.verification, equal=False))
    assert "commands DIFFERENT from the reference engine's" in words(wrong)


def test_facts_that_are_not_available_are_not_invented(report: Report) -> None:
    unknown = dataclasses.replace(
        report,
        hot_path=dataclasses.replace(report.hot_path, allocations=None, involuntary_switches=None, locked=None),
        verification=None,
        budget_class=None,
        summary=(),
        runs=(),
    )
    text = words(unknown)
    assert "allocations not counted" in text
    assert "involuntary context switches not counted" in text
    assert "verified nothing" in text
    assert "locked" not in text


def test_a_missed_rate_and_lost_commands_are_said(report: Report) -> None:
    load = dataclasses.replace(
        report.load, model="open", target_rate=2e6, achieved_rate=0.8e6, sent=10, acked=7, rejected=2, out_of_range=2
    )
    text = words(dataclasses.replace(report, load=load))
    assert "achieved 800 k/s of 2.00 M/s requested" in text
    assert "1 command unanswered" in text
    assert "2 latency values out of range" in text


def test_markup_in_names_is_shown_as_it_is(report: Report) -> None:
    named = dataclasses.replace(report, workload=dataclasses.replace(report.workload, profile="[red]x[/red]"))
    assert "[red]x[/red]" in words(named)


@pytest.mark.parametrize(
    ("value_ns", "text"),
    [
        (0, "0 ns"),
        (40, "40 ns"),
        (15.25, "15.2 ns"),
        (999, "999 ns"),
        (999.9, "1.00 µs"),
        (1_000, "1.00 µs"),
        (9_994, "9.99 µs"),
        (9_996, "10.0 µs"),
        (99_960, "100 µs"),
        (999_900, "1.00 ms"),
        (1_500_000_000, "1.50 s"),
        (7_200_000_000_000, "7,200 s"),
    ],
)
def test_times_have_three_figures(value_ns: float, text: str) -> None:
    assert units.time(value_ns) == text


@pytest.mark.parametrize(
    ("part", "text"), [(0, "0%"), (1, "100%"), (0.5, "50.0%"), (0.9999999, "99.999%"), (1e-9, "0.001%")]
)
def test_a_share_is_not_rounded_to_all_or_nothing(part: float, text: str) -> None:
    assert units.share(part) == text


def test_other_quantities() -> None:
    assert units.time_range(900, 1_310) == "0.90-1.31 µs"
    assert units.time_range(44, 44) == "44 ns"
    assert (units.rate(41_234_567), units.rate(950)) == ("41.2 M/s", "950/s")
    assert units.frequency(2_595_900_000) == "2.596 GHz"
    assert (units.short(999_999), units.short(2_000_000)) == ("999,999", "2.00 M")
    assert (units.size(512), units.size(4 * 2**20)) == ("512 B", "4.00 MiB")
    assert (units.plural(1, "switch"), units.plural(2, "switch")) == ("1 switch", "2 switches")
    assert (units.counted(1, "byte"), units.counted(2_000_000, "byte")) == ("1 byte", "2,000,000 bytes")


def test_a_closed_loop_names_both_untimed_passes(report: Report, with_both_passes: Report) -> None:
    lines = shown(with_both_passes, terminal=False).splitlines()
    batched, single, timed = (
        next(line for line in lines if line.startswith(name)) for name in ("batched", "one at a time", "timed pass")
    )
    assert "25 ns per command" in batched and "one call, look-ahead" in batched
    assert "40 ns per command" in single and "39.5 ns of CPU time" in single and "a call per command" in single
    assert "62 ns per command" in timed
    assert not any(line.startswith("one at a time") for line in shown(report, terminal=False).splitlines())


def test_an_open_loop_shows_the_ceiling_of_its_loop(with_both_passes: Report) -> None:
    load = dataclasses.replace(
        with_both_passes.load, model="open", target_rate=1e6, achieved_rate=1e6, arrivals="constant", loop_ceiling=40e6
    )
    text = words(dataclasses.replace(with_both_passes, load=load))
    assert "loop ceiling 40.0 M/s (25.0 ns per command)" in text
    assert "throughput" in text and "batched" not in text and "one at a time" not in text


@pytest.mark.parametrize("status", ["ok", "invalid"])
def test_the_answer_fits_a_screen_and_what_weakens_it_comes_with_it(report: Report, status: str) -> None:
    found = dataclasses.replace(
        report,
        status=status,  # type: ignore[arg-type]
        status_reasons=() if status == "ok" else ("digest differs",),
    )
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown(found, verbose=False))
    lines = text.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 100
    assert ("digest differs" in lines[0]) is (status == "invalid")
    assert lines[status == "invalid"].startswith("steady  native engine · 20,000 commands · seed 42 · 3 runs")
    for phrase in (
        "batched",
        "40.0 M/s · 25 ns per command (runs 24-26 ns) · 24 ns CPU",
        "noisy: 1 of 3 runs, preempted 2 times, steal 20.0 ms, largest gap 1.20 ms",
        "first 20,000 commands identical to the reference engine's",
    ):
        assert phrase in " ".join(text.split())


def test_noise_is_colored_by_what_it_means(report: Report) -> None:
    quiet = dataclasses.replace(report, runs=report.runs[:2])
    assert "quiet: 2 runs without noise" in words(quiet, verbose=False)
    assert "\x1b[32mquiet" in shown(quiet, verbose=False, no_color=False)
    assert "\x1b[1;33mnoisy" in shown(report, verbose=False, no_color=False)


def test_a_hot_path_is_shown_where_it_asked_the_system_for_something(report: Report) -> None:
    """Otherwise only on request, with the memory it has."""
    assert "\nhot path" not in shown(report, verbose=False)
    busy = dataclasses.replace(report.hot_path, allocations=2, page_faults=1, pool_growths=3)
    text = words(dataclasses.replace(report, hot_path=busy), verbose=False)
    assert "hot path 2 allocations · 1 page fault · 3 pool growths" in text


def test_bands_are_shown_where_they_say_something(report: Report) -> None:
    """Where every sample is in the first one, they do not."""
    first = tuple(dataclasses.replace(band, count=0) for band in report.summary[0].bands[1:])
    fast = dataclasses.replace(report.summary[0], bands=(report.summary[0].bands[0], *first))
    assert "<100 µs" in words(report)
    assert "<100 µs" not in words(dataclasses.replace(report, summary=(fast,)))


def test_events_of_the_processor_stand_below_the_throughput(report: Report) -> None:
    figures = {"instructions": 61.25, "cycles": 18.0, "branch_misses": 0.02134, "dtlb_misses": 0.0}
    told = HardwareCounters(**dict.fromkeys(HARDWARE_COUNTERS) | figures)
    runs = tuple(dataclasses.replace(run, counters=told) for run in report.runs)
    text = words(dataclasses.replace(report, runs=runs), verbose=False)
    assert (
        "processor batched: 61.2 instructions per command · 18 cycles · 3.40 instructions per cycle · "
        "0.0213 branch misses · 0.0000 dTLB misses"
    ) in text
    assert "one at a time: 61" not in text


def test_why_no_events_were_counted_is_a_detail(report: Report) -> None:
    why = "not available here, because the processor has no counters"
    without = dataclasses.replace(report, not_available=report.not_available | {"runs.counters": why})
    assert f"processor {why}" in words(without)
    assert why not in words(without, verbose=False)
