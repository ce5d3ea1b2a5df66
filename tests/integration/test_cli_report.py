"""`lowlat report`: what it shows, merges and converts, where it writes, and how it treats bad files."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lowlat.documents import published
from lowlat.errors import ExitCode
from lowlat.os_noise import reasons_of
from lowlat.reports.io.json_codec import from_text, to_text
from lowlat.reports.model.objective import Objective
from lowlat.reports.model.report import Report
from lowlat.reports.model.sweep import sweep_of
from lowlat.reports.outputs.registry import OUTPUTS
from lowlat_cli.app import run
from lowlat_cli.destination import SUFFIXES
from lowlat_cli.errors import Outcome
from lowlat_cli.session import Session
from tests.scaled_reports import with_runs
from tests.waiting import PATIENCE_S

Run = Callable[..., subprocess.CompletedProcess[str]]
Terminal = Callable[..., str]

LOWLAT = Path(sys.executable).with_name("lowlat")


@pytest.fixture(scope="module")
def benched(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A report as `lowlat bench` writes it."""
    path = tmp_path_factory.mktemp("bench") / "a.json"
    command = [LOWLAT, "bench", "-n", "2000", "--runs", "2", "-o", path]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S)
    return from_text(path.read_text())


@pytest.fixture
def folder(benched: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of the tests: `a.json`; `b.json`, from the next day; `other.json`, with another seed."""
    monkeypatch.chdir(tmp_path)
    later = tuple(dataclasses.replace(run, started=f"2100{run.started[4:]}") for run in benched.runs)
    seeded = dataclasses.replace(benched.workload, seed=2, hash="sha256:0")
    for name, report in {
        "a": benched,
        "b": dataclasses.replace(benched, runs=later),
        "other": dataclasses.replace(benched, workload=seeded),
    }.items():
        (tmp_path / f"{name}.json").write_text(to_text(report))
    return tmp_path


Here = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def here(folder: Path, capsys: pytest.CaptureFixture[str]) -> Here:
    """Run `lowlat report` in this process, since there are many; some tests run the installed command."""

    def called(*arguments: str) -> subprocess.CompletedProcess[str]:
        session = Session()
        with Outcome(session) as outcome:
            outcome.exit_code = run(["report", *arguments], session)
        return subprocess.CompletedProcess(arguments, outcome.exit_code, *capsys.readouterr())

    return called


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_a_saved_report_is_shown_as_it_was(lowlat: Run, folder: Path) -> None:
    done = lowlat("report", "a.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("equity  native engine · 2,000 commands · seed 1 · 2 runs")
    assert "\nbudget" not in done.stdout and "\x1b" not in done.stdout
    assert "\nbudget" in lowlat("report", "a.json", "-v").stdout


def test_terminal_gets_lines_that_fit(on_terminal: Terminal, folder: Path) -> None:
    text = on_terminal(80, "report", "a.json")
    assert max(map(len, text.splitlines())) <= 80


def test_several_are_merged(lowlat: Run, folder: Path) -> None:
    done = lowlat("report", "a.json", "b.json", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    merged = json.loads(done.stdout)
    jsonschema.Draft202012Validator(published("lowlat.report/1", closed=True)).validate(merged)
    assert [run["number"] for run in merged["runs"]] == [1, 2, 3, 4]
    assert merged["command"] == ["lowlat", "report", "a.json", "b.json", "--json"]
    counts = [json.loads((folder / name).read_text())["summary"][-1]["count"] for name in ("a.json", "b.json")]
    assert merged["summary"][-1]["count"] == sum(counts)
    (folder / "ab.json").write_text(done.stdout)
    assert lowlat("report", "ab.json").returncode == 0


def test_other_work_is_refused_with_what_differs(here: Here, folder: Path) -> None:
    done = here("a.json", "other.json", "-o", "both.json")
    assert (done.returncode, done.stdout) == (ExitCode.NOT_VALID, "")
    assert "lowlat: error: other.json cannot be merged with a.json: they differ in seed (1 and 2);" in done.stderr
    assert not (folder / "both.json").exists()


def test_another_host_is_merged_with_a_warning(here: Here, folder: Path) -> None:
    edit(folder / "b.json", lambda document: document["host"].update(kernel="6.0"))
    done = here("a.json", "b.json")
    assert done.returncode == 0
    assert done.stderr.startswith("lowlat: warning: measured in different environments: kernel (")


@pytest.mark.parametrize("name", ["table", *OUTPUTS])
def test_every_output_goes_to_stdout_or_to_a_file_alike(here: Here, folder: Path, name: str) -> None:
    printed = here("a.json", "--to", name)
    assert (printed.returncode, printed.stderr) == (0, "")
    written = here("a.json", "--to", name, "-o", "out.txt")
    assert (written.returncode, written.stdout, written.stderr) == (0, "", "lowlat: wrote out.txt\n")
    assert (folder / "out.txt").read_text() == printed.stdout != ""


def test_a_chart_under_the_table_and_a_page_in_the_file(here: Here, folder: Path) -> None:
    done = here("a.json", "--plot", "-o", "a.html")
    assert (done.returncode, done.stderr) == (0, "lowlat: wrote a.html\n")
    assert done.stdout.index("\nverified") < done.stdout.index("service by percentile")
    assert (folder / "a.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    other = here("a.json", "--to", "md", "-o", "b.html")
    assert (other.returncode, other.stdout) == (0, here("a.json", "--to", "md").stdout)
    assert (folder / "b.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(("suffix", "name"), SUFFIXES.items())
def test_a_files_name_chooses_its_format(here: Here, folder: Path, suffix: str, name: str) -> None:
    """The table goes to the terminal, as for *.json."""
    done = here("a.json", "-o", f"a{suffix.upper()}")
    assert (done.returncode, done.stdout) == (0, here("a.json").stdout)
    assert (folder / f"a{suffix.upper()}").read_text(encoding="utf-8") == here("a.json", "--to", name).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("report", "a.json", "-o", "a.yaml"),
            "-o a.yaml: no .yaml is written here; name it *.json, *.html, *.md, *.csv,",
        ),
        (("bench", "-o", "a.parquet"), "-o a.parquet: no .parquet is written here; name it *.json,"),
        (("calibrate", "-o", "a.csv"), "-o a.csv: no csv is written here; name it *.json, or *.txt for the table"),
        (
            ("compare", "a.json", "b.json", "-o", "a.hgrm"),
            "no hgrm is written here; name it *.json, *.html, *.md, *.xml,",
        ),
        (("report", "--history", ".", "-o", "a.md"), "no md is written here; name it *.json, *.html, or *.txt"),
    ],
)
def test_a_name_for_a_format_that_is_not_written_is_refused(
    lowlat: Run, folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    """Never a table in a file that says something else, and before anything is measured."""
    done = lowlat(*arguments)
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert message in done.stderr
    assert not (folder / arguments[-1]).exists()


def test_a_dash_is_stdout(here: Here) -> None:
    assert here("a.json", "--json", "-o", "-").stdout == here("a.json", "--json").stdout
    assert here("a.json", "-o", "-").stdout == here("a.json").stdout


def test_help_names_every_output_and_no_other(lowlat: Run) -> None:
    text = " ".join(lowlat("report", "--help").stdout.split())
    assert text.index("Examples: lowlat report") < text.index("Usage: lowlat report")
    assert f"table, or {', '.join(OUTPUTS)};" in text


def test_help_imports_nothing_heavy(patched: Run) -> None:
    code = (
        "import atexit\n"
        "heavy = {'numpy', 'rich', 'hdrh', 'msgspec', 'lowlat.reports.model.report', 'lowlat.reports._core'}\n"
        "atexit.register(lambda: print(sorted(heavy & sys.modules.keys()), file=sys.stderr))"
    )
    assert patched(code, "report", "--help").stderr == "[]\n"


def test_a_table_is_printed_beside_a_json_file_and_other_json_keeps_its_shape(here: Here, folder: Path) -> None:
    done = here("a.json", "b.json", "-o", "both.json")
    assert done.stdout.startswith("equity")
    assert json.loads((folder / "both.json").read_text())["schema"] == "lowlat.report/1"
    here("a.json", "--to", "bmf", "-o", "bmf.json")  # JSON of another shape, asked for by name
    assert "schema" not in json.loads((folder / "bmf.json").read_text())


def test_one_operation_can_be_picked(here: Here, folder: Path) -> None:
    rows = here("a.json", "--to", "csv", "--series", "cancel").stdout.splitlines()
    assert len(rows) == 4 and all(",cancel,service,ns," in row for row in rows[1:])
    done = here("a.json", "--series", "cancle")
    assert done.returncode == ExitCode.USAGE
    assert done.stderr.startswith("lowlat: error: there is no series 'cancle'; available: service/add, ")


def test_a_report_that_is_not_valid_is_shown_and_says_so(lowlat: Run, folder: Path) -> None:
    edit(folder / "a.json", lambda document: document.update(status="invalid", status_reasons=["lost commands"]))
    done = lowlat("report", "a.json")
    assert done.returncode == ExitCode.NOT_VALID
    assert "INVALID: discard these results: lost commands" in done.stdout
    assert done.stderr == "lowlat: invalid run: lost commands\n"
    done = lowlat("report", "a.json", "--to", "github", "-o", "entries.json")
    assert (done.returncode, done.stdout) == (ExitCode.NOT_VALID, "")
    assert not (folder / "entries.json").exists()


def test_a_report_that_was_interrupted_is_shown_and_says_so(here: Here, folder: Path) -> None:
    edit(
        folder / "a.json",
        lambda document: document.update(status="interrupted", status_reasons=["interrupted after 2 of 9"]),
    )
    done = here("a.json")
    assert (done.returncode, done.stderr) == (0, "lowlat: stopped early: interrupted after 2 of 9\n")


def at_rates(benched: Report) -> list[Report]:
    """The report as if of open loops at two rates."""
    points = []
    for rate_hz in (10_000.0, 20_000.0):
        load = dataclasses.replace(benched.load, model="open", target_rate=rate_hz, arrivals="constant")
        runs = tuple(
            dataclasses.replace(
                run,
                late_ns=0,
                least_cpu_ns=None,
                one_at_a_time=None,
                timed=None,
                series=tuple(dataclasses.replace(each, measure="response") for each in run.series),
                quiet=(),
            )
            for run in benched.runs
        )
        points.append(with_runs(dataclasses.replace(benched, load=load), runs))
    return points


def test_a_sweep_is_shown_and_its_points_converted(here: Here, folder: Path, benched: Report) -> None:
    objective = Objective(percentile="99", limit_ns=10**12)
    (folder / "sweep.json").write_text(to_text(sweep_of(at_rates(benched), objectives=[objective])))
    shown = here("sweep.json")
    assert "lower-quartile run at each rate" in shown.stdout and "at least 20.0 k/s" in " ".join(shown.stdout.split())
    assert {row.split(",")[2] for row in here("sweep.json", "--to", "csv").stdout.splitlines()[1:]} == {
        "10000.0",
        "20000.0",
    }
    done = here("sweep.json", "--to", "hgrm")
    assert (
        done.returncode == ExitCode.USAGE
        and "a sweep cannot be converted to hgrm; choose from table, json" in done.stderr
    )
    done = here("a.json", "sweep.json")
    assert done.returncode == ExitCode.USAGE and "sweep.json: only reports can be merged" in done.stderr


def preempted(report: Report, times: int) -> Report:
    """The report with so many preemptions in each run, and all that follows from them."""
    runs = []
    for each in report.runs:
        noise = dataclasses.replace(each.os_noise, involuntary_switches=times, noisy=True)
        counts = dataclasses.asdict(noise) | {"steal_ms": (noise.steal_ns or 0) // 1_000_000}
        noise = dataclasses.replace(noise, reasons=reasons_of(counts, noise.wall_ns))
        runs.append(dataclasses.replace(each, os_noise=noise))
    hot_path = dataclasses.replace(report.hot_path, involuntary_switches=times * len(runs))
    return with_runs(dataclasses.replace(report, hot_path=hot_path), tuple(runs))


def test_a_sweep_that_other_programs_kept_from_its_answer_exits_with_4(
    here: Here, folder: Path, benched: Report
) -> None:
    """Every run exceeds the limit, but was preempted so often that it says nothing."""
    points = [preempted(point, 1_000_000) for point in at_rates(benched)]
    limit = Objective(percentile="99", limit_ns=max(run.series[0].min for point in points for run in point.runs))
    (folder / "sweep.json").write_text(to_text(sweep_of(points, objectives=[limit])))
    done = here("sweep.json", "--json")
    assert done.returncode == ExitCode.INCONCLUSIVE == 4
    assert json.loads(done.stdout)["status"] == "inconclusive" and json.loads(done.stdout)["answer"]["rate"] is None
    assert done.stderr.startswith("lowlat: inconclusive: not measurable here: in ")
    assert "free a CPU for it (lowlat affinity)" in done.stderr
    assert "highest rate not measurable here" in " ".join(here("sweep.json").stdout.split())


def test_an_interval_log_is_shown_and_converted(here: Here, folder: Path) -> None:
    here("a.json", "--to", "hlog", "-o", "a.hlog")
    done = here("a.hlog")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("interval log  ") and "cancel (service)" in done.stdout
    assert here("a.hlog", "--to", "hgrm").stdout.endswith("SubBuckets     =         2048]\n")
    assert here("a.hlog", "--to", "openmetrics").stdout.endswith("# EOF\n")
    done = here("a.hlog", "--json")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert "an interval log cannot be converted to json; choose from table, hgrm, csv, openmetrics" in done.stderr


def test_a_folder_of_reports_is_followed(here: Here, folder: Path) -> None:
    (folder / "notes.txt").write_text("hello")
    (folder / "empty.json").write_text("{}")
    done = here("--history", ".")
    assert (done.returncode, done.stderr) == (0, "")
    told = "lowlat: skipped 2 files without such a report; --json has the reasons\n"
    assert here("--history", ".", "-v").stderr == told
    titles = [line for line in done.stdout.splitlines() if line.startswith("equity")]
    assert [title.split(" · ")[2] for title in titles] == ["seed 1", "seed 2"]
    found = json.loads(here("--history", ".", "--json").stdout)
    assert [each["file"] for each in found["skipped"]] == ["empty.json", "notes.txt"]
    assert found["skipped"][1]["reason"].startswith("not a JSON document: ")
    jsonschema.Draft202012Validator(published("lowlat.history/1", closed=True)).validate(found)
    assert [entry["file"] for entry in found["trends"][0]["entries"]] == ["a.json", "b.json"]


def test_a_history_has_a_page_too(here: Here, folder: Path) -> None:
    done = here("--history", ".", "--to", "html")
    assert done.returncode == 0 and done.stdout.startswith("<!doctype html>") and 'id="trend-0"' in done.stdout
    done = here("--history", ".", "-o", "../drift.html")
    assert (done.returncode, done.stderr) == (0, "lowlat: wrote ../drift.html\n")
    assert "started, UTC" in done.stdout
    assert (folder.parent / "drift.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_documented_workflows_run(here: Here, folder: Path) -> None:
    """Every call of `lowlat report` in them works, and each file for another step has the expected form."""
    page = (Path(__file__).resolve().parents[2] / "docs/how-to/gate-ci.md").read_text()
    workflows = "".join(re.findall(r"^```yaml$(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    calls = re.findall(r"^ *lowlat report (.*?)(?: >> .*)?$", workflows, re.MULTILINE)
    assert len(calls) == 4
    (folder / "head.json").write_bytes((folder / "a.json").read_bytes())
    for call in calls:
        assert here(*call.split()).returncode == 0
    for name, unit in (("latency", "ns"), ("throughput", "commands/s")):
        entries = json.loads((folder / f"{name}.json").read_text())
        assert entries and all(entry["name"] and entry["unit"] == unit for entry in entries)
    assert (folder / "junit.xml").read_text().startswith("<?xml")


def test_a_damaged_histogram_is_named_and_the_report_is_not_valid(here: Here, folder: Path) -> None:
    edit(folder / "a.json", lambda document: document["runs"][0]["series"][0].update(hdr="damaged"))
    done = here("a.json")
    assert (done.returncode, done.stdout) == (ExitCode.NOT_VALID, "")
    message = "lowlat: error: a.json: runs[0].series[0] (add, service): not an HdrHistogram in V2 base64"
    assert done.stderr.startswith(message) and done.stderr.count("\n") == 1


def write_garbage(path: Path) -> None:
    """A sparse file of 100 MB."""
    with path.open("wb") as stream:
        stream.write(b"garbage")
        stream.truncate(100_000_000)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", "no report given; name one, or a directory of reports with --history DIR"),
        ("missing.json", "missing.json: no such file"),
        (".", ".: it is a directory; name a file in it, or read all of them with --history"),
        ("cut.json", "cut.json: not a JSON document: "),
        ("foreign.json", "foreign.json: not a lowlat.report/1 or lowlat.sweep/1 document: its schema is None"),
        ("next.json", "next.json: its schema 'lowlat.report/2' is from another version of lowlat"),
        ("nan.json", "nan.json: not a JSON document: it holds NaN or Infinity, which JSON does not have"),
        ("empty.json", "empty.json: not a valid lowlat.report/1: Expected `int` >= 1 - at `$.runs[0].series[0].count`"),
        ("garbage.json", "garbage.json: not a JSON document"),
        ("deep.json", "deep.json: not a JSON document: it is nested too deeply"),
        ("/dev/zero", "/dev/zero: it is a device; name a regular file"),
        ("a.json -o .", "cannot write .: it is a directory; name a file in it"),
        ("a.json -o none/out.md --to md", "cannot write none/out.md: there is no directory"),
        ("a.json --to xml", "--format: 'xml' is not one of 'table', 'json', 'md',"),
        ("a.json a.json", "a.json holds twice the same run, started "),
        ("a.json --history .", "--history reads a directory and writes a table, json or html; remove FILE"),
        ("--history . --to csv", "--history reads a directory and writes a table, json or html; remove FILE"),
        ("--history missing", "missing: cannot be read as a directory: No such file or directory"),
    ],
)
def test_bad_input_is_one_line_with_what_to_do(here: Here, folder: Path, arguments: str, words: str) -> None:
    whole = (folder / "a.json").read_text()
    document = json.loads(whole)
    (folder / "cut.json").write_text(whole[: len(whole) // 2])
    (folder / "foreign.json").write_text('{"name": "package"}')
    (folder / "next.json").write_text(whole.replace("lowlat.report/1", "lowlat.report/2"))
    (folder / "nan.json").write_text(whole.replace('"steal_percent"', '"steal": NaN, "steal_percent"'))
    (folder / "deep.json").write_text('{"a":' * 100_000)
    write_garbage(folder / "garbage.json")
    document["runs"][0]["series"][0]["hdr"] = "damaged"
    document["runs"][0]["series"][0]["count"] = 0
    (folder / "empty.json").write_text(json.dumps(document))
    before = sorted(path.name for path in folder.iterdir())
    done = here(*arguments.split())
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert done.stderr.startswith(f"lowlat: error: {words}") and done.stderr.count("\n") == 1
    assert sorted(path.name for path in folder.iterdir()) == before
