"""A system clock that runs at another speed than the processor's counter makes figures that are no nanoseconds: `bench`
names it and discards them. One that steps once is noticed by `calibrate`, which measures again. The control is the same
command without the shim.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lowlat.errors import ExitCode, NotValidError
from lowlat.reports.io.json_codec import from_text
from lowlat.reports.io.validation import check
from lowlat.reports.model.clock_faults import clock_fault, pass_faults

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]

SLOWED = r"""
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Elapsed time passes ten times as slowly; CPU time is as it is. */
int clock_gettime(clockid_t id, struct timespec *now) {
    int failed = (int)syscall(SYS_clock_gettime, id, now);
    if (failed || (id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_RAW)) return failed;
    long long ns = (now->tv_sec * 1000000000LL + now->tv_nsec) / 10;
    now->tv_sec = ns / 1000000000LL;
    now->tv_nsec = ns % 1000000000LL;
    return 0;
}
"""
BENCH = ("bench", "--runs", "1", "--json", "-n")


STEPPED = r"""
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* CLOCK_MONOTONIC_RAW steps by 20 us at a read that is in the first window of a calibration, and in no other loop. */
int clock_gettime(clockid_t id, struct timespec *now) {
    static long long reads;
    int failed = (int)syscall(SYS_clock_gettime, id, now);
    if (failed || id != CLOCK_MONOTONIC_RAW) return failed;
    long long ns = now->tv_sec * 1000000000LL + now->tv_nsec;
    if (++reads > 20000) ns += 20000;
    now->tv_sec = ns / 1000000000LL;
    now->tv_nsec = ns % 1000000000LL;
    return 0;
}
"""


def built(folder: Path, name: str, source: str) -> Path:
    (folder / f"{name}.c").write_text(source)
    library = folder / f"{name}.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, folder / f"{name}.c"], check=True, timeout=120)
    return library


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("shim"), "slowed", SLOWED)


@pytest.mark.slow
def test_under_a_slowed_clock_a_report_is_invalid_and_names_it(start: Start, shim: Path) -> None:
    """Its passes take so much CPU time that on a busy machine, too, a tenth of the elapsed time is less."""
    with start(*BENCH, "2M", env={"LD_PRELOAD": str(shim)}) as process:
        # What lasts a while by this clock lasts ten times that.
        out, err = process.communicate(timeout=600)
    assert process.returncode == ExitCode.NOT_VALID
    assert err.startswith("lowlat: invalid run: the clock is wrong: "), err
    report = from_text(out)
    assert report.status == "invalid"
    check(report)
    faults = [clock_fault(report.clock), *pass_faults(report.runs)]
    assert any(faults)
    edited = out.replace('"status": "invalid"', '"status": "ok"')
    start = edited.index('"status_reasons": [')
    edited = edited[:start] + '"status_reasons": []' + edited[edited.index("]", start) + 1 :]
    with pytest.raises(NotValidError, match="status is ok, but the clock is wrong"):
        check(from_text(edited))


def test_without_it_the_clocks_agree(lowlat: Run) -> None:
    done = lowlat(*BENCH, "300k")
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    report = from_text(done.stdout)
    assert clock_fault(report.clock) is None and not list(pass_faults(report.runs))


def test_a_clock_that_steps_once_is_measured_again(lowlat: Run, tmp_path: Path) -> None:
    """A step of 20 us in 500 ms is up to 60 ppm. On a busy machine other threads can have the CPU for the part of the
    window that holds the step, which then is not in the line's points: so it is given several times.
    """
    stepped = built(tmp_path, "stepped", STEPPED)
    for _ in range(20):
        done = lowlat("calibrate", "--duration", "500ms", "--json", env={"LD_PRELOAD": str(stepped)})
        assert done.returncode == ExitCode.OK
        found = json.loads(done.stdout)
        if found["steps_ns"]:
            break
    assert found["steps_ns"][0] == pytest.approx(20_000, rel=0.1)
    assert any(
        re.search(r"stepped while the counter was measured \(\+[12]\d{4} ns", text) for text in found["warnings"]
    )
    # The shim makes a system call of each read, and no vDSO may be called one that does not.
    assert found["costs"]["vdso_falls_back"]
    control = json.loads(lowlat("calibrate", "--duration", "500ms", "--json").stdout)
    assert found["frequency_hz"] == pytest.approx(control["frequency_hz"], rel=20e-6)
    assert not any(re.search(r"measured \(\+[12]\d{4} ns", text) for text in control["warnings"])
    if control["kernel_clocksource"]["value"] in ("tsc", "arch_sys_counter"):
        assert not control["costs"]["vdso_falls_back"]
