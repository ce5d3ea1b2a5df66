"""Converts an engine's configuration to plain data, to words, and to the form that the native engine takes.

The fields are those of `EngineConfig` and `Instrument`, in their order; they are listed nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from enum import IntEnum
from operator import attrgetter
from typing import Any, Final, get_type_hints

import msgspec
import numpy as np
from numpy.typing import NDArray

from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument, instruments

POOL_FIELDS: Final = tuple(field.name for field in fields(EngineConfig) if field.name != "instruments")
SYMBOL_FIELDS: Final = tuple(field.name for field in fields(Instrument))
RULE_FIELDS: Final = tuple(name for name in SYMBOL_FIELDS if name != "unit")
"""The fields that the native engine takes: it has no decimals."""

_symbol_row: Final = attrgetter(*SYMBOL_FIELDS)
_rules_row: Final = attrgetter(*RULE_FIELDS)
_pool_types: Final = get_type_hints(EngineConfig)
_SymbolRow: Final[Any] = tuple[tuple(get_type_hints(Instrument).values())]  # type: ignore[misc]
_Plain: Final = msgspec.defstruct(
    "EngineConfiguration", [*((name, _pool_types[name]) for name in POOL_FIELDS), ("symbols", list[_SymbolRow])]
)


def pools(settings: EngineConfig) -> dict[str, int]:
    """Sizes and policies of the pools by name, as `_core.Matcher` takes them."""
    return {name: getattr(settings, name) for name in POOL_FIELDS}


def native_rules(settings: EngineConfig) -> NDArray[np.int64]:
    """The rules of all symbols: shape (symbols, 6), rows as `SymbolRules` in `engine/native/matching/config.hpp`."""
    return np.array([_rules_row(each) for each in settings.instruments], dtype=np.int64)


def to_plain(settings: EngineConfig) -> dict[str, Any]:
    """As data for JSON: the pools by name, and `symbols`, a row of fields per instrument."""
    return {**pools(settings), "symbols": [_symbol_row(each) for each in settings.instruments]}


def from_plain(plain: Mapping[str, Any]) -> EngineConfig:
    """The configuration from the output of `to_plain`, possibly through JSON; ignores other keys.

    Raises `msgspec.ValidationError` for values of another type, `UsageError` for settings that no engine can have.
    """
    read: Any = msgspec.convert(plain, _Plain)
    sizes = (getattr(read, name) for name in POOL_FIELDS)
    return EngineConfig(instruments([Instrument(*row) for row in read.symbols]), *sizes)


def to_words(settings: EngineConfig) -> dict[str, Any]:
    """In readable form: every field by name, enumerations as words."""
    symbols = [{name: word(getattr(each, name)) for name in SYMBOL_FIELDS} for each in settings.instruments]
    return {"symbols": symbols, **pools_in_words(settings)}


def pools_in_words(settings: EngineConfig) -> dict[str, str | int | float | bool | None]:
    """Sizes and policies of the pools by name, policies as words."""
    return {name: word(value) for name, value in pools(settings).items()}


def word(value: int | Decimal) -> str | int:
    """The lower-case name of an enumeration member, the text of a decimal, or the number itself."""
    if isinstance(value, IntEnum):
        return value.name.lower()
    return str(value) if isinstance(value, Decimal) else value
