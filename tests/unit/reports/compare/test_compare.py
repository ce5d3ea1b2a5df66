"""Figures of different work are never compared, and everything that weakens a comparison is reported."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lowlat.documents import published
from lowlat.errors import FormatError, InputError, NotValidError, UsageError
from lowlat.reports.compare.compare import Samples, compare_interleaved, compare_reports, samples_of, samples_of_each
from lowlat.reports.compare.gate import parse_rule
from lowlat.reports.io.json_codec import comparison_from_document, to_document, to_text
from lowlat.reports.io.loader import read_reports, report_of
from lowlat.reports.model.comparison import Comparison, Interleaving, Metric
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import HARDWARE_COUNTERS, HardwareCounters, Run
from lowlat.reports.model.series import histogram_of, summarize
from tests.scaled_reports import scaled

Change = Callable[[Report], Report]

TWO_RUNS = Path(__file__).parents[1] / "io/two_runs.json"
"""A real report: the conftest's has figures made up."""


def one(report: Report, label: str) -> Samples:
    return samples_of([report], label, [label])


def compared(base: Report, head: Report, *gates: str) -> Comparison:
    return compare_reports(one(base, "base"), one(head, "head"), [parse_rule(gate) for gate in gates], ["lowlat"])


def replaced(**parts: dict[str, Any]) -> Change:
    """Change fields of parts of a report, e.g. `workload={"seed": 7}`."""

    def change(report: Report) -> Report:
        new = {name: dataclasses.replace(getattr(report, name), **fields) for name, fields in parts.items()}
        return dataclasses.replace(report, **new)

    return change


@pytest.fixture
def eight(report: Report) -> Report:
    """Eight runs, repeating those of the fixture."""
    runs = tuple(dataclasses.replace(report.runs[index % 3], number=index + 1) for index in range(8))
    return dataclasses.replace(report, runs=runs, summary=summarize(runs))


def found(comparison: Comparison, name: str, op: str | None = "all") -> Any:
    return next(metric for metric in comparison.metrics if (metric.name, metric.op) == (name, op))


