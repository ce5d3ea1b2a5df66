"""A system clock that runs at another speed than the processor's counter makes figures that are no nanoseconds: `bench`
names it and discards them. The control is the same command without the shim.
"""

from __future__ import annotations

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
BENCH = ("bench", "-n", "300k", "--runs", "1", "--json")


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shim")
    (folder / "slowed.c").write_text(SLOWED)
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-o", folder / "slowed.so", folder / "slowed.c"], check=True, timeout=120
    )
    return folder / "slowed.so"


def test_under_a_slowed_clock_a_report_is_invalid_and_names_it(start: Start, shim: Path) -> None:
    with start(
        *BENCH, env={"LD_PRELOAD": str(shim)}
    ) as process:  # what lasts a while by this clock lasts ten times that
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
    done = lowlat(*BENCH)
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    report = from_text(done.stdout)
    assert clock_fault(report.clock) is None and not list(pass_faults(report.runs))
