"""`lowlat init-engine`: a project for a matching engine of one's own."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer

from lowlat import units
from lowlat.errors import UsageError
from lowlat_cli.options.shared import ColorOption, DebugOption, QuietOption
from lowlat_cli.stdio import emit, emit_written


def init_engine(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Directory to write: a new one, or an empty one.")
    ] = None,
    language: Annotated[
        Literal["c++", "c", "rust"], typer.Option("--language", help="What the engine is written in.")
    ] = "c++",
    header: Annotated[
        bool, typer.Option("--header", help="Print lowlat_engine.h, for a project that is there, and write nothing.")
    ] = False,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Write a project for a matching engine of your own: a tiny engine, its test, its benchmark, a CI workflow.

    \b
    Examples:
      lowlat init-engine my-engine                    a CMake project in C++; its README.md has the commands
      lowlat init-engine my-engine --language rust    the same in Rust, built by cargo
      lowlat init-engine --header > lowlat_engine.h   the interface alone, for an engine that you have
    """
    if (folder is None) != header:
        raise UsageError("give either a directory to write, such as my-engine, or --header")

    from lowlat.engine.foreign import project
    from lowlat.text import printable

    if folder is None:
        emit(project.header())
        return 0
    count = len(project.write_project(folder, language))
    emit_written(
        folder,
        f"wrote {printable(str(folder))}: {units.plural(count, 'file')}; next:\n\n"
        f"  cd {shlex.quote(printable(str(folder)))}\n"
        "  cmake -B build && cmake --build build\n"
        "  ctest --test-dir build --output-on-failure\n"
        "  lowlat bench --engine build/libengine.so\n",
    )
    return 0
