"""Where a report goes: stdout or a file, as a table, a JSON document or a page."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TextIO, TypeAlias

from lowlat_cli.console import Color, console
from lowlat_cli.options import OutputFormat
from lowlat_cli.streams import emit, say
from lowlat_errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from reports.model import Report
    from reports.sweep import Sweep

FileFormat: TypeAlias = Literal["table", "json", "html"]

_STATUS = {"invalid": "the run is not valid", "interrupted": "stopped early"}
_EXIT_CODES = {"ok": ExitCode.OK, "invalid": ExitCode.NOT_VALID, "interrupted": ExitCode.INTERRUPTED}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to, and as what. The name of a file says what it takes, whatever the format: *.json the JSON document,
    *.html the page where there is one."""

    output_format: OutputFormat
    file: Path | None
    color: Color
    verbose: bool = False
    """Whether a table is followed by what did not match."""
    plot: bool = False
    """Whether a table is followed by the picture of the report."""

    def check(self, *, page: bool = False) -> None:
        """Find out before a long run whether the file can be written; `page` when what is delivered has a page.

        Raises `reports.errors.OutputPathError` or `reports.errors.MissingExtraError`.
        """
        if self.file is None:
            return
        from reports.output import check_writable

        check_writable(self.file)
        if self._file_format(self.file, page=page) == "html":
            from reports.html import check_available

            check_available()

    def deliver(self, report: Report | Sweep) -> ExitCode:
        """Write the report, say on stderr what is wrong with it, and give the exit code that its status means."""
        from reports.document import to_text

        def page() -> str:
            from reports.html import to_html

            return to_html(report)

        self.write(lambda: to_text(report), lambda on: self._draw(report, on), page)
        if report.status != "ok":
            say(f"{_STATUS[report.status]}: {'; '.join(report.status_reasons)}")
        return _EXIT_CODES[report.status]

    def write(
        self, document: Callable[[], str], draw: Callable[[Console], None], page: Callable[[], str] | None = None
    ) -> None:
        """Write what `document` or `page` gives or `draw` prints to the file, to stdout, or both as `-o` promises."""

        def text(output_format: FileFormat, stream: TextIO, color: Color) -> str:
            if output_format == "html" and page is not None:
                return page()
            return document() if output_format == "json" else _drawn(draw, stream, color)

        file_format = None if self.file is None else self._file_format(self.file, page=page is not None)
        if self.file is not None and file_format is not None:
            from reports.output import write_atomically

            # A file gets colour only by --color always: neither a terminal nor FORCE_COLOR is about files.
            colored: Color = "always" if self.color == "always" else "never"
            write_atomically(self.file, text(file_format, io.StringIO(), colored))
        if file_format != self.output_format:
            emit(text(self.output_format, sys.stdout, self.color))
        if self.file is not None:
            say(f"wrote {self.file}")

    def _file_format(self, file: Path, *, page: bool) -> FileFormat:
        if page and file.suffix == ".html":
            return "html"
        return "json" if file.suffix == ".json" else self.output_format

    def _draw(self, report: Report | Sweep, on: Console) -> None:
        from reports.sweep import Sweep
        from reports.sweep_table import render_sweep
        from reports.table import render

        if isinstance(report, Sweep):
            render_sweep(report, on)
        else:
            render(report, on)
            if self.verbose and report.verification is not None:
                for line in report.verification.mismatches:
                    on.print(line, markup=False, highlight=False, soft_wrap=True)
        if self.plot:
            from reports.plot import render_plot

            on.print()
            render_plot(report, on)


class _Text(io.StringIO):
    """Text in memory that tells rich the encoding of the stream for which it is meant: some have no box characters."""

    def __init__(self, encoding: str | None) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str | None:  # type: ignore[override]
        """As of the stream; None, as for a file here, means UTF-8."""
        return self._encoding


def _drawn(draw: Callable[[Console], None], stream: TextIO, color: Color) -> str:
    """What `draw` prints, as it is to stand on the stream. rich does not print it: `emit` knows how that can fail."""
    from reports.uncut import uncut

    text = _Text(stream.encoding)
    on = console(stream, color, into=text)
    with uncut(on):
        draw(on)
    if on.is_terminal:
        return text.getvalue()
    # rich fills every line up to the console's width; off a terminal that is only bytes.
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())
