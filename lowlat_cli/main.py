"""The entry point `lowlat`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line of this process; return its exit code, an `ExitCode`."""
    try:
        from lowlat_cli.errors import Outcome
        from lowlat_cli.session import Session
    except Exception as error:  # noqa: BLE001 (the process ends with it)
        # Not even the modules that put errors into words can be loaded. PYTHONPATH may have others of their names.
        hint = "check memory, disk, limits (ulimit -a) and PYTHONPATH"
        print(f"lowlat: error: {error}; {hint}", file=sys.stderr)  # noqa: T201
        return 2  # ExitCode.USAGE
    session = Session()
    outcome = Outcome(session)
    with outcome:
        from lowlat.child_process import prepare_for_numpy
        from lowlat_cli.signals import handle_interruptions
        from lowlat_cli.stdio import prepare

        prepare()
        handle_interruptions()
        prepare_for_numpy()

        # Imported here, so that the signal handlers are already installed while the parser loads.
        from lowlat_cli.app import run

        outcome.exit_code = run(sys.argv[1:], session)
    return int(outcome.exit_code)


if __name__ == "__main__":
    sys.exit(main())
