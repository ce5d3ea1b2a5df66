"""The network interface of an address, and whether it can timestamp packets in hardware."""

from __future__ import annotations

import ctypes
import os
import socket
import struct

from lowlat.probes.network.ethtool import REQUEST, SIOCETHTOOL
from lowlat.probes.reading import Reading, known, unknown

_GET_TS_INFO = 0x41
_INFO = struct.Struct("@IIiI3II3I")  # ethtool_ts_info: command, SOF_TIMESTAMPING flags, clock, types for each direction
_IN_HARDWARE = 1 << 0 | 1 << 2 | 1 << 6  # sends, receives, raw


def interface_of(address: str) -> str | None:
    """Name of the interface that has this IP address; None if there is none."""
    import psutil

    plain = address.partition("%")[0].removeprefix("::ffff:")
    for name, addresses in psutil.net_if_addrs().items():
        if any(each.address.partition("%")[0] == plain for each in addresses):
            return str(name)
    return None


def stamps_in_hardware(interface: str) -> Reading[bool]:
    """Ask the driver whether the card can timestamp packets both ways (ETHTOOL_GET_TS_INFO); needs no privilege."""
    import fcntl

    source = f"ETHTOOL_GET_TS_INFO of {interface}"
    info = ctypes.create_string_buffer(_INFO.pack(_GET_TS_INFO, *[0] * 10), _INFO.size)
    request = REQUEST.pack(interface.encode(), ctypes.addressof(info))
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, SIOCETHTOOL, request)
    except OSError as error:
        return unknown(source, os.strerror(error.errno or 0))
    return known(_INFO.unpack(info.raw)[1] & _IN_HARDWARE == _IN_HARDWARE, source)


def why_no_hardware_stamps(address: str) -> str:
    """Why packets of the interface with this address have no hardware timestamps, and what would help."""
    name = interface_of(address)
    if name is None:
        return f"no interface has address {address}"
    can = stamps_in_hardware(name)
    if can.value is None:
        return f"{name} does not report whether it timestamps packets in hardware ({can.reason})"
    if not can.value:
        return f"{name} does not timestamp packets in hardware"
    return (
        f"{name} can timestamp packets in hardware, but this is off; as root, 'hwstamp_ctl -i {name} -t 1 -r "
        "1' turns it on"
    )
