"""What may come next on a command line: commands, options, their values, or files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from typer.core import TyperArgument, TyperGroup, TyperOption

from lowlat_cli.help_page import arguments_of, context_of, option_groups, record_of, subcommands, summary

if TYPE_CHECKING:
    from typer._click import Context

Source: TypeAlias = Literal["nothing", "files", "folders", "commands"]
"""What the shell itself completes besides."""
_SOURCES: Final[tuple[tuple[str, Source], ...]] = (
    ("FILE", "files"),
    ("ARCHIVE", "files"),
    ("PROFILE", "files"),
    ("PIPE", "files"),
    ("DIR", "folders"),
    ("COMMAND", "commands"),
)
"""What a value is, by a word in its metavar."""
_SENTENCE_END: Final = re.compile(r"\.(?:\s|$)|\s\[default")


@dataclass(frozen=True, slots=True)
class Candidates:
    """Values with what each means, and what the shell adds."""

    values: tuple[tuple[str, str], ...]
    source: Source = "nothing"

    def __str__(self) -> str:
        """As the scripts read it: the source, then a line for each value, and its meaning after a tab."""
        return "".join(f"{line}\n" for line in [self.source, *(f"{value}\t{what}" for value, what in self.values)])


def candidates(root: Any, words: Sequence[str]) -> Candidates:
    """What may take the place of the last word, which has been begun. `words`: those after `lowlat`."""
    *typed, begun = words or [""]
    line = _Typed(_resilient(root, "lowlat", None))
    while typed:
        typed = line.read(typed)
    return line.next("" if begun == "=" else begun)  # bash gives the sign of --option=VALUE as a word


@dataclass(slots=True)
class _Typed:
    """The words before the one that is completed."""

    ctx: Context
    awaiting: TyperOption | None = None
    """The option whose value comes next."""
    only_arguments: bool = False
    """Whether a -- was read, or a command whose options are not ours."""
    arguments: int = 0
    known: bool = True
    """Whether all commands are known."""

    def read(self, words: list[str]) -> list[str]:
        """Read the first word; return the others."""
        word, *rest = words
        if self.awaiting is not None:
            self.awaiting = self.awaiting if word == "=" else None
        elif word == "--":
            self.only_arguments = True
        elif self._is_option(word):
            name, sign, _ = word.partition("=")
            option = self._option(name)
            self.awaiting = option if option is not None and not option.is_flag and not sign else None
        elif isinstance(self.ctx.command, TyperGroup):
            if self.ctx.parent is None and word == "help":
                return rest  # its arguments are the verbs
            called, command, rest = self.ctx.command.resolve_command(self.ctx, words)
            if command is None:
                self.known = False
                return []
            self.ctx = _resilient(command, str(called), self.ctx)
        else:
            self.arguments += 1
            self.only_arguments = self.only_arguments or not self.ctx.allow_interspersed_args
        return rest

    def next(self, begun: str) -> Candidates:
        """What may come next."""
        name, sign, value = begun.partition("=")
        if not self.known:
            return Candidates(())
        if self.awaiting is not None:
            return self._values(self.awaiting, begun)
        if self._is_option(begun) and sign:
            option = self._option(name)
            return Candidates(()) if option is None else self._values(option, value)
        if begun.startswith("-") and not self.only_arguments:
            return _beginning(begun, self._options())
        if isinstance(self.ctx.command, TyperGroup):
            return _beginning(begun, ((name, summary(each)) for name, each in subcommands(self.ctx.command)))
        arguments = arguments_of(self.ctx.command, self.ctx)
        if not arguments or (self.arguments >= len(arguments) and arguments[-1].nargs == 1):
            return Candidates(())
        return self._values(arguments[min(self.arguments, len(arguments) - 1)], begun)

    def _is_option(self, word: str) -> bool:
        return len(word) > 1 and word.startswith("-") and not self.only_arguments

    def _option(self, name: str) -> TyperOption | None:
        named = (each for group in option_groups(self.ctx.command, self.ctx).values() for each in group)
        return next((each for each in named if name in each.opts), None)

    def _options(self) -> Iterator[tuple[str, str]]:
        for group in option_groups(self.ctx.command, self.ctx).values():
            for option in group:
                what = _SENTENCE_END.split(record_of(option, self.ctx)[1])[0]
                yield from ((name, what) for name in option.opts)
                if "--format" in option.opts:
                    yield "--json", "Short for --format json"

    def _values(self, parameter: TyperArgument | TyperOption, begun: str) -> Candidates:
        listed = ((str(each.value), "") for each in parameter.shell_complete(self.ctx, begun))
        metavar = parameter.metavar or ""
        source: Source = next((each for word, each in _SOURCES if word in metavar), "nothing")
        if source == "commands" and self.arguments:
            source = "files"  # the arguments of a command often are
        return _beginning(begun, listed, source)


def _beginning(begun: str, values: Iterable[tuple[str, str]], source: Source = "nothing") -> Candidates:
    return Candidates(
        tuple((value, " ".join(what.split())) for value, what in values if value.startswith(begun)), source
    )


def _resilient(command: Any, name: str, above: Context | None) -> Context:
    """A context in which nothing is looked up, executed or refused."""
    ctx = context_of(command, name, above)
    ctx.resilient_parsing = True
    return ctx
