"""A user's project may have folders with the same names as ours. Every verb works there, in the command's own process
and in child processes, also with the current folder on the path, and never imports them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import pytest

from lowlat.engine import JournaledEngine, Side, command, commands
from lowlat.engine.shared_book.directory import MappedBookWriter
from tests.foreign.libraries import simple_book_in_c
from tests.waiting import PATIENCE_S
from tests.wheels import ROOT, wheel_of

pytestmark = pytest.mark.slow  # builds and installs a wheel

OWN = ("engine", "fleet", "probes", "reports", "lowlat")
DAY = "34200.1,1,11,50,5850100,-1\n34200.2,1,12,70,5850100,-1\n34200.3,4,11,50,5850100,-1\n"
VERBS = (
    "--version",
    "bench -n 500 --runs 2 -o a.json",
    "bench -n 500 --runs 2 -o b.json",
    "bench -n 500 --runs 1 --engine reference",
    "league native reference -p futures -n 200 --runs 1",
    "bench -n 500 --runs 1 --pipeline --dir books",
    "replay day.csv --runs 1",
    "replay day.journal --runs 1",
    "convert day.csv events.csv",
    "convert events.csv events.journal",
    "journal verify day.journal",
    "journal dump day.journal",
    "profile list",
    "profile show steady",
    "book OWN --dir books",
    "record a.txt",
    "record -- seq 9",
    "report a.json",
    "compare a.json b.json --gate p50=1000%",
    "topology",
    "doctor",
    "calibrate --duration 0.1s",
    "capture problem --duration 10ms",
    "doctor --root problem",
    "memory --limit 1MiB --duration 0.1s",
    "cores",
    "fleet calibrate --local 1 --duration 10ms -o fleet",
    "fleet report fleet",
    "ablate --only counter --quick",
    "verify --engine ./engine.so --worlds 3 -n 100",
    "affinity plan",
    "init-engine mine",
    "init-engine --header",
    "profiles",
    "help bench",
    "completion bash",
    "_complete -- bench --profile st",
)

Program = Callable[..., subprocess.CompletedProcess[str]]


def run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    return subprocess.run(words, check=False, capture_output=True, text=True, timeout=PATIENCE_S, **options)  # type: ignore[call-overload,no-any-return]


def is_editable() -> bool:
    """Whether the package under test is an editable install."""
    source = json.loads(distribution("lowlat").read_text("direct_url.json") or "{}")
    return bool(source.get("dir_info", {}).get("editable"))


@pytest.fixture(scope="session")
def not_editable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a non-editable installation: the one under test, or one from a wheel, with our dependencies."""
    ours = Path(sys.executable).with_name("lowlat")
    if not is_editable():
        return ours
    folder = tmp_path_factory.mktemp("installed")
    wheel_file = wheel_of(ROOT, folder)
    run(sys.executable, "-P", "-m", "venv", "--without-pip", folder / "venv")
    python = folder / "venv/bin/python"
    pip = (sys.executable, "-P", "-m", "pip", "--disable-pip-version-check")
    installed = run(*pip, "--python", python, "install", "-q", "--no-deps", "--no-index", wheel_file)
    assert installed.returncode == 0, installed.stderr
    # What .pth files name is on the path, and their own .pth files, such as that of the editable install, are not read.
    site = run(python, "-P", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
    (Path(site) / "dependencies.pth").write_text(str(Path(pytest.__file__).parents[1]) + "\n")
    return python.with_name("lowlat")


@pytest.fixture(params=["as tested", "not editable"])
def command_path(request: pytest.FixtureRequest) -> Path:
    """The `lowlat` command."""
    if request.param == "as tested":
        return Path(sys.executable).with_name("lowlat")
    return Path(request.getfixturevalue("not_editable"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with folders of these names, each of which ends a process that imports it, and input for all verbs."""
    for name in OWN:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit(f'the user\\'s own {__name__} was imported')\n")
    (tmp_path / "day.csv").write_text(DAY)
    (tmp_path / "a.txt").write_text("5\n6\n")
    shutil.copy(simple_book_in_c(), tmp_path / "engine.so")
    orders = commands(command(1, 1, side=Side.SELL, price=100, quantity=5))
    with JournaledEngine.create(tmp_path / "day.journal") as engine:
        engine.process(orders)
    return tmp_path


@pytest.fixture
def program(command_path: Path, project: Path, environment: dict[str, str]) -> Program:
    """Run it in the project; with `path`, with the current folder on the path."""

    def run_there(*arguments: str, path: bool) -> subprocess.CompletedProcess[str]:
        env = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
        return run(command_path, *arguments, cwd=project, env=env | ({"PYTHONPATH": "."} if path else {}))

    return run_there


@pytest.mark.parametrize("path", [False, True], ids=["", "PYTHONPATH"])
def test_every_verb_works_in_such_a_project(program: Program, project: Path, path: bool) -> None:
    with MappedBookWriter("OWN", folder=project / "books"):
        for verb in VERBS:
            done = program(*verb.split(), path=path)
            assert done.returncode == 0, (verb, done.stderr)


@pytest.mark.parametrize("path", [False, True], ids=["", "PYTHONPATH"])
def test_ab_measures_in_such_a_project(program: Program, path: bool) -> None:
    done = program("ab", "--a", "-n 500", "--b", "-n 500 --seed 1", "--runs", "2", "--gate", "p50=1000%", path=path)
    assert done.returncode == 0, done.stderr


def test_a_wheel_has_every_file_of_an_engines_project(command_path: Path, tmp_path: Path) -> None:
    """Hidden files too, and the header, which lies elsewhere in the sources."""
    done = run(command_path, "init-engine", "mine", "--language", "rust", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    sources = [ROOT / "engine/foreign/template/common", ROOT / "engine/foreign/template/rust"]
    expected = {file.relative_to(folder) for folder in sources for file in folder.rglob("*") if file.is_file()}
    found = {file.relative_to(tmp_path / "mine") for file in (tmp_path / "mine").rglob("*") if file.is_file()}
    assert found == expected | {Path("lowlat_engine.h")}


def test_the_folders_names_are_not_ours(not_editable: Path, tmp_path: Path) -> None:
    """An editable installation puts the clone itself on the path, which contains these folders."""
    done = run(not_editable.with_name("python"), "-c", "import engine", cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.endswith("ModuleNotFoundError: No module named 'engine'\n")
