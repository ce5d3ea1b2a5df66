"""Turn the exception that ends an invocation into an exit code and one line on stderr."""

from __future__ import annotations

import sys
from types import TracebackType

from lowlat.errors import ExitCode, LowlatError
from lowlat.refusals import refusal
from lowlat.text import printable_lines
from lowlat_cli.session import Session
from lowlat_cli.signals import end_at_once, exit_code_of_delivery, interrupted_exit_code, was_interrupted
from lowlat_cli.stdio import discard, has_reader, say, to_stderr


class Outcome:
    """A `with` block around an invocation. No exception escapes it; `exit_code` holds the result."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.exit_code: int = ExitCode.OK

    def __enter__(self) -> Outcome:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        end_at_once()
        self.exit_code = exit_code_of_delivery(self.exit_code) if error is None else self._explained(error)
        try:
            sys.stdout.flush()
        except OSError:
            discard(sys.stdout)
        return True

    def _explained(self, error: BaseException) -> int:
        if isinstance(error, SystemExit):
            return error.code if isinstance(error.code, int) else ExitCode.INTERNAL
        if isinstance(error, BrokenPipeError) and not has_reader():  # of stdout: it wants no more
            return self.exit_code
        if isinstance(error, KeyboardInterrupt):
            return self._interrupted(error)
        if isinstance(error, LowlatError):
            return self._failed(error, error.exit_code, f"error: {error}")
        if (refused := refusal(error)) is not None:
            return self._failed(error, ExitCode.USAGE, f"error: {refused}")
        if "lowlat_cli.app" in sys.modules:  # else the parser could not be loaded, here neither
            from lowlat_cli.parser_errors import is_of_parser, of_parser

            if is_of_parser(error):
                return self._failed(error, ExitCode.USAGE, f"error: {of_parser(error, self.session.settings_file)}")
        # Code of others, such as numpy's, may lose a KeyboardInterrupt and raise what comes of going on without it.
        return self._interrupted(error) if was_interrupted() else self._internal(error)

    def _interrupted(self, error: BaseException) -> ExitCode:
        return self._failed(error, interrupted_exit_code(), "interrupted before any result")

    def _internal(self, error: BaseException) -> ExitCode:
        what = f"{type(error).__name__}: {error}".removesuffix(": ")
        hint = "this is a bug; please report it"
        if not self.session.debug:
            hint = "run again with --debug for the traceback, and report it"
        return self._failed(error, ExitCode.INTERNAL, f"internal error: {what}; {hint}")

    def _failed(self, error: BaseException, code: ExitCode, line: str) -> ExitCode:
        if self.session.debug:
            import traceback

            to_stderr(printable_lines("".join(traceback.format_exception(error))))
        say(line)
        return code
