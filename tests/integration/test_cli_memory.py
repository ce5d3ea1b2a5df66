"""`lowlat memory`: the figures hold together, and what cannot be done is refused."""

from __future__ import annotations

import csv
import resource
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lowlat.errors import ExitCode
from lowlat.probes.cpu.affinity import allowed_cpus
from tests.waiting import PATIENCE_S

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]
Document = Callable[..., dict[str, Any]]
Terminal = Callable[..., str]

MIB = 1 << 20
QUICK = ("--limit", "1MiB", "--duration", "100ms")
CPU = allowed_cpus()[-1]


def test_figures_hold_together(document: Document) -> None:
    found = document("memory", "--limit", "16MiB", "--duration", "500ms", "--cpus", str(CPU))
    assert (found["status"], found["limit_bytes"], found["limit_reason"]) == ("ok", 16 * MIB, "as asked for")
    assert found["cpus"] == [CPU]
    ladders = {ladder["pages"]: ladder for ladder in found["ladders"]}
    base = ladders["base"]
    assert (base["status"], base["cpu"]) == ("ok", CPU)
    assert base["points"][-1]["size_bytes"] == 16 * MIB
    assert all(0 < point["min_ns"] <= point["median_ns"] for point in base["points"])
    huge = ladders["huge"]
    assert (huge["reason"] is None) == bool(huge["points"]) == (huge["page_bytes"] is not None)
    (rates,) = found["bandwidth"]
    assert rates["cpus"] == [CPU]
    assert rates["bytes_of_thread"] <= 16 * MIB
    assert min(rates[f"{work}_bytes_per_s"] for work in ("read", "write", "copy")) > 0
    effects = {each["size_bytes"]: each for each in found["page_effects"]}
    if huge["points"]:
        assert effects[16 * MIB]["ratio"] == pytest.approx(effects[16 * MIB]["base_ns"] / effects[16 * MIB]["huge_ns"])
    assert [cache["name"] for cache in found["caches"]] == [
        level["name"] for level in found["levels"] if level["reported_bytes"] is not None
    ]


def test_sizes_are_rows_of_a_spreadsheet(lowlat: Run, tmp_path: Path) -> None:
    done = lowlat("memory", *QUICK, "-o", str(tmp_path / "ladder.csv"))
    assert done.returncode == 0
    assert done.stdout.startswith("platform ")
    rows = list(csv.DictReader((tmp_path / "ladder.csv").read_text().splitlines()))
    assert {row["pages"] for row in rows} <= {"huge", "base"}
    assert [int(row["size_bytes"]) for row in rows if row["pages"] == "base"][-1] == MIB
    assert lowlat("memory", *QUICK, "--format", "json", "-o", "-").returncode == 0


def test_verbose_shows_every_size(lowlat: Run) -> None:
    shown = lowlat("memory", *QUICK, "-v")
    assert shown.returncode == 0
    assert "640 KiB  base" in shown.stdout
    assert "base pages" in shown.stderr


@pytest.mark.parametrize("columns", [80, 100])
def test_the_screen_fits(on_terminal: Terminal, columns: int) -> None:
    lines = on_terminal(columns, "memory", *QUICK).splitlines()
    assert max(map(len, lines)) <= columns
    assert any(line.startswith("level") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--limit", "4"), "--limit 4 B is too small; the smallest is 1 MiB"),
        (("--limit", "1000T"), "half of the memory that is available"),
        (("--limit", "much"), "'much' is not a size of memory; write 64MiB or 4GiB"),
        (("--limit", "-1"), "not a size of memory"),
        (("--limit", "9" * 99), "not a size of memory"),
        (("--cpus", "9999"), "9999"),
        (("--duration", "1ms"), "outside 0.1s..600s"),
        (("-o", "m.hlog"), "no hlog is written here; name it *.json, *.md, *.csv"),
    ],
)
def test_what_cannot_be_done_is_refused(lowlat: Run, arguments: tuple[str, ...], said: str) -> None:
    done = lowlat("memory", *arguments)
    assert done.returncode == ExitCode.USAGE
    assert said in done.stderr
    assert done.stdout == ""


def test_a_limit_of_the_process_is_an_error_in_words(patched: Run) -> None:
    """Address space for the interpreter, and not for the memory: the kernel refuses the mapping."""
    if resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        pytest.skip("the address space is limited here already")
    code = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (3 << 29, resource.RLIM_INFINITY))"
    done = patched(code, "memory", "--limit", "2GiB")
    if "is more than" in done.stderr:
        pytest.skip("less than 4 GiB of memory are available here")
    assert done.returncode == ExitCode.USAGE
    assert "the kernel refuses 2.00 GiB of memory: Cannot allocate memory; try a smaller --limit" in done.stderr


TELLS = """
import time
import lowlat.probes._core as core
def measure_bandwidth(*arguments):
    print("moving", file=sys.stderr, flush=True)
    time.sleep(3600)
core.measure_bandwidth = measure_bandwidth
"""


def test_ctrl_c_shows_the_part_that_was_measured(start: Start) -> None:
    """When the ladders are there, and bandwidth is not."""
    with start("memory", *QUICK, "--cpus", str(CPU), "--json", code=TELLS) as process:
        assert process.stderr is not None
        assert "moving" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.INTERRUPTED
    assert '"status": "interrupted"' in out
    assert '"bandwidth": []' in out
