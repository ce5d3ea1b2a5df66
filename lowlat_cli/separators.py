"""Command lines with two sides separated by `--`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowlat_cli.command import Verb

if TYPE_CHECKING:
    from typer._click import Context

SEPARATOR = "\0"
"""Stands for a `--` between sides while options are parsed. No argument of a process can hold it."""


class SidesVerb(Verb):
    """A verb whose arguments are two sets of files, possibly mixed with options."""

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """Both ways to write it."""
        return [str(self.options_metavar), "BASE HEAD | BASE... -- HEAD..."]

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Keep every `--`, which the parser would remove."""
        return super().parse_args(ctx, [SEPARATOR if word == "--" else word for word in args])


class CommandsVerb(Verb):
    """A verb whose arguments are commands, each after a `--`; words in them are never options of lowlat."""

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """Both ways to write it."""
        return [str(self.options_metavar), "--a OPTIONS --b OPTIONS | -- COMMAND A -- COMMAND B"]

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Let the parser stop at the first `--`, and keep all of them."""
        if "--" in args:
            first = args.index("--")
            args = [*args[:first], "--", *(SEPARATOR if word == "--" else word for word in args[first:])]
        return super().parse_args(ctx, args)


class RecordVerb(CommandsVerb):
    """A verb whose arguments are files, or one command after a `--`."""

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """The ways to write it."""
        return [str(self.options_metavar), "FILE... | - | --from PIPE | -- COMMAND"]


def parts_of(words: list[str]) -> list[list[str]]:
    """The words between the separators."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word == SEPARATOR:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts
