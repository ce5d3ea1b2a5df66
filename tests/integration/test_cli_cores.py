"""`lowlat cores`: every pair has figures that hold together, and what cannot be done is refused."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from lowlat.errors import ExitCode
from lowlat.probes.cpu.affinity import allowed_cpus

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.skipif(len(allowed_cpus()) < 2, reason="a transfer needs two CPUs")
def test_a_pair_has_figures(document: Callable[..., dict[str, Any]]) -> None:
    first, second = allowed_cpus()[:2]
    for _ in range(5):  # other programs may keep the two CPUs from running at once
        found = document("cores", "--cpus", f"{first},{second}")
        assert found["cpus"] == [first, second]
        (pair,) = found["pairs"]
        assert (pair["status"] == "ok") == (pair["blocks"] > 0)
        if pair["status"] == "ok":
            break
    assert 0 < pair["min_ns"] <= pair["median_ns"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--cpus", str(allowed_cpus()[0])), "a transfer needs two"),
        (("--cpus", "9999"), "9999"),
        (("--format", "csv"), "csv"),
        (("-o", "cores.hlog"), "no hlog is written here; name it *.json, *.html, *.md, *.csv"),
    ],
)
def test_what_cannot_be_done_is_refused(lowlat: Run, arguments: tuple[str, ...], said: str) -> None:
    done = lowlat("cores", *arguments)
    assert done.returncode == ExitCode.USAGE
    assert said in done.stderr
    assert done.stdout == ""