def test_scaling_is_exact(report: Report) -> None:
    """Checks the scaling itself: all samples are kept, and the percentiles are in the expected buckets."""
    slow = scaled(report, Fraction(13, 10))
    for before, after in zip(report.summary, slow.summary, strict=True):
        assert (after.count, after.min, after.max) == (before.count, before.min * 13 // 10, before.max * 13 // 10)
        for percent in ("50", "99"):
            assert after.percentiles[percent].value == before.percentiles[percent].value * 13 // 10
    assert histogram_of(slow.runs[0].series[0]).total == report.runs[0].series[0].count


def test_the_same_figures_pass(eight: Report) -> None:
    comparison = compared(eight, eight)
    assert comparison.gate.verdict == "passed"
    assert comparison.gate.rules == ("p50=10%", "p99=10%", "cpu=10%")
    p99 = found(comparison, "p99")
    assert (p99.ratio, p99.verdict, p99.p, p99.base.runs) == (1.0, "unchanged", 1.0, 8)
    assert comparison.warnings == comparison.not_compared == ()


def test_figures_a_third_longer_fail_by_p50_and_p99(eight: Report) -> None:
    comparison = compared(eight, scaled(eight, Fraction(13, 10)))
    assert comparison.gate.failed == ("p50 service all", "p99 service all", "cpu")
    assert found(comparison, "p99").ratio == pytest.approx(1.3, rel=0.02)
    throughput = found(comparison, "throughput", None)
    assert throughput.ratio == pytest.approx(1 / 1.3, rel=0.001)
    assert (throughput.verdict, throughput.gates, throughput.better) == ("regressed", False, "higher")
    assert compared(scaled(eight, Fraction(13, 10)), eight).gate.verdict == "passed"


def test_only_what_the_rules_name_gates(eight: Report) -> None:
    slow = scaled(eight, Fraction(13, 10))
    assert compared(eight, slow, "p99=50%").gate.verdict == "passed"
    assert compared(eight, slow, "p95::cancel=10%").gate.failed == ("p95 service cancel",)
    assert compared(eight, slow, "throughput=5%").gate.failed == ("throughput",)
    assert len(compared(eight, slow, "p50::*=10%").gate.failed) == 4


def test_values_are_those_of_the_single_runs(report: Report) -> None:
    metric = found(compared(report, report), "p99")
    shown = [run.series[0].percentiles["99"].value for run in report.runs]
    assert all(abs(value - of_run) < 1 for value, of_run in zip(metric.base.values, shown, strict=True))
    assert (metric.estimator, metric.step, metric.floor) == ("interpolated", report.clock.step_ns, 0)
    greatest = found(compared(report, report), "max")
    assert greatest.base.values == tuple(run.series[0].max for run in report.runs)
    assert (greatest.estimator, greatest.step, greatest.floor) == ("plain", None, 10)


def test_several_reports_of_a_side_are_one_set_of_runs(report: Report) -> None:
    twice = samples_of([report, report], "base", ["a", "b"])
    comparison = compare_reports(twice, one(report, "head"), (), [])
    assert (comparison.base.runs, comparison.head.runs, comparison.base.sources) == (6, 3, ("a", "b"))
    assert (comparison.base.noisy_runs, comparison.head.noisy_runs) == (2, 1)


def test_taken_in_turn_a_report_counts_as_one_run(report: Report) -> None:
    samples = samples_of_each([report] * 4, "A", [])
    assert (len(samples.runs), samples.noisy_runs) == (4, 4)
    p99 = Metric(name="p99", measure="service", op="all")
    assert samples.runs[0][p99] == report.summary[0].percentiles["99"].value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (replaced(workload={"hash": "sha256:other"}), r"differ in workload hash \(5f3c9a1e77d0b2c4 and sha256:other\)"),
        (replaced(workload={"seed": 7}), r"differ in seed \(42 and 7\)"),
        (replaced(load={"model": "open"}), r"differ in load model \(closed and open\)"),
        (replaced(load={"target_rate": 1e6}), r"differ in target rate \(none and 1,000,000\)"),
        (replaced(load={"producers": 2}), r"differ in producers \(none and 2\)"),
        (replaced(engine={"name": "reference"}), r"differ in engine \(native and reference\)"),
        (
            replaced(engine={"settings": {"order_pool": 7, "trade_pool": 100_000}}),
            r"differ in engine setting order_pool \(50,000 and 7\);",
        ),
        (
            replaced(engine={"settings": {}}),
            r"engine setting order_pool \(50,000 and none\); engine setting trade_pool",
        ),
    ],
)
@pytest.mark.parametrize("same_side", [False, True])
def test_reports_of_other_work_are_refused(report: Report, change: Change, message: str, same_side: bool) -> None:
    base = samples_of([report, *([change(report)] if same_side else [])], "base", [])
    head = one(report if same_side else change(report), "head")
    with pytest.raises(NotValidError, match=message) as refused:
        compare_reports(base, head, (), [])
    assert refused.value.exit_code == 3


def with_digest(report: Report, digest: str) -> Report:
    assert report.verification is not None
    return dataclasses.replace(report, verification=dataclasses.replace(report.verification, digest=digest))


def in_pairs(*sides: Report) -> Comparison:
    order = Interleaving(seed=1, pairs=4, first=("base", "head", "head", "base"))
    base, head = (samples_of_each([side] * 4, name, []) for side, name in zip(sides, "AB", strict=True))
    return compare_interleaved(base, head, (), [], order)


@pytest.mark.parametrize("compare_both", [compared, in_pairs])
def test_other_events_of_the_same_commands_never_compare(
    report: Report, compare_both: Callable[[Report, Report], Comparison]
) -> None:
    """Also between two engines that are named differently, and before everything else that is wrong with the runs."""
    wrong = with_digest(report, "1e9fe1ab5001ca75")
    message = r"different events, so an engine is wrong: digests 9f86d081884c7d65 and 1e9fe1ab5001ca75; find"
    for other in (wrong, replaced(engine={"name": "other"})(wrong), dataclasses.replace(wrong, runs=wrong.runs[:1])):
        with pytest.raises(NotValidError, match=message) as refused:
            compare_both(report, other)
        assert refused.value.exit_code == 3
    assert compare_both(report, report).head.digest == "9f86d081884c7d65"


