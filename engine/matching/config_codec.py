"""An engine's configuration as plain data, in words, and as the native engine takes it.

The fields are those of `EngineConfig` and `Instrument`, in their order; nothing else lists them.
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
"""What the native engine knows of a symbol: it has no decimals."""

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
    """What JSON can hold: the pools by name, and as `symbols` a row of each instrument's fields."""
    return {**pools(settings), "symbols": [_symbol_row(each) for each in settings.instruments]}


def from_plain(plain: Mapping[str, Any]) -> EngineConfig:
    """The configuration in what `to_plain` gave or JSON made of it; other keys are left alone.

    Raises `msgspec.ValidationError` for values of other types, `UsageError` for what no engine can have.
    """
    read: Any = msgspec.convert(plain, _Plain)
    sizes = (getattr(read, name) for name in POOL_FIELDS)
    return EngineConfig(instruments([Instrument(*row) for row in read.symbols]), *sizes)


def to_words(settings: EngineConfig) -> dict[str, Any]:
    """The same for a reader: every field by name, enumerations as words."""
    symbols = [{name: word(getattr(each, name)) for name in SYMBOL_FIELDS} for each in settings.instruments]
    return {"symbols": symbols, **pools_in_words(settings)}


def pools_in_words(settings: EngineConfig) -> dict[str, str | int | float | bool | None]:
    """Sizes and policies of the pools by name, policies as words."""
    return {name: word(value) for name, value in pools(settings).items()}


def word(value: int | Decimal) -> str | int:
    """A member of an enumeration as its name in lower case, a decimal as it is written, a number as it is."""
    if isinstance(value, IntEnum):
        return value.name.lower()
    return str(value) if isinstance(value, Decimal) else value
