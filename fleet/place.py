"""Which cluster: that of a scheduler, one on this host, or one that is started by SSH."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lowlat.errors import FormatError, InputError, UsageError
from lowlat.inputs import read_bytes
from lowlat.limits import HOSTS_BYTES_MAX
from lowlat.text import cut

PORT_MAX: Final = 65_535
LOCAL_MAX: Final = 512
"""Workers of a cluster on this host: each is a process that has loaded Dask."""
_ADDRESS: Final = re.compile(r"(tcp|tls|ws|wss|ucx)://(\[[0-9a-zA-Z:.%]+\]|[\w.-]+):([0-9]{1,5})", re.ASCII)
_HOST: Final = re.compile(r"([\w.][\w.%-]{0,63}@)?[\w:][\w.:%-]{0,252}", re.ASCII)
"""A user, if any, and a name or an address."""
_SHOWN_MAX: Final = 300
"""Characters of what is no host name, in a message: more than a name has."""


@dataclass(frozen=True, slots=True)
class ClusterPlace:
    """Where the workers are. Exactly one is given: the address of a scheduler, a number of workers on this host, or a
    file that names hosts, one a line.
    """

    scheduler: str | None = None
    local: int | None = None
    hosts: Path | None = None
    names: tuple[str, ...] = field(init=False, default=())
    """The hosts of the file, which is read at once: before anything waits or connects."""

    def __post_init__(self) -> None:
        """Raises `UsageError` if none or several are given, `FormatError` for what is no address, and what
        `read_hosts` does.
        """
        if sum(given is not None for given in (self.scheduler, self.local, self.hosts)) != 1:
            raise UsageError("name one cluster: --scheduler ADDRESS, --local N or --hosts FILE")
        if self.scheduler is not None:
            check_address(self.scheduler)
        if self.local is not None and not 1 <= self.local <= LOCAL_MAX:
            raise UsageError(f"{self.local} workers are outside 1..{LOCAL_MAX}")
        if self.hosts is not None:
            object.__setattr__(self, "names", read_hosts(self.hosts))

    def __str__(self) -> str:
        if self.scheduler is not None:
            return self.scheduler
        return f"{self.local} on this host" if self.hosts is None else f"the hosts of {self.hosts}"


def parse_place(text: str) -> ClusterPlace:
    """A cluster in one word: an address such as `tcp://node:8786`, `local:N`, or `hosts:FILE`. Raises `UsageError`."""
    kind, _, rest = text.partition(":")
    if kind == "hosts" and rest:
        return ClusterPlace(hosts=Path(rest))
    if kind != "local":
        return ClusterPlace(scheduler=text)
    if not re.fullmatch(r"[0-9]{1,6}", rest, re.ASCII):
        raise FormatError(f"{text!r} has no number of workers; write local:N")
    return ClusterPlace(local=int(rest))


def check_address(text: str) -> None:
    """Raises `FormatError` for what is no address of a scheduler."""
    found = _ADDRESS.fullmatch(text)
    if found is None or not 1 <= int(found[3]) <= PORT_MAX:
        raise FormatError(f"{text!r} is no address of a scheduler; write one such as tcp://node:8786")


def read_hosts(path: Path) -> tuple[str, ...]:
    """The hosts that a file names, one a line; blank lines and what follows a `#` do not count.

    Raises `InputError` for a file that cannot be read, names no host, one twice, or what is no host name.
    """
    found: dict[str, None] = {}
    for number, line in enumerate(read_bytes(path, HOSTS_BYTES_MAX).decode(errors="replace").splitlines(), 1):
        name = line.partition("#")[0].strip()
        if not name:
            continue
        if not _HOST.fullmatch(name):
            raise InputError(f"{path}, line {number}: {cut(name, _SHOWN_MAX)!r} is no host name; write one host a line")
        if name in found:
            raise InputError(f"{path}, line {number}: {name} is there twice; remove one")
        found[name] = None
    if not found:
        raise InputError(f"{path} names no host; write one a line")
    return tuple(found)
