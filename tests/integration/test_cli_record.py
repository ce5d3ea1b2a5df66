"""`lowlat record`: what real commands, pipes and files hold becomes a report, or an error and no report."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import jsonschema
import psutil
import pytest
from rich.console import Console

from lowlat.documents import published
from lowlat.engine.bench.record import RecordPlan, record
from lowlat.engine.bench.record_sources import Source
from lowlat.errors import ExitCode, NotValidError, UsageError
from lowlat.reports.compare.compatibility import check_same_work
from lowlat.reports.compare.history import history_of
from lowlat.reports.histogram import buckets
from lowlat.reports.histogram.hlog_reader import read_log
from lowlat.reports.io.json_codec import comparison_from_document, from_text, to_text
from lowlat.reports.io.validation import check
from lowlat.reports.merge.merging import merge_reports
from lowlat.reports.model.report import Report
from lowlat.reports.model.series import histogram_of
from lowlat.reports.outputs.registry import convert, texts_of
from lowlat.reports.recording.layout import Layout
from lowlat.reports.terminal.report_table import render
from tests.waiting import PATIENCE_S, wait_until

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]

ROOT = Path(__file__).resolve().parents[2]
SPREAD = "import sys; print('\\n'.join(str((1000 + i * 7919 % 997) * {percent} // 100) for i in range(3000)))"


def printing(percent: int = 100) -> tuple[str, ...]:
    """A program that prints 3,000 latencies."""
    return sys.executable, "-c", SPREAD.format(percent=percent)


def recorded(lowlat: Run, *arguments: object, **options: object) -> Report:
    """The report, valid by its published schema and by its own figures."""
    done = lowlat("record", "--json", *arguments, **options)
    assert (done.returncode, done.stderr) == (ExitCode.OK, ""), done.stderr
    jsonschema.validate(json.loads(done.stdout), published("lowlat.report/1", closed=True))
    report = from_text(done.stdout)
    check(report)
    return report


def counts(report: Report, op: str = "all") -> dict[int, int]:
    """Samples by the smallest value of their bucket, over all runs."""
    series = next(each for each in report.summary if each.op == op)
    histogram = histogram_of(series)
    lowest = buckets.lowest_values(histogram.recorded).tolist()
    return dict(zip(lowest, histogram.counts[histogram.recorded].tolist(), strict=True))


def refused(lowlat: Run, tmp_path: Path, *arguments: object, **options: object) -> str:
    """The message of an error, which leaves no report."""
    done = lowlat("record", "-o", "report.json", *arguments, **options)
    assert done.returncode in {ExitCode.USAGE, ExitCode.NOT_VALID} and done.stdout == ""
    assert not (tmp_path / "report.json").exists()
    last = done.stderr.splitlines()[-1]
    assert last.startswith("lowlat: error: ")
    return f"{done.returncode} {last.removeprefix('lowlat: error: ')}"


# -- what is recorded -----------------------------------------------------------------------------------------------


def test_each_run_of_a_command_is_a_run(lowlat: Run) -> None:
    report = recorded(lowlat, "--runs", "3", "--op", "read", "--name", "mine", "--", "seq", "5")
    assert [run.number for run in report.runs] == [1, 2, 3] and report.status == "ok"
    assert counts(report) == counts(report, "read") == dict.fromkeys(range(1, 6), 3)
    assert (report.engine, report.workload.profile, report.load.model) == (None, "mine", "recorded")
    assert (report.load.sent, report.workload.commands, report.workload.hash, report.budget) == (15, None, None, ())
    assert report.recording is not None and report.recording.command == ("seq", "5")
    assert report.host.kernel == os.uname().release and report.host.measured_cpus is None


def test_units_skipping_and_other_lines(lowlat: Run) -> None:
    script = "echo starting; echo 7000; printf '1.5\\r\\n2.0004\\r\\n'; echo 3 done; echo 4e0"
    report = recorded(
        lowlat, "--unit", "us", "--skip", "1", "--ignore-other-lines", "--runs", "2", "--", "sh", "-c", script
    )
    assert counts(report) == {1_500: 2, 2_000: 2, 4_000: 2}
    assert report.recording is not None
    assert (report.recording.unit, report.recording.skip, report.recording.other_lines) == ("us", 1, 4)


def test_ndjson_csv_and_stdin_name_operations(lowlat: Run, tmp_path: Path) -> None:
    text = '{"call": "read", "dur": 3}\n{"call": "write", "dur": 5.6}\n{"dur": 9}\n'
    options = ("--field", "dur", "--op-field", "call", "--op", "none")
    (tmp_path / "a.json").write_text(text)
    with (tmp_path / "a.json").open() as stream:
        from_stdin = recorded(lowlat, *options, "-", stdin=stream)
    from_file = recorded(lowlat, *options, "a.json")
    assert [each.op for each in from_file.summary] == ["read", "write", "none", "all"]
    assert counts(from_file) == counts(from_stdin) == {3: 1, 6: 1, 9: 1}
    assert from_file.host.cpu is None and from_file.runs[0].duration_s is None
    (tmp_path / "b.csv").write_text('op,"dur, ns"\nread,3\n"a ""b""",6\n')
    table = recorded(lowlat, "--column", "dur, ns", "b.csv")
    assert [each.op for each in table.summary] == ["read", 'a "b"', "all"]


