"""Command lines that set two sides apart with `--`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowlat_cli.command import Verb

if TYPE_CHECKING:
    from typer._click import Context

SEPARATOR = "\0"
"""Stands for a `--` between sides while options are parsed. No argument of a process can hold it."""


class SidesVerb(Verb):
    """A verb whose arguments are two sides of files, options among them."""

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """Both ways to write it."""
        return [str(self.options_metavar), "BASE HEAD | BASE... -- HEAD..."]

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Keep every `--`, which the parser would swallow."""
        return super().parse_args(ctx, [SEPARATOR if word == "--" else word for word in args])


class CommandsVerb(Verb):
    """A verb whose arguments are commands, each behind a `--`: nothing in them is an option of ours."""

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """Both ways to write it."""
        return [str(self.options_metavar), "--a OPTIONS --b OPTIONS | -- COMMAND A -- COMMAND B"]

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Let the parser stop at the first `--`, and keep all of them."""
        if "--" in args:
            first = args.index("--")
            args = [*args[:first], "--", *(SEPARATOR if word == "--" else word for word in args[first:])]
        return super().parse_args(ctx, args)


def parts_of(words: list[str]) -> list[list[str]]:
    """The words between separators."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word == SEPARATOR:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts
