"""`lowlat completion`: scripts that complete command lines in a shell, and what those ask for."""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated, Literal

import typer

from lowlat_cli.options.shared import ColorOption, DebugOption, QuietOption
from lowlat_cli.stdio import emit


def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Print the script that completes lowlat commands in a shell.

    It completes commands, options, their values, profiles, engines, formats, books and files. Write it where the shell
    looks for completions, and start a new shell; or try it in this one first.

    \b
    Examples:
      eval "$(lowlat completion bash)"        try it in this shell; the same in zsh
      lowlat completion fish | source
      lowlat completion bash > ~/.local/share/bash-completion/completions/lowlat
      lowlat completion zsh > "${fpath[1]}/_lowlat"
      lowlat completion fish > ~/.config/fish/completions/lowlat.fish
    """
    emit(files("lowlat_cli.completion").joinpath(f"lowlat.{shell}").read_text(encoding="utf-8"))
    return 0


def complete(
    ctx: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="WORD", help="The words after lowlat.")] = None,
) -> int:
    """What may take the place of the last word, for the scripts."""
    from lowlat_cli.completion.candidates import candidates

    emit(str(candidates(ctx.find_root().command, words or [])))
    return 0
