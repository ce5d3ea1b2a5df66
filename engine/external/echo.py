"""`python -m lowlat.engine.external.echo` is an engine that does nothing: it accepts each command with one event. What
it costs is what the line protocol costs, with a process in Python at its other end.
"""

from __future__ import annotations

import sys
from typing import BinaryIO, Final

from lowlat.engine.external.messages import PROTOCOL, PROTOCOL_VERSION

READY: Final = (
    f'{{"type":"ready","protocol":"{PROTOCOL}","protocol_version":{PROTOCOL_VERSION},'
    '"engine":{"name":"echo","version":"1","language":"Python"}}\n'
).encode()
CREATED: Final = b'{"type":"created"}\n'
_COMMAND: Final = b'{"type":"command","index":'


def serve(lines: BinaryIO, out: BinaryIO) -> None:
    """Answer each line until the input ends; no more of a command is read than its index."""
    for line in lines:
        if line.startswith(_COMMAND):
            index = line[len(_COMMAND) : line.index(b",", len(_COMMAND))]
            out.write(b'{"type":"events","index":%b,"events":[{"kind":1}]}\n' % index)
        else:
            out.write(READY if b'"hello"' in line else CREATED)
        out.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
