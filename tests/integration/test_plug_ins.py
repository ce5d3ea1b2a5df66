"""Readers and engines from other packages: really installed, found by their entry points, and used by the command."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lowlat.engine.flow.registry import READERS
from lowlat.errors import ExitCode
from lowlat.reports.io.json_codec import from_text
from tests.integration.conftest import clean_environment
from tests.plug_in.package import SOURCE, install
from tests.warm_start import Zygote

Run = Callable[..., subprocess.CompletedProcess[str]]

TOY = """
[lowlat.readers]
toy = toy_venue:READER
[lowlat.engines]
toy = toy_venue:TOY
wrong = toy_venue:WRONG
careless = toy_venue:CARELESS
limited = toy_venue:LIMITED
fails = toy_venue:FAILS
nothing = toy_venue:NOTHING
compiled = toy_venue:COMPILED
pretender = toy_venue:PRETENDER
misnamed = toy_venue:MISNAMED
leaves = toy_venue:LEAVES
asks = toy_venue:ASKS
exits = toy_venue:EXITS
forks = toy_venue:FORKS
planted = toy_venue:PLANTED
"""
BAD = """
[lowlat.readers]
journal = nowhere:READER
broken = nowhere:READER
[lowlat.engines]
native = nowhere:ENGINE
broken = nowhere:ENGINE
"""
SHORT = ("-n", "500", "--runs", "1", "--json")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two packages: a correct one, and one whose entry points are broken or use built-in names."""
    folder = tmp_path_factory.mktemp("site")
    install(folder, "toy-venue", TOY, SOURCE)
    install(folder, "bad-venue", BAD)
    return folder


@pytest.fixture(scope="module")
def zygote_with_packages(site: Path) -> Iterator[Zygote]:
    """A process with these packages installed, for `lowlat` to run in forks of it."""
    zygote = Zygote(clean_environment() | {"PYTHONPATH": str(site)})
    yield zygote
    zygote.close()


@pytest.fixture
def with_packages(zygote_with_packages: Zygote, site: Path, tmp_path: Path, environment: dict[str, str]) -> Run:
    """Run `lowlat` with these packages installed."""
    return lambda *arguments: zygote_with_packages.run(
        arguments, folder=tmp_path, environment=environment | {"PYTHONPATH": str(site)}
    )


@pytest.fixture
def toy_day(tmp_path: Path) -> Path:
    """Three orders; the last one trades."""
    path = tmp_path / "day.toy"
    path.write_text("TOY\nSELL 5 100\nBUY 5 99\nBUY 2 100\n")
    return path


@pytest.mark.parametrize("said", [(), ("--format", "toy")])
def test_a_reader_of_another_package_is_used(with_packages: Run, toy_day: Path, said: tuple[str, ...]) -> None:
    done = with_packages("replay", toy_day, *said, "--runs", "1", "--json")
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    report = from_text(done.stdout)
    assert (report.workload.profile, report.workload.commands) == ("day.toy", 3)
    assert {series.op for series in report.summary} >= {"add", "take"}


def test_an_engine_of_another_package_is_measured_and_judged(with_packages: Run) -> None:
    toy, native = (from_text(with_packages("bench", "--engine", name, *SHORT).stdout) for name in ("toy", "native"))
    assert (toy.engine.name, toy.status) == ("toy", "ok")
    assert toy.verification is not None and native.verification is not None
    assert toy.verification.digest == native.verification.digest
    checked = toy.verification.native
    assert checked is not None and checked.difference is None and checked.events == toy.verification.events
    assert native.verification.native is None
    done = with_packages("bench", "--engine", "wrong", *SHORT)
    assert done.returncode == ExitCode.NOT_VALID
    said = "wrong executes other trades than the native engine from event 1 on: price "
    assert done.stderr.startswith(f"lowlat: invalid run: {said}"), done.stderr
    assert from_text(done.stdout).status_reasons[0].startswith(said)


@pytest.mark.slow
def test_an_engine_of_another_package_is_verified(with_packages: Run) -> None:
    done = with_packages("verify", "--engine", "toy", "--worlds", "5", "-n", "50", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["status"], found["file"]) == (ExitCode.OK, "conforms", "package toy-venue")
    assert found["version"] == "1.0" and found["suites"][1]["cases"] == 5


@pytest.mark.slow
def test_an_engine_that_forks_is_compared_once(with_packages: Run) -> None:
    done = with_packages("verify", "--engine", "forks", "--worlds", "2", "-n", "20", "--json")
    examples, worlds, _ = json.loads(done.stdout)["suites"]
    assert done.returncode == ExitCode.OK
    assert examples["cases"] == examples["of"] and worlds["cases"] == worlds["of"] == 2


