"""Parses and formats `HOST:PORT`, IPv6 in brackets; detects addresses of this host."""

from __future__ import annotations

import ipaddress
import re

from lowlat.errors import FormatError

PORT_MAX = 65_535

_FORM = re.compile(r"(?:\[(?P<bracketed>[^\[\]]+)\]|(?P<host>[^:\[\]\s]+)):(?P<port>[0-9]{1,5})")


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`, such as `10.0.0.2:9000` or `[::1]:9000`. Raises `FormatError`."""
    match = _FORM.fullmatch(text.strip())
    if match is None or not 1 <= int(match["port"]) <= PORT_MAX:
        raise FormatError(f"{text!r} is not HOST:PORT; write 10.0.0.2:9000, or [::1]:9000 with IPv6 in brackets")
    return match["bracketed"] or match["host"], int(match["port"])


def shown_address(host: str, port: int) -> str:
    """Host and port in the form that `parse_address` reads."""
    plain = host.removeprefix("::ffff:")
    return f"[{plain}]:{port}" if ":" in plain else f"{plain}:{port}"


def is_own(local: str, remote: str) -> bool:
    """Whether a connection between these IP addresses stays on this host, over loopback."""
    address = ipaddress.ip_address(remote.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback or local == remote
