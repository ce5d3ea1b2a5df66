"""Help, version, and errors: one line, exit code 2, and what to do."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from lowlat.errors import ExitCode
from lowlat_cli.app import run
from lowlat_cli.errors import Outcome
from lowlat_cli.session import Session
from tests.effort import effort, start_interpreter

Run = Callable[..., subprocess.CompletedProcess[str]]
Terminal = Callable[..., str]


@pytest.mark.parametrize("arguments", [(), ("-h",), ("--help",)])
def test_help_opens_with_examples(lowlat: Run, arguments: tuple[str, ...]) -> None:
    done = lowlat(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    examples, usage, commands = (done.stdout.index(text) for text in ("Examples:", "Usage: lowlat", "Commands:"))
    assert examples < usage < commands
    listed = done.stdout[commands:].partition("\n\n")[0].splitlines()[1:]
    verbs = ["bench", "replay", "convert", "record", "report", "book", "topology", "doctor", "calibrate", "jitter"]
    verbs += ["memory", "cores", "capture"]
    verbs += ["compare", "ab", "league", "ablate", "verify", "init-engine"]
    verbs += ["affinity", "journal", "profile", "fleet", "help", "completion"]
    assert [line.split()[0] for line in listed if not line.startswith("    ")] == verbs


@pytest.mark.parametrize("columns", [60, 80, 130])
def test_help_is_as_wide_as_columns_say_and_cuts_no_summary(lowlat: Run, columns: int) -> None:
    shown = lowlat("--help", env={"COLUMNS": str(columns)}).stdout
    prose = shown[shown.index("Usage:") :]
    words = " ".join(prose.split())
    assert "Measure the matching engine with recorded orders, and check the fills." in words
    assert "..." not in words.replace("[ARGS]...", "")
    assert columns - 22 < max(map(len, prose.splitlines())) < columns


@pytest.mark.parametrize("columns", ["", "0", "-5", "wide", "1e3", "99999999999"])
def test_columns_without_a_usable_number_are_ignored(lowlat: Run, columns: str) -> None:
    assert lowlat("--help", env={"COLUMNS": columns}).stdout == lowlat("--help").stdout


def test_a_table_in_a_pipe_is_as_wide_as_columns_say(lowlat: Run) -> None:
    widths = {
        columns: max(map(len, lowlat("profile", "list", env={"COLUMNS": columns}).stdout.splitlines()))
        for columns in ("60", "", "250")
    }
    assert widths["60"] <= 60 < widths[""] <= 160 and widths[""] <= widths["250"] <= 250


def test_options_are_grouped(lowlat: Run) -> None:
    shown = lowlat("bench", "--help").stdout
    names = re.findall(r"^(\w[\w ]*):$", shown, re.MULTILINE)
    assert names == ["Order flow", "Load", "Journal", "Runs", "Engine", "Network", "Output", "General"]
    inside = shown.partition("\nNetwork:\n")[2].partition("\n\n")[0]
    assert re.findall(r"^  (--\w+)", inside, re.MULTILINE) == ["--peer", "--listen", "--bind"]
    # One option of a group is no group.
    assert "--dir" in lowlat("book", "--help").stdout.partition("\nOptions:\n")[2].partition("\n\n")[0]


@pytest.mark.parametrize("words", [(), ("bench",), ("journal", "verify"), ("affinity",), ("help",)])
def test_help_of_a_verb_is_that_of_its_option(lowlat: Run, words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "lowlat.toml").write_text("broken")
    done = lowlat("help", *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == lowlat(*words, "--help").stdout


def test_profiles_is_short_for_listing_and_showing(lowlat: Run) -> None:
    for short, whole in [
        ("profiles", "profile list"),
        ("profiles --json", "profile list --json"),
        ("profiles deep", "profile show deep"),
        ("help profiles", "profile list --help"),
    ]:
        assert lowlat(*short.split()).stdout == lowlat(*whole.split()).stdout != ""


@pytest.mark.parametrize("arguments", ["-q bench -v", pytest.param("bench --quiet -v", marks=pytest.mark.slow)])
def test_quiet_leaves_the_result_and_errors(lowlat: Run, once: Run, tmp_path: Path, arguments: str) -> None:
    short = ("-n", "500", "--runs", "1", "-o", "a.json")
    bench = (*arguments.split(), *short)
    loud = once("bench", "-v", *short)
    assert "lowlat: wrote a.json" in loud.stderr and "%)" in loud.stderr
    done = lowlat(*bench)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("equity")
    assert (tmp_path / "a.json").exists()
    refused = lowlat(*bench, "--profile", "stedy")
    assert (refused.returncode, refused.stdout) == (ExitCode.USAGE, "")
    assert refused.stderr.startswith("lowlat: error: profile 'stedy' is unknown")


def test_quiet_on_a_terminal_draws_no_progress(on_terminal: Terminal) -> None:
    bench = ("bench", "-n", "500", "--runs", "1", "-o", "a.txt")
    assert "%" in on_terminal(100, *bench)
    assert on_terminal(100, *bench, "-q") == ""


def test_quiet_still_says_why_the_exit_code_is_not_0(patched: Run) -> None:
    code = (
        "import lowlat_cli.destination as d\n"
        "class Report:\n    status, status_reasons = 'invalid', ['the digests differ']\n"
        "def check(self, formats=()):\n    d.tell_status(Report)\n    raise SystemExit(3)\n"
        "d.Destination.check = check"
    )
    done = patched(code, "topology", "-q")
    assert (done.returncode, done.stderr) == (3, "lowlat: invalid run: the digests differ\n")


@pytest.mark.parametrize("verb", ["bench", "replay", "record", "report", "book", "compare", "ab"])
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_each_verb_has_help_that_opens_with_examples(lowlat: Run, verb: str, flag: str) -> None:
    done = lowlat(verb, flag)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.index(f"Examples:\n    lowlat {verb}") < done.stdout.index(f"Usage: lowlat {verb}")
    measured = {"bench": ("--runs", "--cpu"), "replay": ("--runs", "--cpu"), "ab": ("--runs", "--gate")}.get(verb, ())
    for option in ("--format", "--json", "-o, --output", "--color", "--debug", *measured):
        assert option in done.stdout


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_version(lowlat: Run, flag: str) -> None:
    done = lowlat(flag)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"lowlat {version('lowlat')}\n", "")


@pytest.mark.parametrize("module", ["lowlat_cli", "lowlat"])
def test_python_runs_it_as_a_module(module: str, tmp_path: Path, environment: dict[str, str]) -> None:
    def run_module(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-m", module, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert run_module("--version").stdout == f"lowlat {version('lowlat')}\n"
    done = run_module("bogus")
    assert (done.returncode, done.stderr) == (2, "lowlat: error: no such command 'bogus'; see 'lowlat --help'\n")


@pytest.mark.slow
@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_cost_little_more_than_their_parser(cold: Run, flag: str) -> None:
    """Well under 300 ms wherever importing the parser takes 70 ms."""
    assert effort(lambda: cold(flag), lambda: start_interpreter("import typer"), repeats=10) < 4


@pytest.mark.parametrize("flag", ["--help", pytest.param("--version", marks=pytest.mark.slow)])
def test_help_and_version_import_nothing_heavy(patched: Run, flag: str) -> None:
    code = (
        "import atexit\n"
        "heavy = {'numpy', 'rich', 'psutil', 'cpuinfo', 'hdrh', 'msgspec'}\n"
        "heavy |= {'lowlat.engine.bench.run', 'lowlat.reports._core'}\n"
        "atexit.register(lambda: print(sorted(heavy & sys.modules.keys()), file=sys.stderr))"
    )
    done = patched(code, flag)
    assert (done.returncode, done.stderr) == (0, "[]\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("bogus", "no such command 'bogus'; see 'lowlat --help'"),
        ("benhc", "no such command 'benhc'. Did you mean 'bench'? See 'lowlat --help'"),
        ("help bogus", "no such command 'bogus'; see 'lowlat --help'"),
        ("help journal verfy", "no such command 'verfy'. Did you mean 'verify'? See 'lowlat journal --help'"),
        ("help bench deep", "lowlat bench has no command 'deep'; see 'lowlat bench --help'"),
        ("profiles stedy", "profile 'stedy' is unknown; did you mean steady? available: all-kinds, burst,"),
        ("--bogus", "no such option: --bogus; see 'lowlat --help'"),
        (
            "bench --profle deep",
            "no such option: --profle (Possible options: --producers, --profile); see 'lowlat bench --help'",
        ),
        ("bench extra", "got unexpected extra argument(s) (extra); see 'lowlat bench --help'"),
        ("bench --runs", "option '--runs' requires an argument"),
        ("bench --profile stedy", "profile 'stedy' is unknown; did you mean steady? available: all-kinds, burst,"),
        ("bench --profile missing.toml", "profile missing.toml: no such file"),
        ("bench --commands 0", "--commands: 0 is outside 1..1073741824; see 'lowlat bench --help'"),
        ("bench --commands -5", "--commands: '-5' is not an integer of 0 or more; write 250000, 250k or 2M; see"),
        ("bench --commands 2Q", "--commands: '2Q' is not an integer; write 250000, 250k or 2M; see"),
        ("bench --seed 18446744073709551616", "--seed: 18446744073709551616 is outside 0..18446744073709551615; see"),
        ("bench --runs 1.5", "--runs: '1.5' is not an integer (finer than the smallest unit); write"),
        ("bench --orders 0", "--orders: 0 is outside 1..1073741824; see"),
        ("bench --trades 5G", "--trades: 5G is outside 1..4294967296; see"),
        ("bench --engine cobol", "--engine: 'cobol' is not one of 'native', 'reference'; see"),
        ("bench --on-exhaustion recycle", "--on-exhaustion: 'recycle' is not one of 'reject', 'grow'; see"),
        ("bench --format yaml", "--format: 'yaml' is not one of 'table', 'json'; see"),
        ("bench --color pink", "--color: 'pink' is not one of 'auto', 'always', 'never'; see"),
        ("--color pink bench", "--color: 'pink' is not one of 'auto', 'always', 'never'; see 'lowlat --help'"),
        ("bench --cpu 1-", "'1-' as a CPU list has no end; write 1-N or name the last CPU"),
        ("bench --cpu 65000", "CPU 65000 does not exist on this host; it has CPUs "),
        ("bench -o .", "cannot write .: it is a directory; name a file in it"),
        ("bench -o missing/report.json", "cannot write missing/report.json: there is no directory "),
        ("compare", "missing argument 'FILE'; see 'lowlat compare --help'"),
        ("compare a.json", "1 file, but no separator between base and head; write two, or: lowlat compare BASE... --"),
        ("compare a b c", "3 files, but no separator between base and head; write two, or: lowlat compare BASE... --"),
        ("compare a -- b -- c", "more than one --; write lowlat compare BASE... -- HEAD..."),
        ("compare -- a b", "one side of the -- has no file; write lowlat compare BASE... -- HEAD..."),
        ("compare a b", "a: no such file"),
        ("compare a a", "a is given twice, so its runs would count twice; name each file once"),
        ("compare . b", ".: it is a directory; name a file in it, or read all of them with --history"),
        (
            "compare a b --gate p99",
            "'p99' is not a valid gate: N is a finite number from 0 to 9999.999; write p99=10%, ",
        ),
        ("compare a b -o missing/x.json", "cannot write missing/x.json: there is no directory "),
        (
            "ab",
            "nothing to compare; write lowlat ab --a 'OPTIONS' --b 'OPTIONS', or lowlat ab -- COMMAND A -- COMMAND B",
        ),
        ("ab --a=-n1", "only one side to compare; write"),
        ("ab --a= --b= -- true -- true", "both options and commands to compare; write"),
        ("ab true -- true", "'true' comes before the first --; write"),
        ("ab a b", "'a' comes before the first --; write"),
        ("ab -- true", "1 command given, two expected; write"),
        ("ab -- a -- b -- c", "3 commands given, two expected; write"),
        ("ab -- a --", "1 command given, two expected; write"),
        ("ab --a= --b=--profle=deep", "--b '--profle=deep': no such option: --profle"),
        ("ab --a= --b=extra", "--b 'extra': got unexpected extra argument(s) (extra)"),
        ("ab --a=--help --b=", "--a '--help': no such option: --help"),
        ("ab --a=--runs=3 --b=", "--a: --runs does not apply to one side; remove it, or pass it to ab itself"),
        ("ab --a=--json --b=", "--a: --format does not apply to one side; remove it, or pass it to ab itself"),
        ("ab --a= --b=--sweep=1k:1M:3", "--b: --sweep does not apply to one side; remove it"),
        ("ab --a=--profile=' --b=", '--a "--profile=\'" cannot be split into words: No closing quotation'),
        ("ab --a= --b= --metric wall", "--metric wall is for commands; --a and --b are compared by their reports"),
        ("ab --a= --b= --runs 1", "--runs: 1 is outside 2..1000; see 'lowlat ab --help'"),
        ("replay", "missing argument 'FILE'; see 'lowlat replay --help'"),
        ("book ../../etc/x --dir .", "'../../etc/x' cannot name a book; use up to 32 of A-Z"),
        ("book AAPL --dir missing", "folder missing does not exist: nothing has been published there"),
        ("book --watch --dir .", "--watch needs a symbol; 'lowlat book' lists the available books"),
        ("book AAPL --watch --json --dir .", "--watch draws on the terminal; remove --json and -o"),
        ("book AAPL --watch --dir .", "--watch needs a terminal to draw on; take one snapshot without it"),
        ("book AAPL --levels 0", "--levels: 0 is outside 1..4096; see 'lowlat book --help'"),
        ("replay missing.csv", "missing.csv: no such file"),
        (
            "replay missing.csv --format nyse",
            "--format: 'nyse' is not one of 'lobster', 'itch', 'dbn', 'columns', 'journal', 'table', 'json'; see",
        ),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: str, message: str
) -> None:
    """In this process, since there are many; the tests below run the installed command."""
    monkeypatch.chdir(tmp_path)
    session = Session()
    with Outcome(session) as outcome:
        outcome.exit_code = run(arguments.split(), session)
    out, err = capsys.readouterr()
    assert err.startswith(f"lowlat: error: {message}")
    assert err.count("\n") == 1 and err.endswith("\n")
    assert (outcome.exit_code, out) == (ExitCode.USAGE, "")


def test_what_a_terminal_would_obey_is_shown_escaped(lowlat: Run) -> None:
    done = lowlat("replay", "a\x1b[2Jb\nc")
    assert (done.returncode, done.stderr) == (2, "lowlat: error: a\\x1b[2Jb\\nc: no such file\n")


def test_settings_reach_the_verb(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "lowlat.toml").write_text("[bench]\nprofile = 'stedy'\n")
    assert "profile 'stedy' is unknown" in lowlat("bench").stderr
    assert "profile 'deap' is unknown" in lowlat("bench", env={"LOWLAT_PROFILE": "deap"}).stderr
    (tmp_path / "lowlat.toml").write_text("profil = 'deep'\n")
    done = lowlat("bench")
    assert (done.returncode, done.stderr) == (
        ExitCode.USAGE,
        "lowlat: error: lowlat.toml: unknown key 'profil'; did you mean 'profile'?\n",
    )


BREAK = """
import lowlat.engine.bench.run
def measure(*_):
    return {}["broken"]