@pytest.mark.parametrize(
    ("engine", "status", "commands", "said"),
    [
        ("wrong", "differs", 1, "price 101 instead of 100"),
        ("fails", "failed", 1, "the fails engine failed: KeyError: 'no such order'"),
        ("nothing", "failed", 1, "the nothing engine returned None"),
        ("leaves", "failed", 1, "the process of leaves exited with code 0"),
    ],
)
def test_what_is_wrong_with_an_engine_is_shown_in_one_command(
    with_packages: Run, engine: str, status: str, commands: int, said: str
) -> None:
    done = with_packages("verify", "--engine", engine, "--worlds", "5", "-n", "50", "--json")
    found = json.loads(done.stdout)
    assert found["status"] == status, done.stderr
    assert done.returncode == (ExitCode.GATE_FAILED if status == "differs" else ExitCode.NOT_VALID)
    shown = found["counterexample"]
    assert len(shown["commands"]) == commands and said in shown["difference"]


def test_the_pauses_of_the_garbage_collector_are_shown(with_packages: Run, tmp_path: Path) -> None:
    done = with_packages("bench", "--engine", "careless", "-n", "2000", "--runs", "1", "-o", str(tmp_path / "a.json"))
    assert done.returncode == ExitCode.OK
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("collector"))
    assert re.fullmatch(r"collector +on: \d+ collections took .+ of the passes; the longest .+", line)
    measured = from_text((tmp_path / "a.json").read_text())
    seen = measured.runs[0].garbage_collection
    # Each pass of 2,000 commands leaves as many cycles, and a young collection comes after at most 2,000 new objects.
    assert seen is not None and seen.collections >= 3 and 0 < seen.longest_ns <= seen.pause_ns


def test_an_engine_is_not_given_what_it_does_not_claim(with_packages: Run) -> None:
    done = with_packages("bench", "--engine", "limited", *SHORT)
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert done.stderr.startswith("lowlat: error: limited does not take what equity has: "), done.stderr
    assert done.stderr.endswith("name it in capabilities, or choose a --profile without it\n")


@pytest.mark.parametrize(
    ("seed", "line"),
    [
        ("1", "the planted engine is wrong: in run 1, its events up to command 300,000 of equity, seed 1, are not"),
        ("99", "the planted engine differs from the reference engine: from measured command "),
    ],
)
def test_an_engine_that_errs_after_200_000_commands_is_invalid(with_packages: Run, seed: str, line: str) -> None:
    """By its golden digest; with a seed that has none, by the stretches that the reference engine executes."""
    planted = ("bench", "--engine", "planted", "-n", "300k", "--runs", "1")
    done = with_packages(*planted, "--seed", seed)
    assert done.returncode == ExitCode.NOT_VALID
    assert done.stdout.startswith(f"INVALID: discard these results: {line}"), done.stdout[:300]
    assert done.stderr.startswith(f"lowlat: invalid run: {line}"), done.stderr
    before = with_packages(*planted[:3], "-n", "100k", "--runs", "1", "--seed", seed)
    assert (before.returncode, before.stderr) == (ExitCode.OK, "")


def test_an_engine_runs_as_many_commands_as_it_says(with_packages: Run) -> None:
    report = from_text(with_packages("bench", "--engine", "toy", "--runs", "1", "--json").stdout)
    assert report.workload.commands == 500