@pytest.mark.parametrize(
    "change",
    [
        replaced(workload={"seed": 7}),
        replaced(workload={"hash": "other"}),
        replaced(engine={"settings": {"order_pool": 7}}),
        replaced(load={"producers": 2, "model": "pipeline"}),
    ],
)
def test_other_work_may_give_other_events(report: Report, change: Change) -> None:
    assert in_pairs(report, change(with_digest(report, "1e9fe1ab5001ca75"))).base.digest == "9f86d081884c7d65"
    several = replaced(load={"producers": 2, "model": "pipeline"})(report)
    assert compared(several, with_digest(several, "1e9fe1ab5001ca75")).head.digest == "1e9fe1ab5001ca75"


def test_reports_without_a_digest_compare(eight: Report) -> None:
    bare = dataclasses.replace(eight, verification=None)
    assert (compared(eight, bare).head.digest, compared(eight, bare).gate.verdict) == (None, "passed")


def test_cpu_time_is_that_of_the_pass_without_timestamps(eight: Report) -> None:
    """24 ns a command in the fixture; the timed pass has none."""
    cpu = found(compared(eight, eight), "cpu", None)
    assert (set(cpu.base.values), cpu.unit, cpu.gates, cpu.threshold_percent) == ({24.0}, "ns", True, 10)
    assert found(in_pairs(eight, eight), "cpu", None).base.values == (24.0,) * 4


@pytest.mark.parametrize("unmeasured", [1, 8])
@pytest.mark.parametrize("cpu_ns", [0, None])
def test_a_run_without_cpu_time_is_no_improvement(eight: Report, cpu_ns: int | None, unmeasured: int) -> None:
    def without(run: Run) -> Run:
        assert run.throughput is not None
        return dataclasses.replace(run, throughput=dataclasses.replace(run.throughput, cpu_ns=cpu_ns))

    runs = (*map(without, eight.runs[:unmeasured]), *eight.runs[unmeasured:])
    comparison = compared(eight, dataclasses.replace(eight, runs=runs))
    assert "cpu" not in {metric.name for metric in comparison.metrics}
    assert comparison.not_compared == ("only base has cpu",)
    assert comparison.gate.rules == ("p50=10%", "p99=10%")


@pytest.mark.parametrize("load", [{"model": "open", "target_rate": 1e6}, {"model": "pipeline", "producers": 2}])
def test_cpu_time_of_loops_that_spin_says_nothing(eight: Report, load: dict[str, Any]) -> None:
    waiting = replaced(load=load)(eight)
    assert "cpu" not in {metric.name for metric in compared(waiting, waiting).metrics}
    assert compared(waiting, waiting).gate.rules == ("p50=10%", "p99=10%")
    with pytest.raises(UsageError, match=r"gate cpu=5% matches nothing that both sides have; available: service:all"):
        compared(waiting, waiting, "cpu=5%")


def with_instructions(report: Report, *per_command: float | None, name: str = "instructions") -> Report:
    """Runs whose processor counted so many instructions, or other events, in turn; None: it counted cycles only."""
    nothing = dict.fromkeys(HARDWARE_COUNTERS)
    told = [HardwareCounters(**nothing | {"cycles": 20.0, name: each}) for each in per_command]
    runs = [dataclasses.replace(run, counters=told[at % len(told)]) for at, run in enumerate(report.runs)]
    return dataclasses.replace(report, runs=tuple(runs))


def test_two_percent_more_instructions_fail_their_gate_which_nothing_else_does(eight: Report) -> None:
    base, head = with_instructions(eight, 61.0, 61.1), with_instructions(eight, 62.3, 62.4)
    assert compared(base, head).gate.verdict == "passed"
    comparison = compared(base, head, "instructions=1%")
    assert comparison.gate.failed == ("instructions",)
    metric = found(comparison, "instructions", None)
    assert (metric.unit, metric.better, metric.base.median) == ("per command", "lower", 61.05)
    assert compared(base, base, "instructions=1%", "cycles=1%").gate.verdict == "passed"


