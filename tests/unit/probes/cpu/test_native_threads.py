"""Why a native thread could not run, in words."""

from __future__ import annotations

import errno

import pytest

from lowlat.errors import UsageError
from lowlat.probes.cpu.native_threads import check_ran


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (errno.EINVAL, "no thread can run on CPU 3: Invalid argument; choose other CPUs with --cpus"),
        (errno.EAGAIN, "no thread can be started; raise the limit of processes and threads"),
    ],
)
def test_what_to_do_is_about_what_was_refused(error: int, message: str) -> None:
    """Where no thread is to be had, other CPUs are no help."""
    check_ran("3", 0)
    with pytest.raises(UsageError, match=message):
        check_ran("3", error)