def test_files_are_runs_and_keep_their_time(lowlat: Run, tmp_path: Path) -> None:
    for name, second in (("one", 1_000_000_000), ("two", 1_000_000_060)):
        (tmp_path / name).write_text("5\n6\n")
        os.utime(tmp_path / name, (second, second))
    report = recorded(lowlat, "one", "two")
    assert [run.started[:19] for run in report.runs] == ["2001-09-09T01:46:40", "2001-09-09T01:47:40"]
    assert "one is given twice" in refused(lowlat, tmp_path, "one", "two", "one")


def test_each_writer_of_a_named_pipe_is_a_run(start: Start, tmp_path: Path) -> None:
    pipe = tmp_path / "latencies"
    os.mkfifo(pipe)

    def write() -> None:
        for text in ("1\n2\n", "3\n"):
            with pipe.open("w") as stream:  # waits for a reader
                stream.write(text)
            wait_until(lambda: f"run 2 of 2: {pipe}" in seen, "the second run") if text == "1\n2\n" else None

    seen: list[str] = []
    with start("record", "--from", pipe, "--runs", "2", "--json", "-v", "-o", "r.json") as process:
        writer = threading.Thread(target=write)
        writer.start()
        assert process.stderr is not None
        for line in process.stderr:
            seen += [line.strip().removeprefix("lowlat: ").partition(" (")[0]]
        writer.join()
        assert process.wait(PATIENCE_S) == ExitCode.OK
    report = from_text((tmp_path / "r.json").read_text())
    assert [run.series[-1].count for run in report.runs] == [2, 1]


def test_an_interval_log_is_a_run(lowlat: Run, tmp_path: Path) -> None:
    for name, count in (("a", 5), ("b", 6)):
        source = Source(command=("seq", str(count)))
        report = record(RecordPlan(source, Layout(op="read")))
        (tmp_path / f"{name}.hlog").write_text(convert(report, "hlog"))
    logs = recorded(lowlat, "a.hlog", "b.hlog")
    assert [each.op for each in logs.summary] == ["read", "all"] and logs.load.sent == 11
    assert "it is an interval log" in refused(lowlat, tmp_path, "a.hlog", "--unit", "us")
    done = lowlat("compare", "a.hlog", "b.hlog", "--strict")
    assert done.returncode == ExitCode.INCONCLUSIVE and "gate inconclusive" in done.stdout


# -- what becomes of it ---------------------------------------------------------------------------------------------


def test_a_slower_program_fails_its_gate(lowlat: Run) -> None:
    for name, percent in (("base", 100), ("same", 101), ("slow", 130)):
        done = lowlat("record", "--runs", "4", "-o", f"{name}.json", "--", *printing(percent))
        assert done.returncode == 0, done.stderr
    passed, failed = lowlat("compare", "base.json", "same.json"), lowlat("compare", "base.json", "slow.json")
    assert (passed.returncode, failed.returncode) == (ExitCode.OK, ExitCode.GATE_FAILED)
    assert "gate failed: p50 recorded all" in failed.stdout and "gate passed" in passed.stdout
    assert "cpu" not in failed.stdout and "throughput" not in failed.stdout  # which nobody measured


def made(count: int = 50, skip: int = 0) -> Report:
    """Two runs of `seq`."""
    source = Source(command=("seq", str(count)), runs=2)
    return record(RecordPlan(source, Layout(skip=skip), "mine", ("lowlat", "record")))


