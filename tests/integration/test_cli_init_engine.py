"""A project that `lowlat init-engine` writes is followed as its README and its workflow say: it builds without a
warning, its engine is right, and a fault or a slowdown that somebody adds is found.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lowlat.errors import ExitCode
from tests.built import ROOT, tool
from tests.documented import blocks_of
from tests.integration.conftest import LOWLAT
from tests.waiting import PATIENCE_S

Run = Callable[..., subprocess.CompletedProcess[str]]
Program = Callable[..., subprocess.CompletedProcess[str]]

WARNINGS = "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"
STRICT = {"CXXFLAGS": WARNINGS, "CFLAGS": WARNINGS, "RUSTFLAGS": "-Dwarnings"}
SMALL = {"LOWLAT_COMMANDS": "1k", "LOWLAT_RUNS": "1", "LOWLAT_WORLDS": "20"}
INSTALL = "pip install lowlat"
GATE = "--until-decided --max-runs 40"
LANGUAGES = ("c", pytest.param("c++", marks=pytest.mark.slow), pytest.param("rust", marks=pytest.mark.slow))


@pytest.fixture
def shell(environment: dict[str, str], tmp_path: Path) -> Program:
    """Run a script as a reader does, or as a CI runner does: it ends at the first command that fails. `pip` only notes
    what it is to install.
    """
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "lowlat").symlink_to(LOWLAT)
    (programs / "pip").write_text(f'#!/bin/sh\necho "pip $*" >> {tmp_path}/installed\n')
    (programs / "pip").chmod(0o755)
    path = os.pathsep.join([str(programs), str(Path(tool("cmake")).parent), environment["PATH"]])

    def run(script: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=folder,
            env=environment | SMALL | STRICT | {"PATH": path} | more,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    return run


def project_in(language: str, lowlat: Run, folder: Path, name: str = "mine") -> Path:
    if language == "rust" and shutil.which("cargo") is None:
        pytest.skip("not available here: cargo")
    done = lowlat("init-engine", name, "--language", language)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / name


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def commands_of(project: Path) -> str:
    """The commands in the README."""
    (block,) = blocks_of((project / "README.md").read_text())
    return block.body


def steps_of(workflow: Path, job: str) -> str:
    """The commands of a job of the workflow, one after another."""
    text = workflow.read_text()
    (body,) = re.findall(rf"^  {job}:\n(.*?)(?=^  \w+:|\Z)", text, re.M | re.S)
    single = r"^ +(?:- )?run: (?!\|)(.+)$"
    several = r"^( +)(?:- )?run: \|\n((?:\1  .*\n|\n)+)"
    found = [(match.start(), match[1]) for match in re.finditer(single, body, re.M)]
    found += [(match.start(), match[2]) for match in re.finditer(several, body, re.M)]
    assert len(found) == body.count("run: ")
    return "\n".join(commands for _, commands in sorted(found))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_readme_works_as_written(shell: Program, lowlat: Run, tmp_path: Path, language: str) -> None:
    project = project_in(language, lowlat, tmp_path)
    done = shell(commands_of(project), project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "100% tests passed" in done.stdout
    assert re.search(
        r"^library +version 0\.1 · .*/mine/build/libengine\.so · a callback for each event$", done.stdout, re.M
    )
    assert re.search(r"^verified +all [\d,]+ events identical to the native engine's", done.stdout, re.M)
    assert "warning" not in done.stdout + done.stderr


FAULTS = {
    "c": ("engine.c", "best->orders.after;", "best->orders.before;"),
    "c++": ("engine.cpp", "= best->second.begin();", "= std::prev(best->second.end());"),
    "rust": ("engine.rs", "=> &mut queue[0],", "=> queue.back_mut().unwrap(),"),
}
"""The youngest order of a price trades first."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_test_finds_a_fault(shell: Program, lowlat: Run, tmp_path: Path, language: str) -> None:
    project = project_in(language, lowlat, tmp_path)
    file, right, wrong = FAULTS[language]
    edit(project / file, right, wrong)
    build, test, _ = commands_of(project).splitlines()
    assert shell(build, project).returncode == 0
    done = shell(test, project)
    assert done.returncode != 0 and "0% tests passed" in done.stdout, done.stdout + done.stderr
    assert "tiny gives other events from event 4 on: maker_id 2 instead of 1" in done.stdout
    assert re.search(r"^commands +3 of its 4 show it$", done.stdout, re.M)


