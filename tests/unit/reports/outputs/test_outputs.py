"""Each output is tested with the program that will read it, or against the strictest form of its format's rules."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import xmlschema
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from lowlat.documents import published
from lowlat.errors import ExitCode, NotValidError, UsageError
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.histogram import buckets
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.histogram.hlog_reader import read_log
from lowlat.reports.io.json_codec import from_text
from lowlat.reports.io.selection import select
from lowlat.reports.model.objective import Objective
from lowlat.reports.model.report import Report
from lowlat.reports.model.series import histogram_of
from lowlat.reports.model.sweep import Sweep, sweep_of
from lowlat.reports.outputs import hgrm, markdown
from lowlat.reports.outputs.registry import OUTPUTS, convert
from lowlat.text import printable

JENKINS = Path(__file__).parents[1] / "jenkins-junit.xsd"
NASTY = 'a "b"\\c|d\n<e> & `f`'


@pytest.fixture
def sweep(report: Report) -> Sweep:
    """Two rates; the second was missed."""
    points = []
    for rate_hz, missed in ((1e6, ()), (2e6, ("reached 1.5 M/s of 2 M/s",))):
        series = tuple(dataclasses.replace(each, measure="response") for each in report.summary)
        runs = tuple(
            dataclasses.replace(
                run,
                late_ns=1_000_000_000 if missed else 0,
                series=tuple(dataclasses.replace(s, measure="response") for s in run.series),
            )
            for run in report.runs
        )
        load = dataclasses.replace(
            report.load, model="open", target_rate=rate_hz, achieved_rate=min(rate_hz, 1.5e6), missed=missed
        )
        status = "invalid" if missed else "ok"
        points.append(
            dataclasses.replace(report, load=load, summary=series, runs=runs, status=status, status_reasons=missed)
        )
    return sweep_of(points, objectives=[Objective(percentile="99", limit_ns=1_000_000)])


def invalid(report: Report) -> Report:
    return dataclasses.replace(report, status="invalid", status_reasons=("digests differ",))


def nasty(report: Report) -> Report:
    """Names that every format has to escape."""
    workload = dataclasses.replace(report.workload, profile=NASTY)
    return dataclasses.replace(report, workload=workload)


def test_json_is_the_document(report: Report, sweep: Sweep) -> None:
    text = convert(report, "json")
    jsonschema.Draft202012Validator(published("lowlat.report/1", closed=True)).validate(json.loads(text))
    assert from_text(text) == report
    jsonschema.Draft202012Validator(published("lowlat.sweep/1", closed=True)).validate(
        json.loads(convert(sweep, "json"))
    )


def test_what_an_output_cannot_hold_is_refused_with_those_that_can(sweep: Sweep, report: Report) -> None:
    for name in ("hgrm", "hlog", "junit"):
        with pytest.raises(
            UsageError, match=f"a sweep cannot be converted to {name}; choose from table, json, md, html, csv"
        ):
            convert(sweep, name)
    log = read_log(convert(report, "hlog").encode())
    for name in ("json", "md", "html", "junit", "github", "bmf", "gobench"):
        with pytest.raises(
            UsageError,
            match=f"an interval log cannot be converted to {name}; choose from table, hgrm, csv, openmetrics",
        ):
            convert(log, name)


# --- HdrHistogram


def test_hlog_is_read_by_hdrhistogram(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.hlog"
    path.write_text(convert(report, "hlog"))
    reader = HistogramLogReader(str(path), HdrHistogram(1, buckets.HIGHEST_NS, buckets.SIGNIFICANT_DIGITS))
    for run in report.runs:
        for series in run.series:
            read = reader.get_next_interval_histogram()
            assert read.get_tag() == f"{series.measure}/{series.op}"
            assert read.get_total_count() == series.count
            assert read.get_end_time_stamp() - read.get_start_time_stamp() == pytest.approx(run.duration_s * 1000)
            counts = np.frombuffer(read.counts, dtype=np.uint64)[: buckets.COUNTS_LENGTH]
            assert np.array_equal(counts, histogram_of(series).counts)
    assert reader.get_next_interval_histogram() is None
    reader.close()


def rows_of(text: str) -> list[list[float]]:
    lines = text.splitlines()
    assert lines[:2] == ["       Value     Percentile TotalCount 1/(1-Percentile)", ""]
    return [[float(cell) for cell in line.split()] for line in lines[2:-3]]


def test_hgrm_of_numbers_that_one_can_add(report: Report) -> None:
    """1 to 10: the median is 5, with five values up to it; the last is 10."""
    recorder = Recorder()
    recorder.record_many(np.arange(1, 11))
    text = hgrm.distribution(Histogram.from_native(recorder))
    rows = rows_of(text)
    assert rows[0] == [1, 0, 1, 1]
    assert [5, 0.5, 5, 2] in rows
    assert rows[-2:] == [[10, 0.9125, 10, 11.43], [10, 1, 10]]
    assert "#[Mean    =        5.500, StdDeviation   =        2.872]" in text
    assert "#[Max     =       10.000, Total count    =           10]" in text


def test_hgrm_rises_as_hdrhistogram_s_own_and_ends_at_the_maximum(report: Report) -> None:
    """hdrhistogram's own file also starts at 0, but its ranks round half up."""
    series = report.summary[0]
    rows = rows_of(convert(report, "hgrm"))
    assert rows[-1] == [series.max, 1, series.count]
    values, levels, counts = (np.array([row[column] for row in rows]) for column in range(3))
    assert (np.diff(values) >= 0).all() and (np.diff(levels) > 0).all() and (np.diff(counts) >= 0).all()
    theirs = HdrHistogram.decode(series.hdr)
    for value, level, count in list(zip(values, levels, counts, strict=True))[:-1]:
        assert count == theirs.get_count_at_value(int(value)) + counts_below(theirs, int(value))
        assert count >= math.ceil(level * series.count)