def test_every_output_takes_it(tmp_path: Path) -> None:
    reports = [made(), made()]
    for name, report in zip("ab", reports, strict=True):
        (tmp_path / f"{name}.json").write_text(to_text(report))
    both = merge_reports([("a", reports[0]), ("b", reports[1])], ("lowlat", "report"))
    check(both)
    assert counts(both) == dict.fromkeys(range(1, 51), 4)
    assert both.recording is not None and both.recording.command == ("seq", "50")
    with pytest.raises(UsageError, match="no throughput"):
        convert(both, "github-throughput")
    texts = {name: text() for name, text in texts_of(both).items() if name != "github-throughput"}
    assert texts.keys() >= {"csv", "junit", "hgrm", "hlog", "openmetrics", "gobench", "bmf", "github", "md", "html"}
    for name, text in texts.items():
        if name != "html":
            assert not re.search(r"None|\bengine|digest|verified", text), (name, text)
    assert "latencies of another program" in texts["html"] and "Latency budget" not in texts["html"]
    assert read_log(texts["hlog"].encode()).series[0].series.measure == "recorded"
    (trend,) = history_of(tmp_path).trends
    assert (trend.profile, trend.engine, trend.commands, len(trend.entries)) == ("mine", None, None, 2)
    for verbose in (False, True):
        screen = io.StringIO()
        render(both, Console(file=screen, width=100), verbose=verbose)
        shown = screen.getvalue()
        assert "printed by seq 50 · lines in ns" in shown and shown.count("\n") <= 24
        assert not re.search(r"None|engine|verified|noise|pinned", shown)


def test_a_recording_never_compares_with_a_bench() -> None:
    bench = from_text((ROOT / "tests/unit/reports/io/two_runs.json").read_text())
    for reports in ([made(), bench], [bench, made()]):
        with pytest.raises(NotValidError, match=r"they differ in load model \("):
            check_same_work(reports)
        with pytest.raises(NotValidError, match=r"cannot be merged .* they differ in load model \("):
            merge_reports(list(zip("ab", reports, strict=True)), ())
    with pytest.raises(NotValidError, match=r"latencies skipped \(0 and 1\)"):
        check_same_work([made(), made(skip=1)])
    check_same_work([made(), made(60)])


@pytest.mark.slow
def test_ab_interleaves_two_recordings(lowlat: Run) -> None:
    quoted = [f"lowlat record --runs 1 --json -- seq {count}" for count in (50, 51)]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = lowlat("ab", "--runs", "2", "--json", "--", quoted[0], "--", quoted[1], env={"PATH": path})
    assert done.returncode == ExitCode.OK, done.stderr
    assert comparison_from_document(json.loads(done.stdout)).base.runs == 2


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("engine",), {"name": "native", "settings": {}}, "engine is true, but the load model is recorded"),
        (("recording",), None, "recording is false, but the load model is recorded"),
        (("load", "sent"), 9, "load.sent is 9, but a recording has 20"),
        (("workload", "commands"), 9, "workload.commands is 9, but a recording has null"),
        (
            ("runs", 0, "os_noise", "migrations"),
            0,
            "runs[0].os_noise.migrations is 0, but a recording has null",
        ),
        (("recording", "command"), [], "recording.command is (), but source is command"),
        (("host", "measured_cpus"), "3", "host.measured_cpus is 3, but a recording has null"),
    ],
)
def test_a_report_that_claims_more_than_was_recorded_is_refused(
    path: tuple[str | int, ...], value: object, message: str
) -> None:
    document = json.loads(to_text(made(10)))
    holder = document
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = value
    with pytest.raises(NotValidError) as refusal:
        check(from_text(json.dumps(document)))
    assert message in str(refusal.value)