def test_page_walks_are_counted_in_no_steps_of_the_clock(eight: Report) -> None:
    """Their name begins with a p, as those of percentiles do: a tenth more per command is far below 10 ns."""
    base, head = (with_instructions(eight, count, count + 0.001, name="page_walks") for count in (0.5, 0.6))
    walks = found(compared(base, head, "page_walks=10%"), "page_walks", None)
    assert (walks.floor, walks.estimator, walks.verdict) == (0.0, "plain", "regressed")


def test_a_gate_on_events_that_a_side_did_not_count_is_refused_with_the_reason(eight: Report) -> None:
    why = "not available here, because the processor has none"
    without = dataclasses.replace(eight, not_available=eight.not_available | {"runs.counters": why})
    with pytest.raises(UsageError, match=f"gate instructions=1% needs the processor's counters on both sides: {why}"):
        compared(with_instructions(eight, 61.0), without, "instructions=1%")
    partly = with_instructions(eight, 61.0, None)
    with pytest.raises(UsageError, match="on both sides: not counted"):
        compared(partly, partly, "instructions=1%")


def test_means_are_compared_where_a_rule_names_them(eight: Report) -> None:
    slow = scaled(eight, Fraction(13, 10))
    assert "mean" not in {metric.name for metric in compared(eight, slow).metrics}
    assert compared(eight, slow, "mean=10%").gate.failed == ("mean service all",)
    assert {"mean service all", "mean service cancel"} <= set(compared(eight, slow, "mean::*=10%").gate.failed)
    assert compared(eight, slow, "mean:service:cancel=200%").gate.verdict == "passed"


def test_a_side_that_is_not_valid_is_refused(report: Report) -> None:
    wrong = dataclasses.replace(report, status="invalid", status_reasons=("digest differs",))
    with pytest.raises(NotValidError, match="head is invalid, so there is nothing to compare: digest differs"):
        compared(report, wrong)


@pytest.mark.parametrize("runs", [0, 1])
def test_a_single_run_is_refused(report: Report, runs: int) -> None:
    single = dataclasses.replace(report, runs=report.runs[:runs])
    with pytest.raises(NotValidError, match=f"base has {runs} runs?: too few to tell a change from chance"):
        compared(single, report)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            replaced(host={"cpu": "other"}),
            "different environments: processor (AMD EPYC 7763 64-Core Processor and other)",
        ),
        (replaced(host={"governor": "performance"}), "different environments: governor (none and performance)"),
        (replaced(clock={"source": "clock_monotonic"}), "clock source (rdtscp and clock_monotonic)"),
    ],
)
def test_other_surroundings_are_a_warning(eight: Report, change: Change, message: str) -> None:
    comparison = compared(eight, change(eight))
    assert len(comparison.warnings) == 1 and message in comparison.warnings[0]
    assert comparison.gate.verdict == "passed"


def with_step(report: Report, step_ns: float | None) -> Report:
    return replaced(clock={"step_ns": step_ns})(report)


def test_a_clock_too_coarse_for_the_median_is_a_warning(eight: Report) -> None:
    coarse = with_step(eight, 500.0)
    (warning,) = compared(coarse, coarse).warnings
    assert re.fullmatch(
        r"the clock's step of 500 ns is larger than p50 service all \([0-9.]+ ns\); "
        "percentiles below it are interpolated within one step",
        warning,
    )
    assert compared(coarse, coarse, "throughput=5%").warnings == ()


def test_sides_with_other_steps_of_the_clock_are_a_warning(eight: Report) -> None:
    assert compared(with_step(eight, 20.0), eight).warnings == (
        "the clock's step differs: base 20 ns, head 10 ns; percentiles of both sides are interpolated within 20 ns; "
        "measure both with the same clock",
    )


