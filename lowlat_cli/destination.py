"""The destination of a report: stdout or a file, as a table, a JSON document or a page."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TextIO, TypeAlias

from lowlat.errors import ExitCode, UsageError
from lowlat.text import plain_text, printable_json, printable_lines
from lowlat_cli.console import Color, console
from lowlat_cli.signals import delivering, interrupted_exit_code
from lowlat_cli.stdio import emit, emit_parts, note, say

if TYPE_CHECKING:
    from rich.console import Console

    from lowlat.reports.model.rebuild import Rebuild
    from lowlat.reports.model.replays import Replays
    from lowlat.reports.model.report import Report
    from lowlat.reports.model.sweep import Sweep
    from lowlat.reports.page.html import Pageable

SUFFIXES: Final = MappingProxyType(
    {
        ".json": "json",
        ".html": "html",
        ".md": "md",
        ".csv": "csv",
        ".xml": "junit",
        ".hgrm": "hgrm",
        ".hlog": "hlog",
        ".prom": "openmetrics",
    }
)
"""The format that a file's name asks for."""
_TABLE_SUFFIXES: Final = ("", ".txt", ".log", ".out")

Texts: TypeAlias = Mapping[str, Callable[[], str]]
"""By format, what gives the text of those that are neither table nor json."""

_NONE: Final[Texts] = MappingProxyType({})
_STATUS = {"invalid": "invalid run", "interrupted": "stopped early", "inconclusive": "inconclusive"}
_REASONS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Destination:
    """Destination and format. The file's name overrides the format for the file, as `SUFFIXES` says; a file `-` is
    stdout."""

    output_format: str
    """table, json, or another that `write` is given."""
    file: Path | None
    color: Color
    verbose: bool = False
    """Whether a table or a page shows everything, and a table is followed by what did not match."""
    plot: bool = False
    """Whether a table is followed by the chart of the report."""

    def __post_init__(self) -> None:
        if self.file == Path("-"):
            object.__setattr__(self, "file", None)

    def check(self, formats: Collection[str] = ()) -> None:
        """Check before a long run whether the file can be written; `formats`: those of `write` beside table and json.

        Raises `OutputPathError`, or `UsageError` if the file's name asks for another format, or the packages for pages
        are not installed.
        """
        if self.file is not None:
            from lowlat.files import check_writable

            self._check_suffix(self.file, formats)
            check_writable(self.file)
        if "html" in (self.output_format, self._file_format(formats)):
            from lowlat.reports.page.html import check_available

            check_available()

    def _check_suffix(self, file: Path, formats: Collection[str]) -> None:
        """Refuse a name that asks for a format that is not written: a table there would be a surprise."""
        suffix = file.suffix.lower()
        if self.output_format != "table" or suffix in _TABLE_SUFFIXES or SUFFIXES.get(suffix) in ("json", *formats):
            return
        named = [f"*{suffix}" for suffix, name in SUFFIXES.items() if name in ("json", *formats)]
        raise UsageError(
            f"-o {file}: no {SUFFIXES.get(suffix, suffix)} is written here; name it {', '.join(named)}, or *.txt for "
            "the table"
        )

    def deliver(self, report: Report | Sweep) -> ExitCode:
        """Write the report, print on stderr what is wrong with it, and return the exit code for its status."""
        from lowlat.reports.io.json_codec import to_text
        from lowlat.reports.outputs.registry import texts_of

        texts = {**texts_of(report), **self.page_of(report)}
        self.write(lambda: to_text(report), lambda on: self.draw(report, on), texts)
        tell_status(report)
        return interrupted_exit_code() if report.status == "interrupted" else exit_code_of(report)

    def write(
        self,
        document: Callable[[], str],
        draw: Callable[[Console], None],
        others: Texts = _NONE,
    ) -> None:
        """Write the result of `document` or one of `others`, or the output of `draw`, to the file, to stdout, or to
        both, as documented for `-o`.
        """

        def text(output_format: str, stream: TextIO, color: Color) -> str:
            if output_format in others:
                return others[output_format]()
            return document() if output_format == "json" else _drawn(draw, stream, color)

        file_format = self._file_format(others)
        with delivering():
            if self.file is not None:
                from lowlat.files import write_atomically

                # Files are colored only with --color always: FORCE_COLOR applies to terminals.
                colored: Color = "always" if self.color == "always" else "never"
                write_atomically(self.file, text(file_format, io.StringIO(), colored))
            if self.file is None or file_format != self.output_format:
                emit(_shown(text(self.output_format, sys.stdout, self.color), self.output_format))
            if self.file is not None:
                note(f"wrote {self.file}")

    def stream(self, parts: Callable[[str], Iterable[str]]) -> bool:
        """Like `write`, for output too long for memory: `parts` yields the text of the table or JSON piece by piece.

        Returns False if the reader of stdout has gone.
        """
        file_format, wanted = self._file_format(), True
        if self.file is not None:
            from lowlat.files import written_atomically

            with written_atomically(self.file) as stream:
                stream.writelines(part.encode() for part in parts(file_format))
        if self.file is None or file_format != self.output_format:
            wanted = emit_parts(_shown(part, self.output_format) for part in parts(self.output_format))
        if self.file is not None:
            note(f"wrote {self.file}")
        return wanted

    def page_of(self, document: Pageable) -> Texts:
        """The function that makes the page of a document, for `write`."""

        def page() -> str:
            from lowlat.reports.page.html import to_html

            return to_html(document, verbose=self.verbose)

        return {"html": page}

    def prints_table(self, others: Texts) -> bool:
        """Whether `write` with these `others` prints a table on stdout."""
        return self.output_format == "table" and (self.file is None or self._file_format(others) != "table")

    def _file_format(self, others: Collection[str] = ()) -> str:
        """That of the file's name, unless the chosen format has no suffix of its own, as in `--to bmf -o bmf.json`."""
        if self.output_format not in ("table", *SUFFIXES.values()):
            return self.output_format
        named = SUFFIXES.get(self.file.suffix.lower()) if self.file is not None else None
        return named if named is not None and named in ("json", *others) else self.output_format

    def draw(self, report: Report | Sweep, on: Console) -> None:
        """Print the report as a table; on request also the fills that differ and the chart."""
        from lowlat.reports.model.sweep import Sweep
        from lowlat.reports.terminal.report_table import render
        from lowlat.reports.terminal.sweep_table import render_sweep

        if isinstance(report, Sweep):
            render_sweep(report, on)
        else:
            render(report, on, verbose=self.verbose)
            if self.verbose and report.verification is not None:
                for line in report.verification.mismatches:
                    on.print(plain_text(line), highlight=False, soft_wrap=True)
        if self.plot:
            from lowlat.reports.terminal.plot import render_plot

            on.print()
            render_plot(report, on)


