"""`lowlat compare` and `lowlat ab`, installed: CI relies on the exit codes, so each must be right."""

from __future__ import annotations

import dataclasses
import json
import re
import signal
import subprocess
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import psutil
import pytest

from lowlat.documents import published
from lowlat.engine.bench.run import RunPlan, measure
from lowlat.errors import ExitCode
from lowlat.reports.io.json_codec import comparison_from_document, to_text
from lowlat.reports.model.report import Report
from tests.scaled_reports import scaled, with_runs
from tests.shallow_flows import shallow_flow
from tests.waiting import PATIENCE_S, wait_until

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]
Terminal = Callable[..., str]


@pytest.fixture(scope="module")
def measured() -> Report:
    """One real run repeated ten times, so that the gate's result does not depend on how busy the machine is.

    The Python engine takes microseconds per command, far above the resolution of any clock.
    """
    return ten_runs(seed=1)


def ten_runs(seed: int) -> Report:
    report = measure(shallow_flow("steady", 500, seed), RunPlan(engine="reference", runs=1))
    return with_runs(report, report.runs * 10)


@pytest.fixture
def base(measured: Report, tmp_path: Path) -> Report:
    """That report, also as base.json."""
    write(tmp_path / "base.json", measured)
    return measured


def write(path: Path, report: Report) -> None:
    """A report of another day than those that are there: the same run in two of them is refused."""
    there = len(list(path.parent.glob("*.json")))
    path.write_text(to_text(with_runs(report, report.runs, day=1 + there)))


def first(report: Report, number: int) -> Report:
    """The report of its first runs."""
    return with_runs(report, report.runs[:number])


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The only document on stdout, strictly valid by its schema."""
    found: dict[str, Any] = json.loads(done.stdout)
    jsonschema.Draft202012Validator(published("lowlat.comparison/1", closed=True)).validate(found)
    assert comparison_from_document(found)
    return found


def test_equal_runs_pass_and_slower_ones_fail(lowlat: Run, base: Report, tmp_path: Path) -> None:
    write(tmp_path / "same.json", base)
    write(tmp_path / "slow.json", scaled(base, Fraction(13, 10)))
    done = lowlat("compare", "base.json", "same.json", "--gate", "p99=10%")
    assert (done.returncode, done.stderr) == (ExitCode.OK, "") and "gate passed (p99=10%)" in done.stdout
    done = lowlat("compare", "base.json", "slow.json", "--gate", "p99=10%")
    assert (done.returncode, done.stderr) == (ExitCode.GATE_FAILED, "")
    assert "gate failed: p99 service all" in done.stdout
    assert lowlat("compare", "base.json", "slow.json", "--gate", "p99=40%").returncode == ExitCode.OK
    assert lowlat("compare", "slow.json", "base.json").returncode == ExitCode.OK


def test_runs_of_another_seed_do_not_compare(lowlat: Run, base: Report, tmp_path: Path) -> None:
    write(tmp_path / "other.json", ten_runs(seed=2))
    done = lowlat("compare", "base.json", "other.json", "--json")
    assert (done.returncode, done.stdout) == (ExitCode.NOT_VALID, "")
    assert done.stderr.startswith("lowlat: error: these reports are not comparable: they differ in seed (1 and 2); ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("form", [(), ("--json",), ("--strict", "--to", "md")])
def test_an_engine_with_other_events_does_not_compare(
    lowlat: Run, base: Report, tmp_path: Path, form: tuple[str, ...]
) -> None:
    """Both engines were given the same commands. The wrong one is faster, and its report valid by itself."""
    assert base.verification is not None
    wrong = dataclasses.replace(base.verification, digest="sha256:0123456789abcdef")
    write(tmp_path / "wrong.json", dataclasses.replace(scaled(base, Fraction(1, 2)), verification=wrong))
    done = lowlat("compare", "base.json", "wrong.json", *form)
    assert (done.returncode, done.stdout) == (ExitCode.NOT_VALID, "")
    assert done.stderr.startswith("lowlat: error: the same commands gave different events, so an engine is wrong: ")
    assert "sha256:0123456789abcdef" in done.stderr and done.stderr.count("\n") == 1


def test_a_single_run_does_not_compare(lowlat: Run, base: Report, tmp_path: Path) -> None:
    write(tmp_path / "one.json", first(base, 1))
    done = lowlat("compare", "base.json", "one.json")
    assert (done.returncode, done.stdout) == (ExitCode.NOT_VALID, "")
    assert "one.json has 1 run: too few to tell a change from chance" in done.stderr


def test_json_is_one_document_and_what_is_wrong_goes_to_stderr(lowlat: Run, base: Report, tmp_path: Path) -> None:
    other = dataclasses.replace(scaled(base, Fraction(13, 10)), host=dataclasses.replace(base.host, kernel="6.2"))
    write(tmp_path / "slow.json", other)
    done = lowlat("compare", "base.json", "slow.json", "--json")
    found = document(done)
    assert (done.returncode, found["gate"]["verdict"]) == (ExitCode.GATE_FAILED, "failed")
    assert found["gate"]["failed"] == ["p50 service all", "p99 service all", "cpu"]
    assert found["command"] == ["lowlat", "compare", "base.json", "slow.json", "--json"]
    warning, verdict = done.stderr.splitlines()
    assert warning.startswith("lowlat: warning: measured in different environments: kernel")
    assert verdict.startswith("lowlat: gate failed: p50 service all")


def test_several_reports_a_side(lowlat: Run, base: Report, tmp_path: Path) -> None:
    for name in ("b", "c", "d"):
        write(tmp_path / f"{name}.json", base)
    found = document(lowlat("compare", "base.json", "b.json", "c.json", "--json", "--", "d.json"))
    assert (found["base"]["sources"], found["head"]["sources"]) == (["base.json", "b.json", "c.json"], ["d.json"])
    assert (found["base"]["runs"], found["head"]["runs"]) == (30, 10)
    found = document(lowlat("compare", "base.json", "--", "b.json", "c.json", "--json"))
    assert (found["base"]["runs"], found["head"]["runs"]) == (10, 20)


def test_too_few_runs_are_inconclusive_which_only_strict_minds(lowlat: Run, base: Report, tmp_path: Path) -> None:
    write(tmp_path / "two.json", first(base, 2))
    done = lowlat("compare", "base.json", "two.json")
    assert done.returncode == ExitCode.OK and "gate inconclusive" in done.stdout
    assert lowlat("compare", "base.json", "two.json", "--strict").returncode == ExitCode.INCONCLUSIVE
    write(tmp_path / "slow.json", scaled(base, Fraction(13, 10)))
    assert lowlat("compare", "base.json", "slow.json", "--strict").returncode == ExitCode.GATE_FAILED


def test_markdown_and_junit_go_where_they_are_sent(lowlat: Run, base: Report, tmp_path: Path) -> None:
    write(tmp_path / "same.json", base)
    done = lowlat("compare", "base.json", "same.json", "--to", "md")
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("### lowlat: gate passed\n")
    done = lowlat("compare", "base.json", "same.json", "--to", "junit", "-o", "gate.xml")
    assert (done.stdout, done.stderr) == ("", "lowlat: wrote gate.xml\n")
    assert ElementTree.parse(tmp_path / "gate.xml").getroot().tag == "testsuites"
    done = lowlat("compare", "base.json", "same.json", "--to", "md", "-o", "gate.json")
    assert done.stdout.startswith("### lowlat")
    assert json.loads((tmp_path / "gate.json").read_text())["schema"] == "lowlat.comparison/1"


def test_a_page_beside_the_table_or_instead_of_it(lowlat: Run, base: Report, tmp_path: Path) -> None:
    write(tmp_path / "slow.json", scaled(base, Fraction(13, 10)))
    done = lowlat("compare", "base.json", "slow.json", "-o", "gate.html")
    assert (done.returncode, done.stderr) == (ExitCode.GATE_FAILED, "lowlat: wrote gate.html\n")
    assert done.stdout.count("gate failed") == 1
    page = (tmp_path / "gate.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and "<h1>slow.json vs. base.json</h1>" in page
    done = lowlat("compare", "base.json", "slow.json", "--to", "html")
    assert done.stdout.startswith("<!doctype html>") and done.stderr.startswith("lowlat: gate failed")
    assert "kernel command line" not in done.stdout
    assert "kernel command line" in lowlat("compare", "base.json", "slow.json", "-v", "--to", "html").stdout


def test_a_chart_of_both_sides_under_the_table(lowlat: Run, base: Report, tmp_path: Path) -> None:
    write(tmp_path / "slow.json", scaled(base, Fraction(13, 10)))
    done = lowlat("compare", "base.json", "slow.json", "--plot")
    assert (done.returncode, done.stderr) == (ExitCode.GATE_FAILED, "")
    table, chart = done.stdout.split("service of all operations by percentile, head drawn on top of base")
    assert "gate failed" in table
    assert chart.splitlines()[-1] == "· base  x head" and {"·", "x"} < set(chart.split("percentile")[0])
    done = lowlat("compare", "base.json", "slow.json", "--plot", env={"PYTHONIOENCODING": "ascii"})
    _, chart = done.stdout.split("head drawn on top of base")
    assert chart.isascii() and "?" not in chart and chart.splitlines()[-1] == ". base  x head"


def test_80_columns_of_a_terminal_hold_table_and_chart(on_terminal: Terminal, base: Report, tmp_path: Path) -> None:
    write(tmp_path / "same.json", base)
    text = on_terminal(80, "compare", "base.json", "same.json", "--plot")
    assert max(map(len, text.splitlines())) <= 80
    assert "┤" in text and text.rstrip().endswith("· base  x head")


def test_a_chart_is_for_the_table_alone(lowlat: Run, base: Report, tmp_path: Path) -> None:
    """As with `bench`: with a document, nothing is drawn and no plotting code is loaded."""
    write(tmp_path / "same.json", base)
    both = ("compare", "base.json", "same.json", "--plot")
    done = lowlat(*both, "--json", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert document(done)["gate"]["verdict"] == "passed"
    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "lowlat.reports.io.json_codec" in loaded and loaded.isdisjoint(
        {"plotext", "lowlat.reports.terminal.plot", "lowlat.reports.histogram.percentile_curve"}
    )
    done = lowlat(*both, "--to", "md")
    assert done.stdout.startswith("### lowlat: gate passed\n") and "head drawn on top of base" not in done.stdout
    done = lowlat(*both, "-o", "gate.json")
    assert "head drawn on top of base" in done.stdout
    assert json.loads((tmp_path / "gate.json").read_text())["schema"] == "lowlat.comparison/1"


def test_ab_draws_what_its_commands_printed_or_says_that_there_is_nothing(lowlat: Run, base: Report) -> None:
    done = lowlat("ab", "--runs", "2", "--plot", "--", "cat", "base.json", "--", "cat base.json")
    assert done.returncode == ExitCode.OK and done.stdout.endswith("\n· base  x head\n")
    done = lowlat("ab", "--runs", "2", "--plot", "--metric", "wall", "--", "true", "--", "true")
    assert done.returncode == ExitCode.OK
    assert done.stdout.endswith("\nelapsed times of commands have no histogram: nothing to plot\n")


def test_ab_without_the_extra_ends_before_its_runs(patched: Run) -> None:
    no_extra = "import sys; sys.modules['jinja2'] = None"
    for asked in (("--to", "html"), ("-o", "ab.html")):
        done = patched(no_extra, "ab", "--a", "", "--b", "", *asked)
        assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
        assert "needs jinja2, which is not installed: pip install 'lowlat[html]'" in done.stderr


def test_gates_come_from_the_settings_file_too(lowlat: Run, base: Report, tmp_path: Path) -> None:
    write(tmp_path / "slow.json", scaled(base, Fraction(13, 10)))
    (tmp_path / "lowlat.toml").write_text("[compare]\ngate = ['p99=50%', 'p50=50%']\n")
    done = lowlat("compare", "base.json", "slow.json")
    assert done.returncode == ExitCode.OK and "gate passed (p99=50%, p50=50%)" in done.stdout
    done = lowlat("compare", "base.json", "slow.json", env={"LOWLAT_GATE": "max=10%"})
    assert done.returncode == ExitCode.GATE_FAILED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "head.json: not a JSON document"),
        ('{"schema": "lowlat.report/1"', "head.json: not a JSON document"),
        ('{"schema": "lowlat.report/2"}', "head.json: its schema 'lowlat.report/2' is from another version"),
        ('{"benchmarks": []}', "head.json: not a lowlat.report/1 or lowlat.sweep/1 document"),
        (
            '{"schema": "lowlat.report/1", "status": NaN}',
            "head.json: not a JSON document: it holds NaN or Infinity",
        ),
    ],
)
def test_what_is_no_report_is_named(lowlat: Run, base: Report, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "head.json").write_text(text)
    done = lowlat("compare", "base.json", "head.json")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert done.stderr.startswith(f"lowlat: error: {message}") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("order", [("base.json", "damaged.json"), ("damaged.json", "base.json")])
def test_a_damaged_histogram_is_named_with_its_file_and_series(
    lowlat: Run, base: Report, tmp_path: Path, order: tuple[str, str]
) -> None:
    found = json.loads(to_text(base))
    found["runs"][1]["series"][0]["hdr"] = "damaged"
    (tmp_path / "damaged.json").write_text(json.dumps(found))
    done = lowlat("compare", *order)
    series = base.runs[1].series[0]
    place = f"damaged.json: runs[1].series[0] ({series.op}, {series.measure})"
    assert (done.returncode, done.stdout) == (ExitCode.NOT_VALID, "") and done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"lowlat: error: {place}: not an HdrHistogram in V2 base64")


@pytest.mark.parametrize("verb", ["compare", "ab"])
def test_help_imports_nothing_heavy(patched: Run, verb: str) -> None:
    code = (
        "import atexit\n"
        "heavy = {'numpy', 'rich', 'psutil', 'msgspec', 'lowlat.engine.bench.ab', 'lowlat.reports.compare.compare'}\n"
        "atexit.register(lambda: print(sorted(heavy & sys.modules.keys()), file=sys.stderr))"
    )
    done = patched(code, verb, "--help")
    assert (done.returncode, done.stderr) == (0, "[]\n")


def test_two_settings_in_turn_beside_those_of_environment_and_settings_file(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "lowlat.toml").write_text("[bench]\nprofile = 'sweep'\n")
    env = {"LOWLAT_COMMANDS": "300"}
    done = lowlat("ab", "--a", "", "--b", "--orders 60k", "--runs", "2", "--seed", "3", "--json", env=env)
    found = document(done)
    assert (done.returncode, found["status"], found["gate"]["verdict"]) == (ExitCode.OK, "ok", "inconclusive")
    both = found["base"], found["head"]
    assert [side["label"] for side in both] == ["A: bench", "B: bench --orders 60k"]
    assert [side["engine"]["settings"]["orders"] for side in both] == [50_000, 60_000]
    assert [(side["workload"]["profile"], side["workload"]["commands"]) for side in both] == [("sweep", 300)] * 2
    assert (found["interleaving"]["seed"], found["interleaving"]["pairs"]) == (3, 2)
    assert any("engine setting orders (50,000 and 60,000)" in warning for warning in found["warnings"])


def test_a_settings_file_cannot_send_the_runs_reports_elsewhere(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "lowlat.toml").write_text("[bench]\noutput = 'x.json'\n")
    done = lowlat("ab", "--a", "", "--b", "")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert "'bench.output' names what to write, which a project's file cannot; remove it" in done.stderr


def test_two_commands_that_print_reports(lowlat: Run, base: Report, tmp_path: Path) -> None:
    write(tmp_path / "slow.json", scaled(base, Fraction(13, 10)))
    done = lowlat("ab", "--runs", "4", "--json", "--", "cat", "base.json", "--", "cat slow.json")
    found = document(done)
    assert (done.returncode, found["base"]["runs"]) == (ExitCode.GATE_FAILED, 4)
    assert (found["base"]["sources"], found["head"]["sources"]) == (["cat", "base.json"], ["cat", "slow.json"])


def test_the_elapsed_time_of_any_two_commands(lowlat: Run) -> None:
    # Far longer than a command that does nothing takes on this machine now; one may be held up.
    begin = time.monotonic()
    for _ in range(8):
        subprocess.run("true", check=True)
    longer_s = max(0.05, 5 * (time.monotonic() - begin))
    done = lowlat("ab", "--metric", "wall", "--runs", "8", "--", "true", "--", "sleep", f"{longer_s:.3f}")
    assert done.returncode == ExitCode.GATE_FAILED
    assert "gate failed: wall" in done.stdout and "8 pairs interleaved in random order · seed " in done.stdout


def test_until_decided_ends_at_the_first_look_that_decides(lowlat: Run, base: Report, tmp_path: Path) -> None:
    write(tmp_path / "slow.json", scaled(base, Fraction(13, 10)))
    for head, code, verdict in (("slow", ExitCode.GATE_FAILED, "failed"), ("base", ExitCode.OK, "passed")):
        both = ("--", "cat", "base.json", "--", "cat", f"{head}.json")
        done = lowlat("ab", "--until-decided", "-v", "--json", *both)
        found = document(done)
        assert (done.returncode, found["gate"]["verdict"]) == (code, verdict)
        test = found["interleaving"]["sequential"]
        assert (test["ended"], test["pairs_max"], [look["pairs"] for look in test["looks"]]) == ("decided", 60, [6])
        assert (found["base"]["runs"], found["interleaving"]["pairs"]) == (6, 6)
        assert "lowlat: pair 6 of at most 60, " in done.stderr and "pair 7" not in done.stderr


def test_until_decided_shows_its_looks_in_every_output(lowlat: Run, base: Report, tmp_path: Path) -> None:
    both = ("--", "cat", "base.json", "--", "cat", "base.json")
    line = "decided after 6 of at most 60 pairs · looked after 6 · "
    done = lowlat("ab", "--until-decided", "-o", "ab.html", *both)
    assert done.returncode == ExitCode.OK
    assert re.search(rf"^looks +{line}", done.stdout, re.MULTILINE) and line in (tmp_path / "ab.html").read_text()
    for output in ("md", "junit"):
        assert line in lowlat("ab", "--until-decided", "--to", output, *both).stdout


def test_until_decided_gives_up_at_the_last_run(lowlat: Run, base: Report, tmp_path: Path) -> None:
    """From run to run, each side takes up to 80% more, as its own list of reports says: nothing can be decided."""
    for more in range(5):
        write(tmp_path / f"{more}.json", scaled(first(base, 1), Fraction(5 + more, 5)))
    (tmp_path / "first").write_text("\n".join("0413204132"))
    (tmp_path / "second").write_text("\n".join("2314023140"))
    sides = [f"sh -c 'cat $(head -n1 {name}).json; sed -i 1d {name}'" for name in ("first", "second")]
    limited = ("--gate", "p50=10%", "--until-decided", "--max-runs", "10")
    done = lowlat("ab", *limited, "--strict", "--json", "--", sides[0], "--", sides[1])
    assert done.stdout, done.stderr
    found = document(done)
    assert (done.returncode, found["status"]) == (ExitCode.INCONCLUSIVE, "ok")
    test = found["interleaving"]["sequential"]
    assert (test["ended"], [look["pairs"] for look in test["looks"]]) == ("not decided", [6, 8, 10])
    assert all(look["undecided"] == ["p50 service all"] for look in test["looks"])
    assert "gate inconclusive (p50=10%)" in done.stderr and "--max-runs" in done.stderr


@pytest.mark.parametrize(
    ("options", "settings", "message"),
    [
        ("--until-decided --runs 9", "", "--runs fixes the number of runs, and --until-decided leaves it open"),
        ("--max-runs 9 --runs 9", "", "--runs fixes the number of runs, and --max-runs leaves it open"),
        ("--max-runs 9", "", "--max-runs limits --until-decided; add it, or write --runs for a fixed number"),
        ("--max-runs 5 --until-decided", "", "5 runs of each side cannot decide anything: the first look is after 6"),
        ("--max-runs 1 --until-decided", "", "--max-runs: 1 is outside 2..1000"),
        ("--max-runs many --until-decided", "", "--max-runs: 'many' is not a"),
        ("--until-decided", "max-runs = 5", "5 runs of each side cannot decide anything"),
    ],
)
def test_contradictory_numbers_of_runs_are_refused(
    lowlat: Run, tmp_path: Path, options: str, settings: str, message: str
) -> None:
    (tmp_path / "lowlat.toml").write_text(f"[ab]\n{settings}\n")
    done = lowlat("ab", "--metric", "wall", *options.split(), "--", "touch ran", "--", "touch ran")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert message in done.stderr and not (tmp_path / "ran").exists()


def test_runs_on_the_command_line_override_until_decided_in_the_settings(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "lowlat.toml").write_text("runs = 3\n[ab]\nuntil-decided = true\nmax-runs = 6\n")
    both = ("--metric", "wall", "--json", "--", "true", "--", "true")
    assert document(lowlat("ab", *both))["interleaving"]["sequential"]["pairs_max"] == 6
    fixed = document(lowlat("ab", "--runs", "2", *both))["interleaving"]
    assert (fixed["sequential"], fixed["pairs"]) == (None, 2)


def test_a_side_that_bench_refuses_says_why(lowlat: Run) -> None:
    side = "-n 2k --journal nowhere/it"
    done = lowlat("ab", "--a", side, "--b", side, "--runs", "2")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert f"bench {side} exited with code 2: cannot create a journal next to nowhere/it" in done.stderr


@pytest.mark.parametrize(
    ("side", "problem"),
    [
        ("--cpu 65000", "CPU 65000 does not exist on this host"),
        ("-p none", "profile 'none' is unknown"),
        ("-p none.toml", "profile none.toml: no such file"),
        ("--engine ndjson:no-such-program", "no-such-program cannot be started"),
    ],
)
def test_what_a_side_names_is_looked_at_before_a_run(lowlat: Run, side: str, problem: str) -> None:
    """The run of the other side would last for ever."""
    done = lowlat("ab", "--a", "-n 1G", "--b", side)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (ExitCode.USAGE, "", 1)
    assert done.stderr.startswith(f"lowlat: error: --b '{side}': {problem}")


def test_ctrl_c_reports_the_pairs_there_are(start: Start, tmp_path: Path) -> None:
    with start(
        "ab", "--metric", "wall", "--runs", "500", "-v", "-o", "ab.json", "--", "sleep 0.02", "--", "true"
    ) as process:
        wait_for(process, "pair 3 of 500")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.INTERRUPTED
    found = json.loads((tmp_path / "ab.json").read_text())
    assert comparison_from_document(found)
    assert found["status"] == "interrupted" and found["base"]["runs"] == found["head"]["runs"] >= 2
    assert "interrupted" in out and "lowlat: stopped early: interrupted after " in err


def test_ctrl_c_until_decided_is_a_last_look(start: Start, tmp_path: Path) -> None:
    (tmp_path / "sleeps").write_text("0\n0\n3600\n")  # the third pair has not ended when the signal comes
    both = ("--", "sh -c 'sleep $(head -n1 sleeps); sed -i 1d sleeps'", "--", "true")
    with start("ab", "--metric", "wall", "--until-decided", "-v", "-o", "ab.json", *both) as process:
        wait_for(process, "pair 3 of at most 60")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
    found = json.loads((tmp_path / "ab.json").read_text())
    assert comparison_from_document(found)
    test = found["interleaving"]["sequential"]
    assert (process.returncode, found["status"], test["ended"]) == (ExitCode.INTERRUPTED, "interrupted", "interrupted")
    assert [look["pairs"] for look in test["looks"]] == [found["base"]["runs"]] == [2]


def test_ctrl_c_before_the_first_pair_leaves_nothing(start: Start, tmp_path: Path) -> None:
    with start("ab", "--metric", "wall", "-v", "-o", "ab.json", "--", "sleep 3600", "--", "sleep 3600") as process:
        wait_for(process, "pair 1 of 10")
        children = started_by(process.pid)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (ExitCode.INTERRUPTED, "lowlat: interrupted before any result\n")
    assert list(tmp_path.iterdir()) == []
    _, alive = psutil.wait_procs(children, timeout=PATIENCE_S)
    assert not alive


def started_by(pid: int) -> list[psutil.Process]:
    """The processes that it has started, as soon as there are any."""
    wait_until(psutil.Process(pid).children, "a command is started")
    return psutil.Process(pid).children(recursive=True)


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    """Read stderr until the progress shows this."""
    assert process.stderr is not None
    for seen in process.stderr:
        if line in seen:
            return
    pytest.fail(f"exited with code {process.wait()} before {line!r}")
