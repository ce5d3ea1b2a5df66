"""What a library says of its engine, read in a process of its own: loading a library runs its code."""

from __future__ import annotations

import subprocess
from functools import cache

import msgspec

from lowlat.child_process import ending, own_environment, python_running
from lowlat.engine.foreign.capabilities import capabilities_of
from lowlat.engine.foreign.records import Capability
from lowlat.errors import ExitCode, RunFailedError

STALL_LIMIT_S = 10
"""How long a call into a library may take without an event. It then hangs: no command takes seconds."""


class LibraryDescription(msgspec.Struct, frozen=True, kw_only=True):
    """The engine of a library, by its own word. Texts are printable."""

    file: str
    name: str
    version: str
    calls_back: bool
    """Whether it hands its events to a callback; otherwise it fills a buffer."""
    bits: int
    """Its capabilities, as bits."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Those known here."""
        return capabilities_of(self.bits)


@cache
def describe(path: str) -> LibraryDescription:
    """Load the library in a child process and ask it. Raises `RunFailedError`."""
    try:
        done = subprocess.run(
            [*python_running("lowlat.engine.foreign.describe"), path],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=own_environment(),
            timeout=6 * STALL_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        text = f"{path} was not loaded within {error.timeout:g} s"
        raise RunFailedError(text, ExitCode.NOT_VALID) from error
    if done.returncode == 0:
        try:
            return msgspec.json.decode(done.stdout, type=LibraryDescription)
        except msgspec.DecodeError as error:
            text = f"{path} ended its process while it was loaded, with code 0"
            raise RunFailedError(text, ExitCode.NOT_VALID) from error
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    if done.returncode in (ExitCode.USAGE, ExitCode.NOT_VALID) and lines:
        raise RunFailedError(lines[-1], ExitCode(done.returncode))
    raise RunFailedError(f"the process that loaded {path} {ending(done.returncode)}", ExitCode.NOT_VALID)
