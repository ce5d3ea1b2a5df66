"""The pages of the verbs: purpose, examples, arguments and options, from the command objects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from typer import Context
from typer.core import TyperArgument, TyperGroup, TyperOption

from lowlat_cli.app import app, command_line
from lowlat_cli.help_page import subcommands, summary
from lowlat_cli.listings import with_names

_COMMAND: Final = re.compile(r"'(lowlat [^']*)'")
_OPTION: Final = re.compile(r"(?<![\w`-])(--[a-z][\w-]*)(?![\w`])")
_DEFAULT: Final = re.compile(r"\s*\[default: (?P<value>.*)\]$", re.DOTALL)
_REQUIRED: Final = re.compile(r"\s*\[required\]$")
_EVERYWHERE: Final = {"--debug", "--color", "--help"}


def verbs() -> list[str]:
    """All verbs, in the order of `lowlat --help`."""
    return [name for name, _ in subcommands(command_line())]


def index(folder: str = "") -> str:
    """A row for each verb; its page is in `folder`."""
    rows = [_row(f"[`lowlat {name}`]({folder}{name}.md)", verb) for name, verb in subcommands(command_line())]
    return "\n".join(["| verb | |", "|---|---|", *rows])


def plain_index() -> str:
    """The same without links, since the pages of verbs exist only in the built site."""
    return "\n".join(
        ["| verb | |", "|---|---|", *(_row(f"`lowlat {name}`", verb) for name, verb in subcommands(command_line()))]
    )


def _row(name: str, verb: Any) -> str:
    return f"| {name} | {_prose(summary(verb))} |"


def page(verb: str) -> str:
    """The help of `lowlat VERB --help`, for the verb and its subcommands."""
    command = command_line().commands[verb]
    parts = list(_told(command, f"lowlat {verb}"))
    if isinstance(command, TyperGroup):
        for name, beneath in command.commands.items():
            parts += [f"## lowlat {verb} {name}", *_told(beneath, f"lowlat {verb} {name}")]
    return "\n\n".join(parts)


def common() -> str:
    """The options of every command."""
    command = next(iter(command_line().commands.values()))
    context = Context(command, info_name="lowlat", **app.info.context_settings)
    options = [each for each in command.params if isinstance(each, TyperOption) and _EVERYWHERE & set(each.opts)]
    return _table("option", [*options, command.get_help_option(context)], context)


def _told(command: Any, path: str) -> Iterator[str]:
    context = Context(command, info_name=path)
    for paragraph in str(command.help).replace("\f", "").split("\n\n"):
        text = paragraph.replace("\b", "").strip("\n")
        yield _examples(text) if text.startswith("Examples:") else _prose(" ".join(text.split()))
    yield f"```text\n{' '.join([path, *command.collect_usage_pieces(context)])}\n```"
    arguments = [each for each in command.params if isinstance(each, TyperArgument)]
    options = [each for each in command.params if isinstance(each, TyperOption)]
    own = [each for each in options if not _EVERYWHERE & set(each.opts)]
    if arguments:
        yield _table("argument", arguments, context)
    if own:
        yield _table("option", own, context)
    yield "Every command also takes `--color`, `--debug` and `--help`: see [the command line](index.md)."


def _examples(text: str) -> str:
    """The examples as shell lines, with their purpose after a #."""
    rows = [re.split(r" {2,}", line.strip(), maxsplit=1) for line in text.splitlines()[1:]]
    width = max(len(row[0]) for row in rows)
    lines = [f"{row[0]:{width}}  # {row[1]}" if len(row) == 2 else row[0] for row in rows]
    return "```sh\n" + "\n".join(lines) + "\n```"


def _table(kind: str, parameters: list[Any], context: Context) -> str:
    rows = [f"| {kind} | | default |", "|---|---|---|"]
    for parameter in parameters:
        record = parameter.get_help_record(context)
        if record is None:  # hidden
            continue
        name, meaning = record[0], " ".join(with_names(record[1]).split())
        default = _DEFAULT.search(meaning)
        value = _prose(default["value"]) if default else "required" if _REQUIRED.search(meaning) else ""
        meaning = _REQUIRED.sub("", _DEFAULT.sub("", meaning))
        rows.append(f"| `{name}` | {_prose(meaning)} | {value} |")
    table = "\n".join(rows)
    return f'<div class="fields" markdown>\n\n{table}\n\n</div>'


def _prose(text: str) -> str:
    """Plain help text as Markdown: options and commands as code, everything else escaped."""
    escaped = re.sub(r"([*_<>|\[\]])", r"\\\1", text)
    commands = _COMMAND.sub(lambda match: f"`{_plain(match[1])}`", escaped)
    pieces = re.split(r"(`[^`]*`)", commands)
    return "".join(piece if piece.startswith("`") else _OPTION.sub(r"`\1`", piece) for piece in pieces)


def _plain(escaped: str) -> str:
    return re.sub(r"\\([*_<>|\[\]])", r"\1", escaped)
