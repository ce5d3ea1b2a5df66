"""Where a report goes: stdout or a file, as a table or as a JSON document."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TextIO

from lowlat_cli.console import Color, console
from lowlat_cli.streams import emit, say
from lowlat_errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from reports.model import Report
    from reports.sweep import Sweep

_STATUS = {"invalid": "the run is not valid", "interrupted": "stopped early"}
_EXIT_CODES = {"ok": ExitCode.OK, "invalid": ExitCode.NOT_VALID, "interrupted": ExitCode.INTERRUPTED}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to, and as what. A file named *.json takes the JSON document, whatever the format."""

    output_format: str
    """table, json, or another that `write` is given."""
    file: Path | None
    color: Color
    verbose: bool = False
    """Whether a table is followed by what did not match."""

    def check(self) -> None:
        """Find out before a long run whether the file can be written. Raises `reports.errors.OutputPathError`."""
        if self.file is not None:
            from reports.output import check_writable

            check_writable(self.file)

    def deliver(self, report: Report | Sweep) -> ExitCode:
        """Write the report, say on stderr what is wrong with it, and give the exit code that its status means."""
        from reports.document import to_text

        self.write(lambda: to_text(report), lambda on: self.draw(report, on))
        tell_status(report)
        return _EXIT_CODES[report.status]

    def write(
        self,
        document: Callable[[], str],
        draw: Callable[[Console], None],
        others: Mapping[str, Callable[[], str]] = MappingProxyType({}),
    ) -> None:
        """Write what `document` gives or `draw` prints to the file, to stdout, or to both as `-o` promises.

        `others`: by format, what gives the text of those that are neither.
        """

        def text(output_format: str, stream: TextIO, color: Color) -> str:
            if output_format in others:
                return others[output_format]()
            return document() if output_format == "json" else _drawn(draw, stream, color)

        if self.file is not None:
            from reports.output import write_atomically

            # A file gets colour only by --color always: neither a terminal nor FORCE_COLOR is about files.
            colored: Color = "always" if self.color == "always" else "never"
            write_atomically(self.file, text(self._file_format, io.StringIO(), colored))
        if self.file is None or self._file_format != self.output_format:
            emit(text(self.output_format, sys.stdout, self.color))
        if self.file is not None:
            say(f"wrote {self.file}")

    @property
    def prints_table(self) -> bool:
        """Whether a table goes to stdout."""
        return self.output_format == "table" and (self.file is None or self._file_format == "json")

    @property
    def _file_format(self) -> str:
        return "json" if self.file is not None and self.file.suffix == ".json" else self.output_format

    def draw(self, report: Report | Sweep, on: Console) -> None:
        """Print the report as a table; verbose, followed by what did not match."""
        from reports.sweep import Sweep
        from reports.sweep_table import render_sweep
        from reports.table import render

        if isinstance(report, Sweep):
            render_sweep(report, on)
            return
        render(report, on)
        if self.verbose and report.verification is not None:
            for line in report.verification.mismatches:
                on.print(line, markup=False, highlight=False, soft_wrap=True)


def tell_status(report: Report | Sweep) -> None:
    """Say on stderr what is wrong with a report, if anything is."""
    if report.status != "ok":
        say(f"{_STATUS[report.status]}: {'; '.join(report.status_reasons)}")


def _drawn(draw: Callable[[Console], None], stream: TextIO, color: Color) -> str:
    """What `draw` prints, as it is to stand on the stream. rich does not print it: `emit` knows how that can fail."""
    from reports.uncut import uncut

    text = io.StringIO()
    on = console(stream, color, into=text)
    with uncut(on):
        draw(on)
    if on.is_terminal:
        return text.getvalue()
    # rich fills every line up to the console's width; off a terminal that is only bytes.
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())
