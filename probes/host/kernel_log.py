"""The kernel's log."""

from __future__ import annotations

import os
from typing import Final

from lowlat.probes.host.host_tree import explain_os_error
from lowlat.probes.reading import Reading, known, not_applicable, unknown

RECORDS_MAX: Final = 2_000
"""Records that are read, oldest first: what is looked for comes early in a boot."""


def kernel_log() -> Reading[tuple[str, ...]]:
    """The messages of the running kernel, oldest first, without their priorities and times."""
    source = "read from /dev/kmsg"
    try:
        # Each read returns one record, oldest first; EAGAIN means there are no more.
        log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return not_applicable(source, "/dev/kmsg does not exist")
    except OSError as error:
        return unknown(source, explain_os_error(error, "/dev/kmsg"))
    found: list[str] = []
    try:
        for _ in range(RECORDS_MAX):
            record = os.read(log, 8192).decode("utf-8", "replace")
            found.append(record.partition(";")[2].partition("\n")[0])
    except OSError:
        pass  # the end, or records overwritten while reading: keep what was found
    finally:
        os.close(log)
    return known(tuple(found), source)
