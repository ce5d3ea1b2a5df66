"""The entry point `lowlat`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line of this process; return its exit code, an `ExitCode`."""
    try:
        return _run()
    except KeyboardInterrupt as interrupt:  # while the signal handlers are loaded, or between two steps of ours
        print("lowlat: interrupted before any result", file=sys.stderr)  # noqa: T201
        return interrupt.args[0] if interrupt.args else 130  # ExitCode.INTERRUPTED


def _run() -> int:
    try:
        from lowlat_cli.errors import Outcome
        from lowlat_cli.session import Session
    except (ImportError, MemoryError, OSError) as error:
        return _not_loaded(f"error: {error}", 2)  # ExitCode.USAGE
    except Exception as error:  # noqa: BLE001 (the process ends with it)
        return _not_loaded(f"internal error: {type(error).__name__}: {error}", 70)  # ExitCode.INTERNAL
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


def _not_loaded(what: str, code: int) -> int:
    """Not even the modules that put errors into words can be loaded. PYTHONPATH may have others of their names."""
    print(f"lowlat: {what}; check memory, disk, limits (ulimit -a) and PYTHONPATH", file=sys.stderr)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main())
