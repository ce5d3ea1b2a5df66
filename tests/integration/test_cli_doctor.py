"""`lowlat doctor`: one screen, one valid document, exit codes, a script that is not run, errors that say what to do."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lowlat.probes.doctor.registry import all_checks
from tests.hostile import assert_harmless
from tests.unit.probes.doctor.hosts import CONTAINER, GUEST, TUNED, UNTUNED, tree_of

Run = Callable[..., subprocess.CompletedProcess[str]]
Document = Callable[..., dict[str, Any]]
Terminal = Callable[..., str]


@pytest.fixture
def host(tmp_path: Path) -> Callable[[Any], Path]:
    def written(files: Any) -> Path:
        tree_of(tmp_path / "host", files)
        return tmp_path / "host"

    return written


def test_the_running_host(document: Document) -> None:
    """Every check ends in a status; a check that asks the kernel has asked it."""
    found = document("doctor", "--json")
    assert (found["schema"], found["live"]) == ("lowlat.doctor/1", True)
    told = [finding["id"] for finding in found["findings"]]
    told += [name for finding in found["findings"] for name in finding["stands_for"]]
    assert sorted(told) == sorted(check.id for checks in all_checks().values() for check in checks)
    assert sum(each["checks"] for each in found["counts"]) == len(found["findings"])
    assert found["window_s"] >= 1
    reasons = [finding["reason"] for finding in found["findings"]]
    assert "not available in a capture; run it on the host" not in reasons


def test_checks_that_compare_no_counters_do_not_wait_for_any(document: Document) -> None:
    assert document("doctor", "--only", "transparent-huge-pages", "--json")["window_s"] is None
    found = document("doctor", "--only", "steal", "--json")
    assert found["window_s"] >= 1 and found["findings"][0]["measured"]


@pytest.mark.parametrize("files", [TUNED, UNTUNED, GUEST, CONTAINER], ids=["tuned", "untuned", "guest", "container"])
def test_a_captured_host(document: Document, host: Callable[[Any], Path], files: Any) -> None:
    found = document("doctor", "--root", host(files), "--json")
    assert (found["live"], found["window_s"]) == (False, None)
    assert len(found["findings"]) > 60


def test_the_first_line_names_hypervisor_or_container(lowlat: Run, host: Callable[[Any], Path]) -> None:
    done = lowlat("doctor", "--root", host(GUEST))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("KVM guest · kernel 6.1.0-18-amd64 · a capture\n")
    done = lowlat("doctor", "--root", host(CONTAINER))
    assert done.stdout.startswith("KVM guest, Docker container · kernel 6.1.0")


def test_the_worst_comes_first_and_the_screen_has_24_lines_of_80_columns(
    on_terminal: Terminal, host: Callable[[Any], Path]
) -> None:
    output = on_terminal(80, "doctor", "--root", host(UNTUNED), "--cpus", "2-3", "--color", "never")
    lines = output.rstrip("\n").split("\n")
    assert len(lines) <= 23 and max(map(len, lines)) <= 80, output
    labels = [line.split()[0] for line in lines if line.startswith(("fail", "warn"))]
    assert len(labels) == 16 and labels == sorted(labels)
    assert re.match(r"[0-9]+ fail · [0-9]+ warn · [0-9]+ info · [0-9]+ unknown · [0-9]+ n/a · [0-9]+ pass", lines[1])
    assert re.match(r"[0-9]+ more; -v: all, with path, cost and fix", lines[-1])


def test_verbose_shows_all_checks_in_groups_with_paths(lowlat: Run, host: Callable[[Any], Path]) -> None:
    output = lowlat("doctor", "--root", host(UNTUNED), "-v").stdout
    for group, checks in all_checks().items():
        assert f"\n{group}\n" in output
        assert all(re.search(rf"\b{check.id}\b", output) for check in checks)
    for line in (
        "fail  frequency-governor: powersave",
        "path  read from /sys/devices/system/cpu/cpuN/cpufreq/scaling_governor",
        "good  performance on every CPU",
        "cost  the frequency rises only after tens to hundreds of microseconds of work",
        "fix  cpupower frequency-set -g performance",
        "owner  nobody: there is no hypervisor",
        "because  not available in a capture; run it on the host",
    ):
        assert re.search(rf"^ *{re.escape(line)}$", output, re.MULTILINE), line


def test_hostile_files_do_not_reach_the_terminal(on_terminal: Terminal, host: Callable[[Any], Path]) -> None:
    root = host(
        {**UNTUNED, "proc/sys/kernel/osrelease": "6.1\x1b[2J\u202e", "proc/version": "\x1b]0;x\x07PREEMPT_DYNAMIC"}
    )
    assert_harmless(on_terminal(100, "doctor", "--root", root, "-v", "--color", "never"))


def test_only_some_checks_or_groups(document: Document, host: Callable[[Any], Path]) -> None:
    root = host(TUNED)
    found = document("doctor", "--root", root, "--json", "--only", "clock-source, swap,network")
    groups = {finding["group"] for finding in found["findings"]}
    assert groups == {"memory", "clock", "network"}
    assert [finding["id"] for finding in found["findings"]][:3] == ["swap", "clock-source", "interrupt-coalescing"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("clock-sorce", "did you mean 'clock-source'"),
        ("huge", "did you mean 'huge-pages' or 'transparent-huge-pages'?"),
        ("zzzzz", "'lowlat doctor -v' lists all checks"),
        ("", "'lowlat doctor -v' lists all checks"),
    ],
)
def test_an_unknown_name_has_suggestions(lowlat: Run, name: str, hint: str) -> None:
    done = lowlat("doctor", "--only", name)
    assert done.returncode == 2 and hint in done.stderr and done.stdout == ""


def test_one_finding_answers_for_a_check_that_needs_isolated_cpus(
    document: Document, host: Callable[[Any], Path]
) -> None:
    found = document("doctor", "--root", host(UNTUNED), "--json", "--only", "nohz-full,irq-affinity")
    assert [(each["id"], each["status"], each["stands_for"]) for each in found["findings"]] == [
        ("isolated-cpus", "info", ["nohz-full", "irq-affinity"])
    ]


def test_cpus_are_checked(lowlat: Run, document: Document, host: Callable[[Any], Path]) -> None:
    root = host(UNTUNED)
    assert document("doctor", "--root", root, "--cpus", "2-3", "--json")["isolated"] == [2, 3]
    done = lowlat("doctor", "--root", root, "--cpus", "9")
    assert done.returncode == 2 and "CPU 9 does not exist on this host; it has CPUs 0-3" in done.stderr
    assert lowlat("doctor", "--root", root, "--cpus", "3-2").returncode == 2


def test_profiles_differ_on_turbo(document: Document, host: Callable[[Any], Path]) -> None:
    root = host(TUNED)
    statuses = {}
    for profile in ("latency", "repeatable-benchmark"):
        found = document("doctor", "--root", root, "--profile", profile, "--json")
        statuses[profile] = {each["id"]: each["status"] for each in found["findings"]}
    differing = {
        name for name, status in statuses["latency"].items() if statuses["repeatable-benchmark"][name] != status
    }
    assert differing == {"turbo"}


@pytest.mark.parametrize(
    ("files", "only", "fail_on", "code"),
    [
        (UNTUNED, "transparent-huge-pages", None, 0),
        (UNTUNED, "transparent-huge-pages", "fail", 1),
        (UNTUNED, "transparent-huge-pages", "warn", 1),
        (UNTUNED, "vmstat-interval", "fail", 0),
        (UNTUNED, "vmstat-interval", "warn", 1),
        (TUNED, "memory", "warn", 0),
        (GUEST, "processor,scheduler", "fail", 0),
    ],
)
def test_exit_code_1_is_only_for_fail_on(
    lowlat: Run, host: Callable[[Any], Path], files: Any, only: str, fail_on: str | None, code: int
) -> None:
    options = ("--fail-on", fail_on) if fail_on else ()
    done = lowlat("doctor", "--root", host(files), "--only", only, *options)
    assert (done.returncode, done.stderr) == (code, "")


def test_the_script_is_written_whole_and_not_run(lowlat: Run, tmp_path: Path) -> None:
    before = Path("/sys/kernel/mm/transparent_hugepage/khugepaged/defrag")
    text = before.read_text() if before.exists() else None
    script = tmp_path / "tune.sh"
    done = lowlat("doctor", "--only", "memory", "--fix-script", script)
    assert done.returncode == 0
    assert re.search(r"wrote .*tune\.sh: [0-9]+ changes?; review it, then run it as root: sh ", done.stderr)
    assert script.read_text().startswith("#!/bin/sh\n# Changes proposed by 'lowlat doctor'")
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0
    assert (before.read_text() if before.exists() else None) == text
    assert os.listdir(tmp_path) == ["tune.sh"]  # noqa: PTH208


def test_a_script_is_of_the_running_host_only(lowlat: Run, host: Callable[[Any], Path], tmp_path: Path) -> None:
    done = lowlat("doctor", "--root", host(UNTUNED), "--fix-script", tmp_path / "tune.sh")
    assert done.returncode == 2 and "--fix-script is for the running host" in done.stderr
    assert not (tmp_path / "tune.sh").exists()


def test_a_script_that_cannot_be_written_is_told_before_the_second_passes(lowlat: Run, tmp_path: Path) -> None:
    done = lowlat("doctor", "--fix-script", tmp_path / "no" / "tune.sh")
    assert done.returncode == 2 and "there is no directory" in done.stderr and done.stdout == ""


def test_a_project_cannot_say_where_the_script_goes(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "lowlat.toml").write_text('[doctor]\nfix-script = "x.sh"\n')
    done = lowlat("doctor", "--only", "swap")
    assert done.returncode == 2 and "give --fix-script or set LOWLAT_FIX_SCRIPT" in done.stderr


def test_the_document_goes_to_a_file_and_the_table_to_stdout(
    lowlat: Run, host: Callable[[Any], Path], tmp_path: Path
) -> None:
    done = lowlat("doctor", "--root", host(GUEST), "-o", tmp_path / "found.json")
    assert done.returncode == 0 and done.stdout.startswith("KVM guest")
    assert json.loads((tmp_path / "found.json").read_text())["schema"] == "lowlat.doctor/1"