@pytest.mark.parametrize("step_ns", [None, 10.0, 12.0])
def test_a_step_below_the_median_that_is_about_the_same_is_no_warning(eight: Report, step_ns: float | None) -> None:
    assert compared(with_step(eight, step_ns), eight).warnings == ()


def test_an_interrupted_report_is_a_warning(eight: Report) -> None:
    stopped = dataclasses.replace(eight, status="interrupted", status_reasons=("interrupted after 8 of 10 runs",))
    warning = "a report has fewer runs than requested: interrupted after 8 of 10 runs"
    assert compared(eight, stopped).warnings == (warning,)


def test_what_only_one_side_has_is_said(eight: Report) -> None:
    runs = tuple(dataclasses.replace(run, series=run.series[:-1]) for run in eight.runs)
    comparison = compared(eight, dataclasses.replace(eight, runs=runs))
    assert comparison.not_compared == ("only base has service market",)


def test_throughput_at_a_set_rate_says_nothing(eight: Report) -> None:
    paced = replaced(load={"target_rate": 1e6, "model": "open"})(eight)
    assert "throughput" not in {metric.name for metric in compared(paced, paced).metrics}


def test_response_times_are_the_main_measure_where_there_are_any(eight: Report) -> None:
    runs = tuple(
        dataclasses.replace(
            run, series=(*run.series, *(dataclasses.replace(each, measure="response") for each in run.series))
        )
        for run in eight.runs
    )
    both = dataclasses.replace(eight, runs=runs)
    assert {str(metric) for metric in compared(both, both).metrics if metric.gates} == {
        "p50 response all",
        "p99 response all",
        "cpu",
    }


def test_of_settings_measured_in_turn_the_difference_is_a_warning(report: Report) -> None:
    other = replaced(workload={"seed": 7})(report)
    order = Interleaving(seed=1, pairs=4, first=("base", "head", "head", "base"))
    sides = [samples_of_each([each] * 4, name, []) for each, name in ((report, "A"), (other, "B"))]
    comparison = compare_interleaved(sides[0], sides[1], (), [], order)
    assert comparison.warnings == ("the sides differ in seed (42 and 7)",)
    assert (comparison.status, comparison.interleaving) == ("ok", order)


def test_fewer_pairs_than_asked_were_interrupted(report: Report) -> None:
    order = Interleaving(seed=1, pairs=4, first=("base", "head", "head", "base"))
    side = samples_of_each([report], "A", [])
    comparison = compare_interleaved(side, side, (), [], order)
    assert (comparison.status, comparison.status_reasons) == ("interrupted", ("interrupted after 1 of 4 pairs",))
    assert comparison.gate.verdict == "inconclusive"


def test_the_document_satisfies_its_schema_to_the_letter_and_reads_back(eight: Report) -> None:
    for comparison in (compared(eight, scaled(eight, Fraction(13, 10))), compared(eight, eight, "p50::*=5%")):
        document = to_document(comparison)
        jsonschema.Draft202012Validator(published("lowlat.comparison/1", closed=True)).validate(document)
        assert comparison_from_document(document) == comparison
        assert to_text(comparison).isascii() and json.loads(to_text(comparison)) == document


def test_a_report_is_no_comparison_and_a_comparison_no_report(eight: Report) -> None:
    with pytest.raises(FormatError, match=r"not a lowlat.comparison/1 document: its schema is 'lowlat.report/1'"):
        comparison_from_document(to_document(eight))
    with pytest.raises(InputError, match=r"x: not a lowlat.report/1 .* its schema is 'lowlat.comparison/1'"):
        report_of(to_text(compared(eight, eight)).encode(), "x")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a JSON document"),
        (b"\xff\xfe", "not a JSON document: JSON is malformed: invalid character (byte 0)"),
        (b'{"schema": "lowlat.report/1"', "not a JSON document"),
        (b"[" * 100_000, "Expected `object`, got `array`"),
        (b'{"schema": "lowlat.report/2"}', "its schema 'lowlat.report/2' is from another version"),
        (b'{"name": "hyperfine"}', "not a lowlat.report/1 or lowlat.sweep/1 document: its schema is None"),
        (b'{"schema": NaN}', "not a JSON document"),
        (b'{"schema": 1e999}', "Number out of range"),
        (b'{"schema": -Infinity}', "not a JSON document"),
    ],
)
def test_what_is_no_report_is_refused_by_name(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "x.json").write_bytes(data)
    with pytest.raises(InputError, match=r"x\.json: .*" + re.escape(message)):
        read_reports([tmp_path / "x.json"])


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(InputError, match=r"/dev/zero: it is a device; name a regular file"):
        read_reports([Path("/dev/zero")])