lowlat.engine.bench.run.measure = measure
"""


def test_a_defect_is_exit_code_70_and_one_line(patched: Run) -> None:
    done = patched(BREAK, "bench")
    assert (done.returncode, done.stdout) == (ExitCode.INTERNAL, "")
    assert done.stderr == (
        "lowlat: internal error: KeyError: 'broken'; run again with --debug for the traceback, and report it\n"
    )


@pytest.mark.parametrize(
    "arguments", [("bench", "--debug"), pytest.param(("--debug", "bench"), marks=pytest.mark.slow)]
)
def test_debug_shows_the_traceback(patched: Run, arguments: tuple[str, ...]) -> None:
    done = patched(BREAK, *arguments)
    assert done.returncode == ExitCode.INTERNAL
    assert done.stderr.startswith("Traceback")
    assert done.stderr.splitlines()[-1].startswith("lowlat: internal error: KeyError: 'broken'")


def test_debug_shows_the_traceback_of_a_users_error_too(lowlat: Run) -> None:
    done = lowlat("bench", "--profile", "stedy", "--debug")
    assert done.returncode == ExitCode.USAGE and done.stderr.startswith("Traceback")
    assert done.stderr.splitlines()[-1].startswith("lowlat: error: profile 'stedy' is unknown")


def test_too_little_memory_is_the_users_to_mend(patched: Run) -> None:
    done = patched(
        "from lowlat.engine.bench import run\ndef measure(*_):\n    bytearray(1 << 62)\nrun.measure = measure",
        "bench",
    )
    assert done.returncode == ExitCode.USAGE
    assert done.stderr == "lowlat: error: not enough memory; use fewer commands or smaller pools\n"
