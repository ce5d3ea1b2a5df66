"""Hosts that are reached by SSH: OpenSSH servers on loopback addresses of this machine, without rights of anybody."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.fleets import can_name_hosts
from tests.waiting import wait_until

SSHD: Final = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
AS_IT_IS: Final = "cat"
"""A filter that leaves the command that a host is asked to run as it is."""
_NAMED: Final = 'hostname "$0" && eval "$(printf %s "$SSH_ORIGINAL_COMMAND" | $1)"'


@dataclass(frozen=True)
class SshHosts:
    """A folder to be HOME, whose settings of SSH lead to the hosts; their servers, by address."""

    home: Path
    servers: Mapping[str, subprocess.Popen[bytes]]

    def file(self, *others: str) -> Path:
        """A file that names the hosts, and others."""
        found = self.home / "hosts"
        found.write_text("".join(f"{host}\n" for host in (*self.servers, *others)))
        return found


@contextlib.contextmanager
def ssh_hosts(home: Path, hosts: Mapping[str, str], settings: Mapping[str, str] | None = None) -> Iterator[SshHosts]:
    """A server for each address, for a `with` block, on one port. `hosts`: the filter that a command goes through, by
    address; `settings`: more lines of a server's settings, by address.
    """
    assert SSHD is not None
    (home / ".ssh").mkdir(mode=0o700)
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    _make_key(home / ".ssh/id_ed25519")
    _make_key(home / "host_key")
    shutil.copy(home / ".ssh/id_ed25519.pub", home / "authorized_keys")
    (home / ".ssh/config").write_text(f"Host 127.0.0.*\n  Port {port}\n")
    key = (home / "host_key.pub").read_text()
    (home / ".ssh/known_hosts").write_text(f"[127.0.0.*]:{port} {key}")
    servers: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for address, through in hosts.items():
            servers[address] = _started(home, address, port, through, (settings or {}).get(address, ""))
        for address in hosts:
            wait_until(lambda address=address: _answers(address, port), f"{address} answers")  # type: ignore[misc]
        yield SshHosts(home, servers)
    finally:
        for server in servers.values():
            server.terminate()
            server.wait()


def _make_key(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def _started(home: Path, address: str, port: int, through: str, more: str) -> subprocess.Popen[bytes]:
    command = home / f"{address}.sh"
    apart = "unshare --uts " if can_name_hosts() else ""
    naming = _NAMED if apart else _NAMED.partition(" && ")[2]
    command.write_text(f"#!/bin/sh\nexec {apart}sh -c '{naming}' {address} '{through}'\n")
    command.chmod(0o700)
    settings = home / f"{address}.conf"
    settings.write_text(
        f"ListenAddress {address}:{port}\nHostKey {home}/host_key\nAuthorizedKeysFile {home}/authorized_keys\n"
        f"StrictModes no\nUsePAM no\nPidFile none\nForceCommand {command}\n{more}\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with (home / f"{address}.log").open("wb") as log:
        return subprocess.Popen([str(SSHD), "-D", "-e", "-f", str(settings)], stdin=subprocess.DEVNULL, stderr=log)


def _answers(address: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, port)):
        return True
    return False
