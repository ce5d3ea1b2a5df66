"""The entry point `lowlat`."""

from __future__ import annotations

import sys

from lowlat_cli.errors import Outcome
from lowlat_cli.session import Session
from lowlat_cli.signals import handle_interruptions
from lowlat_cli.stdio import prepare


def main() -> int:
    """Run the command line of this process; return its exit code, an `ExitCode`."""
    prepare()
    handle_interruptions()
    session = Session()
    outcome = Outcome(session)
    with outcome:
        # Imported here, so that the signal handlers are already installed while the parser loads.
        from lowlat_cli.app import run

        outcome.exit_code = run(sys.argv[1:], session)
    return int(outcome.exit_code)


if __name__ == "__main__":
    sys.exit(main())