def test_a_file_named_twice_is_refused_by_any_name(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(TWO_RUNS.read_bytes())
    (tmp_path / "link.json").symlink_to("a.json")
    with pytest.raises(InputError, match="given twice"):
        read_reports([tmp_path / "a.json", tmp_path / "link.json"])
    assert len(read_reports([tmp_path / "a.json"])) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "passed", "failed": []},
        {"verdict": "passed"},
        {"verdict": "inconclusive"},
        {"failed": ["p50 service all"]},
        {"inconclusive": ["p50 service all"]},
    ],
)
def test_a_gate_that_its_metrics_contradict_is_refused(eight: Report, change: dict[str, Any]) -> None:
    document = to_document(compared(eight, scaled(eight, Fraction(4, 3))))
    assert document["gate"]["verdict"] == "failed" and len(document["gate"]["failed"]) > 1
    document["gate"] |= change
    with pytest.raises(NotValidError, match="gate does not follow from the verdicts of metrics"):
        comparison_from_document(document)


@pytest.mark.parametrize(("name", "value"), [("runs", 9), ("median", 1.5), ("min", 0), ("max", 1e9), ("values", [])])
def test_values_that_contradict_each_other_are_refused(eight: Report, name: str, value: object) -> None:
    document = to_document(compared(eight, eight))
    document["metrics"][0]["head"][name] = value
    with pytest.raises(NotValidError, match=r"metrics \(p50 service all\): runs, median, min or max is not that of"):
        comparison_from_document(document)


FOLLOWS = {
    "unit": ["ns", "1/s", "per command"],
    "better": ["lower", "higher"],
    "estimator": ["interpolated", "plain"],
    "ratio": [None, 1.0, 1.3, 2.0],
    "interval": [None, [0.5, 0.6], [1.0, 1.01]],
    "p": [0.0, 0.04, 0.5, 1.0],
    "test": ["within pairs", "over all runs"],
    "verdict": ["regressed", "improved", "unchanged", "inconclusive"],
    "reason": ["", "for no reason"],
    "runs_to_decide": [None, 1, 1_000],
}
"""What follows from the values and the settings of a metric (its threshold, floor, step and whether it gates), and
what it is changed to."""


@pytest.mark.parametrize("field", FOLLOWS)
@pytest.mark.parametrize("factor", [Fraction(1), Fraction(4, 3)])
def test_a_figure_that_values_contradict_is_refused(eight: Report, field: str, factor: Fraction) -> None:
    document = to_document(compared(eight, scaled(eight, factor)))
    assert comparison_from_document(document)
    metric = next(each for each in document["metrics"] if not each["gates"])
    was, changes = metric[field], [each for each in FOLLOWS[field] if each != metric[field]]
    for value in changes:
        metric[field] = value
        with pytest.raises(NotValidError, match=rf"metrics \(.*\): {field} is .*, but its values give "):
            comparison_from_document(document)
    metric[field] = was
    assert changes and comparison_from_document(document)


def test_a_verdict_is_refused_also_if_the_gate_is_changed_with_it(eight: Report) -> None:
    document = to_document(compared(eight, scaled(eight, Fraction(4, 3))))
    for metric in document["metrics"]:
        metric["verdict"] = "unchanged"
    document["gate"] |= {"verdict": "passed", "failed": [], "inconclusive": []}
    with pytest.raises(NotValidError, match="verdict is unchanged, but its values give regressed"):
        comparison_from_document(document)