def counts_below(hdr: HdrHistogram, value: int) -> int:
    counts = np.frombuffer(hdr.counts, dtype=np.uint64)[: buckets.COUNTS_LENGTH]
    return int(counts[: buckets.index_of(value)].sum())


def test_hgrm_of_one_operation(report: Report) -> None:
    picked = select(report, "cancel")
    assert f"Total count    = {report.summary[2].count:12d}]" in convert(picked, "hgrm")
    with pytest.raises(UsageError, match="there is no series 'cancle'; available: service/all"):
        select(report, "cancle")
    several = dataclasses.replace(report, summary=report.summary[1:])
    with pytest.raises(UsageError, match="hgrm holds one series"):
        convert(several, "hgrm")


JAVASCRIPT = """
const hdr = require("hdr-histogram-js");
const fs = require("fs");
const reader = new hdr.HistogramLogReader(fs.readFileSync(process.argv[2], "utf8"));
const seen = [];
const logged = hdr.build({bitBucketSize: 64, highestTrackableValue: 2 ** 42, numberOfSignificantValueDigits: 3});
for (let h; (h = reader.nextIntervalHistogram()) !== null; ) {
  const percentiles = JSON.parse(process.argv[3]).map((p) => h.getValueAtPercentile(p));
  seen.push([h.tag, h.totalCount, h.minNonZeroValue, h.maxValue, percentiles]);
  h.autoResize = true;
  logged.add(h);
}
const summary = hdr.decodeFromCompressedBase64(process.argv[4], 64);
const writer = new hdr.HistogramLogWriter((line) => (written += line));
let written = "";
writer.outputLogFormatVersion();
writer.outputStartTime(1700000000000);
writer.outputLegend();
summary.tag = "theirs";
summary.startTimeStampMsec = 1700000000000;
summary.endTimeStampMsec = 1700000002500;
writer.outputIntervalHistogram(summary);
console.log(JSON.stringify({seen, hgrm: summary.outputPercentileDistribution(), written}));
"""
PERCENTS = (0.1, 1, 5, 10, 25, 40, 50, 75, 90, 95, 99, 99.9, 99.99, 99.999, 100)


def test_javascript_agrees_both_ways(report: Report, javascript: Any, tmp_path: Path) -> None:
    """It reads our log and our blob with the same percentiles, and we read its log."""
    series = report.summary[0]
    path = tmp_path / "report.hlog"
    path.write_text(convert(report, "hlog"))
    told = json.loads(javascript(JAVASCRIPT, path, json.dumps(PERCENTS), series.hdr))

    expected = []
    for run in report.runs:
        for each in run.series:
            histogram = Histogram.from_buckets(histogram_of(each).counts)
            values = [p.value_ns for p in histogram.percentiles(PERCENTS)]
            bounds = [histogram.min_ns, histogram.max_ns]
            expected.append([f"{each.measure}/{each.op}", each.count, *bounds, values])
    assert told["seen"] == expected

    whole = Histogram.from_buckets(histogram_of(series).counts)
    ours, theirs = hgrm.distribution(whole).splitlines(), told["hgrm"].splitlines()
    assert ours[:-3] == theirs[:-3]
    assert ours[-1] == theirs[-1]
    mean, theirs_mean = (re.findall(r"[\d.]+", lines[-3]) for lines in (ours, theirs))
    assert [float(x) for x in mean] == pytest.approx([float(x) for x in theirs_mean], rel=1e-3)

    back = read_log(told["written"].encode())
    (found,) = back.series
    assert (found.series.op, found.intervals, found.series.count) == ("theirs", 1, series.count)
    assert np.array_equal(histogram_of(found.series).counts, whole.counts)
    assert (back.end - back.begin).total_seconds() == 2.5