# -- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("-- ./missing", "2 the command: ./missing cannot be started: './missing': No such file"),
        ("--runs 2 -- sh -c 'echo 5; exit 7'", "3 sh -c 'echo 5; exit 7' exited with code 7, so no report is written"),
        ("-- sh -c 'echo 5; kill -SEGV $$'", "was killed by SIGSEGV, so no report is written"),
        ("-- sh -c 'echo 5; echo hello'", "2 sh -c 'echo 5; echo hello', run 1: line 2: 'hello' has no latency"),
        ("--runs 1 -- true", "2 true: it has no latency"),
        ("--skip 9 -- seq 9", "it has only 9 latencies, which --skip leaves out"),
        ("--timeout 200ms -- sleep 60", "3 sleep 60 has not ended within 0.2 s (--timeout)"),
        ("--timeout 200ms -- yes 5", "3 yes 5 has not ended within 0.2 s (--timeout)"),
        ("--timeout 200ms -- sh -c 'exec >&-; sleep 60'", "has not ended within 0.2 s (--timeout)"),
        ("-- sh -c 'tr \"\\0\" 7 < /dev/zero'", "line 1 is longer than 64 KiB"),
        ("missing.txt", "2 missing.txt: no such file"),
        ("--from missing", "2 missing: no such file; make it with mkfifo"),
        ("--from /dev/null", "2 /dev/null: it is not a named pipe"),
        ("/dev/zero", "2 /dev/zero: it is a device"),
        ("pipe", "2 pipe: it is a named pipe"),
        ("--from pipe --timeout 200ms", "3 the writer of pipe has not ended within 0.2 s"),
        ("", "2 nothing to record; write lowlat record -- COMMAND"),
        ("--", "2 nothing to record"),
        ("a -- true", "2 several sources to record"),
        ("a -", "- is the standard input, which is one run"),
        ("a --runs 2", "2 --runs is for a command or a pipe"),
        ("- --runs 2", "2 --runs is for a command or a pipe"),
        ("a --timeout 1s", "2 --timeout is for a command or a pipe"),
        ("a --field x --column y", "2 --field is for NDJSON, --column for CSV"),
        ("--op '' -- true", "2 --op has 0 characters"),
        ("-o report.bin -- true", "2 -o report.bin: no .bin is written here"),
    ],
)
def test_an_error_says_what_and_writes_nothing(lowlat: Run, tmp_path: Path, arguments: str, message: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert message in refused(lowlat, tmp_path, *shlex.split(arguments))


def test_stderr_passes_through_and_processes_left_behind_are_not_waited_for(lowlat: Run) -> None:
    script = "echo to the user >&2; (exec sleep 60 2>/dev/null) & echo 5; echo $! >&2"
    done = lowlat("record", "--runs", "1", "--json", "--", "sh", "-c", script)
    assert done.returncode == ExitCode.OK
    first, left = done.stderr.splitlines()
    assert first == "to the user"
    psutil.Process(int(left)).kill()


def test_a_double_dash_of_the_command_stays_its_own(lowlat: Run) -> None:
    report = recorded(lowlat, "--runs", "1", "--", "sh", "-c", 'echo 5; test "$2" = --', "x", "y", "--", "z")
    assert report.recording is not None and report.recording.command[-2:] == ("--", "z")


# -- the guide ------------------------------------------------------------------------------------------------------

GUIDE = ROOT / "docs/how-to/gate-your-program.md"
BUILDS = {
    "my_bench.cpp": ("g++ -O2 -Wall -Werror -o my_bench my_bench.cpp", "./my_bench"),
    "my_bench.py": ("", f"{sys.executable} my_bench.py"),
    "my_bench.rs": ("rustc -o my_rust my_bench.rs", "./my_rust"),
    "MyBench.java": ("javac MyBench.java", "java MyBench"),
}
"""How each program of the guide is built and run."""


@pytest.mark.slow
def test_the_programs_of_the_guide_are_built_and_recorded(lowlat: Run, tmp_path: Path) -> None:
    """In C++ and Python; in Rust and Java where there is a compiler."""
    shown = dict(re.findall(r'^```\w+ title="(.*?)"\n(.*?)^```$', GUIDE.read_text(), re.MULTILINE | re.DOTALL))
    assert shown.keys() == BUILDS.keys()
    for name, (build, run) in BUILDS.items():
        if name in ("my_bench.rs", "MyBench.java") and shutil.which(build.split()[0]) is None:
            continue
        (tmp_path / name).write_text(shown[name])
        subprocess.run(build.split() or ["true"], cwd=tmp_path, check=True, timeout=PATIENCE_S)
        done = lowlat("record", "--runs", "2", "--json", "--", *run.split())
        assert done.returncode == 0, done.stderr
        assert from_text(done.stdout).load.sent == 40_000


# -- Ctrl-C ---------------------------------------------------------------------------------------------------------


def test_ctrl_c_keeps_complete_runs_and_ends_the_command(start: Start, tmp_path: Path) -> None:
    script = f"echo 5; if [ -e {tmp_path}/second ]; then exec sleep 600; fi; touch {tmp_path}/second"
    with start("record", "--runs", "3", "-v", "-o", "r.json", "--", "sh", "-c", script) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if "run 2 of 3" in line)
        children = psutil.Process(process.pid).children
        wait_until(lambda: any(child.name() == "sleep" for child in children()), "the second run")
        (sleeping,) = children()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.INTERRUPTED and not sleeping.is_running()
    report = from_text((tmp_path / "r.json").read_text())
    check(report)
    assert (report.status, report.status_reasons) == ("interrupted", ("interrupted after 1 of 3 runs",))
    assert "stopped early: interrupted after 1 of 3 runs" in err


def test_ctrl_c_in_the_first_run_leaves_nothing(start: Start, tmp_path: Path) -> None:
    with start("record", "-o", "r.json", "--", "sh", "-c", "echo 5; exec sleep 600") as process:
        children = psutil.Process(process.pid).children
        wait_until(lambda: any(child.name() == "sleep" for child in children()), "the run")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, err) == (ExitCode.INTERRUPTED, "", "lowlat: interrupted before any result\n")
    assert list(tmp_path.iterdir()) == []
