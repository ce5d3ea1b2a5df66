"""Model-specific registers of an x86 processor, through the device of the kernel's module `msr`."""

from __future__ import annotations

import os
import re
from typing import Final

from lowlat.probes.host.host_tree import explain_os_error
from lowlat.probes.reading import Reading, known, not_applicable, unknown

SMI_COUNT: Final = 0x34
"""MSR_SMI_COUNT: system management interrupts since reset (Intel SDM vol. 4)."""

_PATH: Final = re.compile(r"dev/cpu/([0-9]{1,5})/msr")


def register_path(cpu: int) -> str:
    """The device of a CPU's registers, without the first slash."""
    return f"dev/cpu/{cpu}/msr"


def register_cpu(path: str) -> int | None:
    """The CPU whose registers a path is the device of; None for any other path."""
    match = _PATH.fullmatch(path)
    return None if match is None else int(match[1])


def read_register(cpu: int, register: int) -> Reading[int]:
    """Read one register of 64 bits of the running host."""
    path = f"/{register_path(cpu)}"
    source = f"read from {path}, register {register:#x}"
    try:
        device = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return not_applicable(source, f"{path} does not exist: the module msr is not loaded (modprobe msr)")
    except OSError as error:
        return unknown(source, explain_os_error(error, path))
    try:
        content = os.pread(device, 8, register)
    except OSError as error:
        return unknown(source, explain_os_error(error, f"register {register:#x} of {path}"))
    finally:
        os.close(device)
    return known(int.from_bytes(content, "little"), source)