# --- tables


def test_csv_has_a_row_for_each_series_of_each_run(report: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(convert(nasty(report), "csv")), strict=True))
    assert len(rows) == sum(len(run.series) for run in report.runs) + len(report.summary)
    assert all(row["profile"] == printable(NASTY) and None not in row for row in rows)
    last = next(row for row in rows if row["run"] == "all" and row["op"] == "all")
    assert (int(last["count"]), int(last["p99"])) == (
        report.summary[0].count,
        report.summary[0].percentiles["99"].value,
    )
    assert last["seed"] == "42" and last["target_rate"] == ""


def test_csv_of_a_sweep_has_the_rate_and_what_is_not_valid(sweep: Sweep) -> None:
    rows = list(csv.DictReader(io.StringIO(convert(sweep, "csv"))))
    assert {(row["target_rate"], row["status"]) for row in rows} == {("1000000.0", "ok"), ("2000000.0", "invalid")}


def test_markdown_opens_below_the_second_level_and_escapes(report: Report, sweep: Sweep) -> None:
    for text in (convert(nasty(report), "md"), convert(sweep, "md"), convert(invalid(report), "md")):
        headings = [line for line in text.splitlines() if line.startswith("#")]
        assert headings and all(line.startswith("###") for line in headings)
        tables = [line for line in text.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in tables}) == 1
    assert '### lowlat: a "b"\\\\c\\|d \\<e\\> \\& \\`f\\`' in convert(nasty(report), "md")
    assert "> **INVALID: discard these results**: digests differ" in convert(invalid(report), "md")
    of_sweep = convert(sweep, "md")
    assert "| 1.00 M/s | 1.00 M/s |" in of_sweep and "| not sustained in 3 of 3 |" in of_sweep
    assert "Highest rate: **1.41 M/s (95% interval: 1.00 M/s to 2.00 M/s)**; p99 ≤ 1.00 ms" in of_sweep


def test_markdown_names_both_untimed_passes(report: Report, with_both_passes: Report) -> None:
    text = convert(with_both_passes, "md")
    assert "- batched: 40.0 M/s" in text and "- one at a time: 25.0 M/s" in text
    assert "- batched: " in convert(report, "md") and "- one at a time" not in convert(report, "md")


def test_markdown_stays_below_a_mebibyte_whatever_it_is_given(report: Report) -> None:
    long = dataclasses.replace(report.summary[0], op="|" * 100_000)
    huge = dataclasses.replace(report, summary=(long,) * 5_000, status="invalid", status_reasons=("x" * 2**21,))
    text = convert(huge, "md")
    assert len(text.encode()) < 2**20
    assert f"and {5_000 - markdown.ROWS_MAX:,} more" in text


# --- continuous integration and monitoring

ACTION = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "unit": {"type": "string", "minLength": 1},
            "value": {"type": "number"},
            "range": {"type": "string"},
            "extra": {"type": "string"},
        },
        "required": ["name", "unit", "value"],
        "additionalProperties": False,
    },
}


@pytest.mark.parametrize("name", ["github", "github-throughput"])
def test_github_action_benchmark_gets_named_entries(report: Report, sweep: Sweep, name: str) -> None:
    """The action silently drops an entry without a name, so the schema here requires one."""
    for document in (report, sweep):
        entries = json.loads(convert(document, name))
        jsonschema.Draft202012Validator(ACTION).validate(entries)
        names = [entry["name"] for entry in entries]
        assert len(set(names)) == len(names)
    broken = [{key: value for key, value in entries[0].items() if key != "name"}]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(ACTION).validate(broken)


def test_a_file_for_the_action_has_one_direction(report: Report) -> None:
    latencies = json.loads(convert(report, "github"))
    assert {entry["unit"] for entry in latencies} == {"ns"}
    assert latencies[1]["name"] == "steady all service p99"
    assert latencies[1]["value"] == report.summary[0].percentiles["99"].value
    (entry,) = json.loads(convert(report, "github-throughput"))
    assert entry["unit"] == "commands/s"
    assert entry["value"] == 40_000_000  # (24 + 25 + 26) ns / 3 is 25 ns a command
    untimed = dataclasses.replace(report, runs=tuple(dataclasses.replace(run, throughput=None) for run in report.runs))
    with pytest.raises(UsageError, match="no run"):
        convert(untimed, "github-throughput")


