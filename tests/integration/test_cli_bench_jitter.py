"""`lowlat bench -v` shows what takes its CPU, beside its result and in its document; without -v it does not watch."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from lowlat.errors import ExitCode
from lowlat.probes.cpu.affinity import allowed_cpus
from lowlat.reports.io.json_codec import from_text
from lowlat.reports.io.validation import check

Run = Callable[..., subprocess.CompletedProcess[str]]
CPU = str(allowed_cpus()[-1])
BENCH = ("bench", "-p", "steady", "-n", "2000", "--runs", "1", "--cpu", CPU)


def test_jitter_of_the_runs_cpu_is_in_the_document_and_in_its_table(lowlat: Run, tmp_path: Path) -> None:
    done = lowlat(*BENCH, "-v", "-o", "a.json")
    assert done.returncode == ExitCode.OK, done.stderr
    report = from_text((tmp_path / "a.json").read_text())
    check(report)
    assert report.jitter is not None
    assert [str(each.cpu) for each in report.jitter.cpus] == [CPU]
    assert "watching for jitter" in done.stderr
    (cpu,) = report.jitter.cpus
    count = cpu.series.count if cpu.series else 0
    assert sum(each.gaps for each in cpu.causes) == count
    for shown in (done.stdout, lowlat("report", tmp_path / "a.json", "-v").stdout):
        assert "for 1 s after the last run, not in it" in shown
        assert f"\n{CPU} " in shown.partition("after the last run")[2]


def test_without_v_nothing_is_watched(lowlat: Run) -> None:
    done = lowlat(*BENCH, "--json")
    assert done.returncode == ExitCode.OK, done.stderr
    assert json.loads(done.stdout)["jitter"] is None
