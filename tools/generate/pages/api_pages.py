"""The pages of the Python interface: classes and functions by mkdocstrings, records and enumerations as tables."""

from __future__ import annotations

import importlib
import inspect
from enum import Enum

import api_names
import numpy as np
import record_tables


def page(module: str, *names: str) -> str:
    """A section for each name of a module; `*` means all its public names."""
    return "\n\n".join(_section(module, name) for name in api_names.listed(module, *names))


def introduction(module: str) -> str:
    """The docstring of a module without its first line, which is the page's title."""
    return inspect.cleandoc(importlib.import_module(module).__doc__ or "").partition("\n\n")[2]


def _section(module: str, name: str) -> str:
    thing, home = getattr(importlib.import_module(module), name), api_names.home(module, name)
    if isinstance(thing, np.dtype):
        return record_tables.record(home, thing)
    if isinstance(thing, type) and issubclass(thing, Enum):
        return record_tables.enumeration(home, thing)
    return f"::: {home}"
