"""Writes a man page for each command, from what `--help` shows: `python tools/generate/man_pages.py docs/man`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lowlat_cli.app import command_line
from lowlat_cli.help_page import OTHERS, arguments_of, context_of, option_groups, record_of, subcommands, summary

_SPELLED = str.maketrans(
    {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq"}
)


def pages() -> dict[str, str]:
    """Every page, by the name of its file."""
    return {f"{'-'.join(path)}.1": _page(path, command, ctx) for path, command, ctx in _commands()}


def _commands() -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Each command with its path and context, those beneath it after it."""

    def beneath(path: tuple[str, ...], command: Any, above: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
        ctx = context_of(command, path[-1], above)
        yield path, command, ctx
        for name, each in subcommands(command):
            yield from beneath((*path, name), each, ctx)

    return beneath(("lowlat",), command_line(), None)


def _page(path: tuple[str, ...], command: Any, ctx: Any) -> str:
    name = "-".join(path)
    lines = [
        f'.TH {_text(name.upper())} 1 "" "lowlat {_text(version("lowlat"))}" "lowlat manual"',
        '.\\" Generated from the help of the command by tools/generate/man_pages.py.',
        ".SH NAME",
        f"{_text(name)} \\- {_text(summary(command).rstrip('.'))}",
        ".SH SYNOPSIS",
        f".B {_text(' '.join(path))}",
        _line(" ".join(command.collect_usage_pieces(ctx))),
        ".SH DESCRIPTION",
        *_prose(str(command.help)),
        *_parameters(command, ctx),
        *_beneath(path, command),
        *([".SH NOTES", *_prose(command.epilog)] if command.epilog else []),
        *_see_also(path, command),
    ]
    return "\n".join(lines) + "\n"


def _prose(text: str) -> Iterator[str]:
    """Paragraphs; the examples have a section of their own."""
    between = False
    for paragraph in text.replace("\f", "").strip("\n").split("\n\n"):
        block = paragraph.replace("\b", "").strip("\n")
        if block.startswith("Examples:"):
            yield from (".SH EXAMPLES", ".nf")
            yield from (_line(line.removeprefix("  ")) for line in block.splitlines()[1:])
            yield ".fi"
        else:
            yield from ([".PP"] if between else [])
            yield _line(" ".join(block.split()))
        between = True


def _parameters(command: Any, ctx: Any) -> Iterator[str]:
    if arguments := arguments_of(command, ctx):
        yield ".SH ARGUMENTS"
        yield from _terms(arguments, ctx)
    yield ".SH OPTIONS"
    for name, options in option_groups(command, ctx).items():
        yield from ([f".SS {_text(name)}"] if name != OTHERS else [])
        yield from _terms(options, ctx)


def _terms(parameters: list[Any], ctx: Any) -> Iterator[str]:
    for parameter in parameters:
        name, meaning = record_of(parameter, ctx)
        yield from (".TP", f".B {_text(name)}", _line(" ".join(meaning.split())))


def _beneath(path: tuple[str, ...], command: Any) -> Iterator[str]:
    if rows := list(subcommands(command)):
        yield ".SH COMMANDS"
        for name, each in rows:
            yield from (".TP", f".BR {_text('-'.join([*path, name]))} (1)", _line(summary(each)))


def _see_also(path: tuple[str, ...], command: Any) -> Iterator[str]:
    above = ["-".join(path[:length]) for length in range(1, len(path))]
    others = [each for each in re.findall(r"'lowlat (\w+)[ ']", str(command.help)) if each not in path]
    named = dict.fromkeys([*above, *(f"lowlat-{each}" for each in others if each in command_line().commands)])
    if named:
        yield ".SH SEE ALSO"
        *first, last = named
        yield from (f".BR {_text(name)} (1)," for name in first)
        yield f".BR {_text(last)} (1)"


def _line(text: str) -> str:
    """A line of text, never taken for a request."""
    safe = _text(text)
    return f"\\&{safe}" if safe.startswith((".", "'")) else safe


def _text(text: str) -> str:
    """Characters that roff would interpret, or replace by typographic ones, as they are."""
    return text.translate(_SPELLED)


def main() -> None:
    """Write the pages, and delete all others from the folder."""
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    for stale in folder.glob("*.1"):
        stale.unlink()
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