class _Text(io.StringIO):
    """In-memory text with the encoding of its target stream, for rich: some encodings lack box characters."""

    def __init__(self, encoding: str | None) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str | None:  # type: ignore[override]
        """The encoding of the stream; None, as for a file, means UTF-8."""
        return self._encoding


def _shown(text: str, output_format: str) -> str:
    """The text for stdout, with control characters in foreign names escaped. Tables are already safe."""
    if output_format == "table" or not sys.stdout.isatty():
        return text
    return printable_json(text) if output_format == "json" else printable_lines(text)


def exit_code_of(report: Report | Sweep | Rebuild | Replays) -> ExitCode:
    """What its status says to a caller that did not interrupt it."""
    if report.status == "inconclusive":
        return ExitCode.INCONCLUSIVE
    return ExitCode.NOT_VALID if report.status == "invalid" else ExitCode.OK


def tell_status(report: Report | Sweep | Rebuild | Replays) -> None:
    """Print on stderr what is wrong with a report, if anything."""
    if report.status != "ok":
        told, more = report.status_reasons[:_REASONS_SHOWN], len(report.status_reasons) - _REASONS_SHOWN
        say(f"{_STATUS[report.status]}: {'; '.join(told)}{f'; and {more:,} more' if more > 0 else ''}")


def _drawn(draw: Callable[[Console], None], stream: TextIO, color: Color) -> str:
    """The text that `draw` prints for the stream. `emit` writes it instead of rich, since it handles write errors."""
    from lowlat.reports.terminal.wide_console import uncut

    text = _Text(stream.encoding)
    on = console(stream, color, into=text)
    with uncut(on):
        draw(on)
    if on.is_terminal:
        return text.getvalue()
    # rich pads every line to the console's width, which is useless outside a terminal.
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())
