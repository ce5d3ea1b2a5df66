"""`python -m lowlat.engine.external.ring_echo` is an engine that does nothing, behind rings: it accepts each command
with one event, in native code. What it costs is what the rings cost.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

import msgspec

from lowlat.engine.external.echo import CREATED, READY
from lowlat.engine.external.ring_engine import attached


class RingNames(msgspec.Struct):
    """Where the rings are."""

    commands: str
    events: str
    command_bytes: int


class CreateRequest(msgspec.Struct):
    """What is needed of a `create`."""

    rings: RingNames


def serve(lines: BinaryIO, out: BinaryIO) -> None:
    """Answer each line until the input ends; after a `create`, what is in the rings until they are closed."""
    for line in lines:
        if b'"hello"' in line:
            out.write(READY)
            out.flush()
            continue
        rings = msgspec.json.decode(line, type=CreateRequest).rings
        blocks = attached(Path(rings.commands), Path(rings.events), rings.command_bytes)
        out.write(CREATED)
        out.flush()
        blocks.echo()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
