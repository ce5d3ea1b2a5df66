"""Messages for parser errors: where the value came from, what is wrong with it, and where to find help."""

from __future__ import annotations

from typing import Any, TypeGuard

import typer

from lowlat_cli.help_page import key_of


def is_of_parser(error: BaseException) -> TypeGuard[typer.TyperException]:
    """Whether the command-line parser raised it."""
    return isinstance(error, typer.TyperException)


def of_parser(error: typer.TyperException, settings_file: str | None) -> str:
    """The one-line message for a command line that cannot be parsed."""
    # Usage errors carry their context, but typer exports only their base class, which does not.
    ctx: Any = getattr(error, "ctx", None)
    if isinstance(error, typer.BadParameter) and error.param is not None and error.message:
        # typer validates values with pydantic, which prefixes the message with the class of the exception.
        what = error.message.removeprefix("Value error, ").rstrip(".")
        line = f"{_source(error, settings_file)}: {what}"
    else:
        sentence = " ".join(error.format_message().split()).rstrip(".")
        line = sentence[:1].lower() + sentence[1:]
    if not ctx:
        return line
    return f"{line}{' See' if line.endswith('?') else '; see'} '{ctx.command_path} --help'"


def _source(error: typer.BadParameter, settings_file: str | None) -> str:
    """How the value was given: as a flag, an environment variable, or a key of the settings file."""
    parameter: Any = error.param
    source = error.ctx.get_parameter_source(parameter.name) if error.ctx else None
    if source is not None and source.name == "ENVIRONMENT":
        return str(parameter.envvar)
    if source is not None and source.name == "DEFAULT_MAP":
        return f"{settings_file}: {key_of(parameter)}"
    return str(max(parameter.opts, key=len) if parameter.param_type_name == "option" else parameter.display_name_raw)