BENCHER = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"minLength": 1, "maxLength": 1024},
    "additionalProperties": {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"enum": ["latency", "throughput"]},
        "additionalProperties": {
            "type": "object",
            "properties": {name: {"type": "number"} for name in ("value", "lower_value", "upper_value")},
            "required": ["value"],
            "additionalProperties": False,
        },
    },
}


def test_bencher_gets_its_metric_format(report: Report, sweep: Sweep) -> None:
    """The published schema, closed, with the two measures whose units Bencher knows."""
    for document in (report, nasty(report), sweep):
        benchmarks = json.loads(convert(document, "bmf"))
        jsonschema.Draft202012Validator(BENCHER).validate(benchmarks)
        for measures in benchmarks.values():
            for metric in measures.values():
                assert metric["lower_value"] <= metric["value"] <= metric["upper_value"]
    spread = report.summary[0].spread["50"]
    assert json.loads(convert(report, "bmf"))["steady/all/service/p50"] == {
        "latency": {
            "value": report.summary[0].percentiles["50"].value,
            "lower_value": spread.min,
            "upper_value": spread.max,
        }
    }


def test_figures_that_are_not_valid_enter_no_record(report: Report, sweep: Sweep) -> None:
    for name in ("github", "github-throughput", "bmf", "gobench", "openmetrics"):
        with pytest.raises(NotValidError, match="digests differ") as caught:
            convert(invalid(report), name)
        assert caught.value.exit_code == ExitCode.NOT_VALID
        text = convert(sweep, name)
        assert "1000000" in text and "2000000" not in text


def samples_of(text: str) -> dict[str, list[Any]]:
    """Samples by family, from the strict parser, which checks order, bounds, units, escapes and the end."""
    return {family.name: family.samples for family in text_string_to_metric_families(text)}


def test_openmetrics_satisfies_the_strict_parser(report: Report, sweep: Sweep) -> None:
    for document in (report, nasty(report), sweep, read_log(convert(report, "hlog").encode())):
        assert "lowlat_latency_seconds" in samples_of(convert(document, "openmetrics"))
    latencies = samples_of(convert(nasty(report), "openmetrics"))["lowlat_latency_seconds"]
    assert {sample.labels["profile"] for sample in latencies} == {NASTY}


def test_openmetrics_has_only_types_of_the_older_format(report: Report) -> None:
    """promtool, Pushgateway and node_exporter read that one, and refuse a file with another type."""
    text = convert(report, "openmetrics")
    types = {line.split()[3] for line in text.splitlines() if line.startswith("# TYPE")}
    assert types <= {"counter", "gauge", "histogram", "summary", "untyped"}
    assert samples_of(text)["lowlat_report_info"][0].value == 1


def test_promtool_accepts_openmetrics(report: Report) -> None:
    """Debian's package prometheus has it."""
    if shutil.which("promtool") is None:
        pytest.skip("not available here: promtool")
    for text, accepted in ((convert(report, "openmetrics"), True), ("# TYPE a info\na_info 1\n", False)):
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is accepted, done.stderr


def test_openmetrics_counts_each_bucket_exactly(report: Report) -> None:
    series = report.summary[0]
    counts = histogram_of(series).counts
    families = samples_of(convert(report, "openmetrics"))
    bounds = [
        sample
        for sample in families["lowlat_latency_seconds"]
        if sample.name.endswith("_bucket") and sample.labels["op"] == "all"
    ]
    for sample in bounds[:-1]:
        bound_ns = round(float(sample.labels["le"]) * 1e9)
        up_to = int(counts[: buckets.index_of(bound_ns) + 1].sum())
        below = int(counts[: buckets.index_of(bound_ns + 1)].sum())
        assert sample.value == up_to == below, "a bound lies within a bucket"
    assert (bounds[-1].labels["le"], bounds[-1].value) == ("+Inf", series.count)
    p99 = next(
        sample
        for sample in families["lowlat_latency_percentile_seconds"]
        if (sample.labels["op"], sample.labels["percentile"]) == ("all", "99")
    )
    assert round(p99.value * 1e9) == series.percentiles["99"].value


def test_the_strict_parser_would_notice(report: Report) -> None:
    text = convert(report, "openmetrics")
    for broken in (text.replace("# EOF\n", ""), text.replace("# UNIT lowlat_latency_seconds seconds", "# UNIT x y")):
        with pytest.raises(ValueError, match=r"EOF|Unit"):
            samples_of(broken)