@pytest.mark.slow
def test_the_workflow_verifies(shell: Program, lowlat: Run, tmp_path: Path) -> None:
    project = project_in("c", lowlat, tmp_path)
    steps = steps_of(project / ".github/workflows/engine.yml", "verify")
    done = shell(steps, project, GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "100% tests passed" in done.stdout and "tiny" in (tmp_path / "summary.md").read_text()
    assert (tmp_path / "installed").read_text() == f"{INSTALL}\n"


SLOWDOWN = "    for (volatile int spin = 0; spin < 3000; ++spin) {\n    }\n"


@pytest.mark.slow
@pytest.mark.parametrize("slower", [False, True], ids=["the same", "slower"])
def test_the_workflow_fails_what_is_slower(shell: Program, lowlat: Run, tmp_path: Path, slower: bool) -> None:
    """Two runs a side cannot show a regression, and four do: the slowdown is many times the command."""
    for side in ("base", "head"):
        project_in("c", lowlat, tmp_path, side)
    if slower:
        signature = "static bool can_be_executed(struct engine* engine) {\n"
        edit(tmp_path / "head/engine.c", signature, signature + SLOWDOWN)
    steps = steps_of(tmp_path / "head/.github/workflows/engine.yml", "speed")
    assert steps.count(GATE) == 1
    summary = tmp_path / "summary.md"
    few = steps.replace(GATE, f"--runs {4 if slower else 2}")
    done = shell(few, tmp_path, GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == (ExitCode.GATE_FAILED if slower else 0), done.stdout + done.stderr
    assert ("gate failed" if slower else "gate inconclusive") in summary.read_text()


def test_the_workflow_is_pinned_as_ours() -> None:
    """One commit of each action, here and in the release."""
    ours = (ROOT / ".github/workflows/release.yml").read_text()
    used = re.findall(r"uses: (.*)", (ROOT / "engine/foreign/template/common/.github/workflows/engine.yml").read_text())
    assert len(used) > 3 and all(f"uses: {action}\n" in ours for action in used)


def test_what_it_says(lowlat: Run, tmp_path: Path) -> None:
    done = lowlat("init-engine", "my engine")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("wrote my engine: 6 files; next:\n\n  cd 'my engine'\n")
    readme = (tmp_path / "my engine/README.md").read_text()
    for line in done.stdout.splitlines()[3:]:
        assert line.strip() in readme


def test_the_header_alone_compiles(lowlat: Run, tmp_path: Path) -> None:
    done = lowlat("init-engine", "--header")
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "engine.h").write_text(done.stdout)
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", tmp_path / "engine.h"]
    for compiler in ([tool("cc"), "-std=c11", "-xc"], [tool("c++"), "-std=c++11", "-xc++"]):
        assert subprocess.run([*compiler, *strict], check=False).returncode == 0
    assert list(tmp_path.iterdir()) == [tmp_path / "engine.h"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give either a directory to write, such as my-engine, or --header"),
        (("mine", "--header"), "give either a directory to write, such as my-engine, or --header"),
        (("full",), "cannot write full: it is not empty; name a new directory"),
        (("full/a.txt",), "cannot write full/a.txt: it is not a directory; name another"),
        (("no/such",), "cannot write no/such: there is no directory {}/no; create it first"),
        (
            ("mine", "--language", "zig"),
            "--language: 'zig' is not one of 'c++', 'c', 'rust'; see 'lowlat init-engine --help'",
        ),
    ],
)
def test_what_cannot_be_written(lowlat: Run, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/a.txt").touch()
    done = lowlat("init-engine", *arguments)
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert done.stderr == f"lowlat: error: {message.format(tmp_path)}\n"
    assert [each.name for each in tmp_path.iterdir()] == ["full"]