def test_a_compiled_engine_can_all_that_the_native_one_can(with_packages: Run) -> None:
    done = with_packages("bench", "--engine", "compiled", "--rate", "10k", *SHORT)
    assert done.returncode in {ExitCode.OK, ExitCode.NOT_VALID}  # a busy machine does not keep the rate
    report = from_text(done.stdout)
    assert report.engine.name == "compiled" and "response" in {series.measure for series in report.summary}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            "bench --engine toy --rate 1k",
            "the toy engine runs in a closed loop only; use the native one for rates and pipelines",
        ),
        ("bench --engine toy --log a.hlog", "the toy engine keeps no interval log; use the native one for --log"),
        (
            "bench --engine toy --journal a.journal",
            "a journal is measured in a closed loop of the native engine; remove --journal",
        ),
        ("bench --engine pretender", "ToyEngine, which pretender makes, is no compiled engine"),
        (
            "bench --engine fails -n 10",
            "the fails engine failed: KeyError: 'no such order'; repair it, or measure another",
        ),
        (
            "bench --engine asks -n 10",
            "the asks engine failed: KeyboardInterrupt; repair it, or measure another",
        ),
        (
            "bench --engine exits -n 10",
            "the exits engine failed: SystemExit: 0; repair it, or measure another",
        ),
        (
            "bench --engine nothing -n 10",
            "the nothing engine returned None for 280 commands; let process return an array of lowlat.engine.EVENT "
            "records with one dimension",
        ),
        (
            "bench --engine broken",
            "'broken' of package bad-venue cannot be loaded: ModuleNotFoundError: No module named 'nowhere'; "
            "repair or remove it",
        ),
        (
            "replay day.toy --format broken",
            "'broken' of package bad-venue cannot be loaded: ModuleNotFoundError: No module named 'nowhere'; "
            "repair or remove it",
        ),
        (
            "bench --engine cobol",
            "--engine: 'cobol' is not one of 'native', 'reference', 'toy', 'wrong', 'careless', 'limited', 'fails', "
            "'nothing', 'compiled', 'pretender', 'misnamed', 'leaves', 'asks', 'exits', 'forks', 'planted', 'broken'; "
            "'native' of package bad-venue is refused: that name is built in; see 'lowlat bench --help'",
        ),
        (
            "replay day.toy --format pitch",
            "--format: 'pitch' is not one of 'lobster', 'itch', 'dbn', 'columns', 'journal', 'toy', 'broken', 'table', "
            "'json'; 'journal' of package bad-venue is refused: that name is built in; see 'lowlat replay --help'",
        ),
    ],
)
def test_what_cannot_be_used_is_one_line(with_packages: Run, toy_day: Path, arguments: str, line: str) -> None:
    done = with_packages(*arguments.split())
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    # Which of two packages is found first is the file system's: compare names as a set.
    assert sorted(done.stderr.removeprefix("lowlat: error: ").split()) == sorted(line.split())


def test_an_engine_that_ends_its_process_is_named(with_packages: Run) -> None:
    """As if all were well: the process of a run, and in a league also that which measures its memory."""
    done = with_packages("bench", "--engine", "leaves", *SHORT)
    assert (done.returncode, done.stdout) == (ExitCode.NOT_VALID, "")
    assert done.stderr.startswith("lowlat: error: the process of a run of leaves ended without a whole result: ")
    league = with_packages("league", "native", "leaves", "-n", "300", "--runs", "1", "-p", "steady")
    assert league.returncode == ExitCode.NOT_VALID
    assert league.stderr.startswith("lowlat: invalid: leaves on steady: the process of a run of leaves ended without")


def test_an_entry_point_that_gives_something_else_is_named(with_packages: Run) -> None:
    done = with_packages("bench", "--engine", "misnamed")
    assert done.returncode == ExitCode.USAGE
    assert done.stderr.startswith("lowlat: error: 'misnamed' of package toy-venue is EngineEntry(name='other'")
    assert done.stderr.endswith("; expected an object of lowlat.engine.bench.engines.EngineEntry with that name\n")


@pytest.mark.slow
def test_two_packages_with_one_name_are_both_refused(lowlat: Run, tmp_path: Path) -> None:
    for name in ("toy-venue", "toy-twin"):
        install(tmp_path / "site", name, "[lowlat.engines]\ntoy = toy_venue:TOY\n", SOURCE)
    done = lowlat("bench", "--engine", "toy", env={"PYTHONPATH": str(tmp_path / "site")})
    assert (done.returncode, done.stderr) == (
        ExitCode.USAGE,
        "lowlat: error: 'toy' of packages toy-twin, toy-venue: several have this name; remove all but one\n",
    )


def test_what_is_built_in_works_beside_a_broken_package(with_packages: Run) -> None:
    done = with_packages("bench", "--engine", "native", *SHORT)
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")


@pytest.mark.parametrize(
    ("verb", "names"),
    [
        ("bench", ["native (the engine, in C++)", "toy (of package toy-venue)", "broken (of package bad-venue)"]),
        ("replay", ["journal (an engine's journal)", "toy (of package toy-venue)", "broken (of package bad-venue)"]),
    ],
)
def test_help_lists_them(with_packages: Run, verb: str, names: list[str]) -> None:
    done = with_packages(verb, "--help")
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    text = "".join(done.stdout.split())  # lines break at hyphens too
    for name in (*names, "of package bad-venue is refused: that name is built in"):
        assert name.replace(" ", "") in text


def test_an_unknown_file_is_told_what_can_be_read(lowlat: Run, with_packages: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing of ours\n")
    known = "lowlat: error: notes.txt is in no known format; name its format with --format: " + ", ".join(
        f"{name} ({reader.sentence})" for name, reader in READERS.built_in.items()
    )
    done = lowlat("replay", "notes.txt")
    assert (done.returncode, done.stdout, done.stderr) == (ExitCode.USAGE, "", f"{known}\n")
    told = with_packages("replay", "notes.txt").stderr
    assert told.startswith(f"{known}, ") and "toy (of package toy-venue)" in told
    assert "'broken' of package bad-venue cannot be loaded" in told