def test_junit_satisfies_the_schema(report: Report) -> None:
    judge = xmlschema.XMLSchema10(str(JENKINS))
    interrupted = dataclasses.replace(report, status="interrupted", status_reasons=("after 1 of 3\x00 runs",), runs=())
    for document in (report, nasty(report), invalid(report), interrupted):
        judge.validate(convert(document, "junit"))
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        judge.validate(convert(report, "junit").replace('time="1.500"', 'time="1.5000"'))


def test_junit_fails_for_what_is_wrong_and_for_nothing_else(report: Report, sweep: Sweep) -> None:
    def wrong(document: Report) -> list[str]:
        return re.findall(r'name="([^"]+)">\s*<(?:failure|error)', convert(document, "junit"))

    assert wrong(report) == []
    assert wrong(invalid(report)) == ["figures are valid"]
    assert wrong(sweep.points[1]) == ["figures are valid", "rate was kept up"]
    assert wrong(dataclasses.replace(report, status="interrupted")) == ["every run was made"]
    differing = dataclasses.replace(report.verification, equal=False)
    assert wrong(dataclasses.replace(report, verification=differing)) == ["engines agree"]
    assert 'failures="1"' in convert(invalid(report), "junit")
    assert '<skipped message="not compared' in convert(dataclasses.replace(report, verification=None), "junit")


# Of https://go.dev/design/14313-benchmark-format: configuration, results, and the unit metadata that benchstat reads.
CONFIGURATION = re.compile(r"(?P<key>[^\sA-Z:][^\sA-Z:]*):(?:[ \t]+(?P<value>.*))?")
RESULT = re.compile(r"Benchmark(?![a-z])(?P<name>\S*)[ \t]+(?P<n>[1-9][0-9]*)(?P<figures>(?:[ \t]+\S+[ \t]+\S+)+)")
UNIT = re.compile(r"Unit[ \t]+(?P<unit>\S+)(?:[ \t]+\S+=\S+)+")


def go_benchmarks(text: str) -> list[tuple[str, int, dict[str, float]]]:
    """Name, iterations and values by unit of each result; fails on a line that the format would ignore."""
    found = []
    for line in text.splitlines():
        if match := RESULT.fullmatch(line):
            figures = match["figures"].split()
            values = {unit: float(value) for value, unit in zip(figures[::2], figures[1::2], strict=True)}
            assert len(values) == len(figures) / 2, "a unit twice"
            for part in match["name"].split("/")[1:]:
                assert re.fullmatch(r"[a-z]+=\S+", part), part
            found.append((match["name"], int(match["n"]), values))
        else:
            assert UNIT.fullmatch(line) or CONFIGURATION.fullmatch(line), line
    return found


def test_go_benchmark_text_has_a_line_a_run(report: Report, sweep: Sweep, tmp_path: Path) -> None:
    text = convert(report, "gobench")
    found = go_benchmarks(text)
    latencies = [each for each in found if each[0] == "Latency/profile=steady/measure=service/op=cancel"]
    assert [count for _, count, _ in latencies] == [8_000] * 3
    assert [values["p99-ns"] for _, _, values in latencies] == [
        next(series for series in run.series if series.op == "cancel").percentiles["99"].value for run in report.runs
    ]
    assert [values for name, _, values in found if name == "Throughput/profile=steady"] == [
        {"ns/op": 24},
        {"ns/op": 25},
        {"ns/op": 26},
    ]
    assert all("rate=1000000" in name for name, _, _ in go_benchmarks(convert(sweep, "gobench")))
    assert "profile=a_b_c_d_e_f_/" in convert(nasty(report), "gobench")
    go_benchmarks(convert(nasty(report), "gobench"))


def test_benchstat_reads_it(report: Report, tmp_path: Path) -> None:
    if shutil.which("benchstat") is None:
        pytest.skip("not available here: benchstat")
    path = tmp_path / "report.txt"
    path.write_text(convert(report, "gobench"))
    done = subprocess.run(["benchstat", str(path)], capture_output=True, text=True, check=True)
    assert "op=cancel" in done.stdout and done.stderr == ""


def test_a_name_that_ends_like_a_number_of_processors_keeps_its_number(report: Report) -> None:
    workload = dataclasses.replace(report.workload, profile="burst-8")
    assert "profile=burst_8/" in convert(dataclasses.replace(report, workload=workload), "gobench")


def test_every_output_is_told_apart(report: Report) -> None:
    texts = [convert(report, name) for name in OUTPUTS]
    assert len(set(texts)) == len(OUTPUTS) and all(text.endswith("\n") for text in texts)
