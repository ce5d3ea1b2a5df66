"""`python -m lowlat.engine.foreign.describe FILE` loads a library and writes its `LibraryDescription` to stdout."""

from __future__ import annotations

import sys

import msgspec

from lowlat.child_process import apart_from_stdout
from lowlat.engine.foreign.description import STALL_LIMIT_S
from lowlat.engine.foreign.library import loaded, silenced


def main() -> None:
    """`lowlat.child_process.run_program` reports what fails."""
    with apart_from_stdout() as out, silenced():
        out.write(msgspec.json.encode(loaded(sys.argv[1], STALL_LIMIT_S).description))


if __name__ == "__main__":
    main()
