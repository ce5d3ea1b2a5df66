"""What the columns of a table mean: a text such as `time=ts:ms,id=order_id,side=side:{B=buy,S=sell},...`, a TOML file
of the same, or the name of a mapping that comes with lowlat. `docs/reference/column-mappings.md` specifies all three.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

from lowlat.engine.feed.columns import CLOCK, TIME_UNITS
from lowlat.engine.feed.records import OrderAction
from lowlat.engine.matching.records import Side
from lowlat.errors import FormatError, UsageError
from lowlat.text import cut
from lowlat.toml import parse_toml, read_toml_text

FIELDS: Final = {
    "time": "when",
    "symbol": "the venue's name of the instrument; without it, the table is of one",
    "action": "what happened",
    "side": "of the order; see trades",
    "price": "a decimal",
    "quantity": "a decimal",
    "id": "the order it is about",
    "buy_id": "the buy order of a trade; of other rows, the order it is about if that is a buy order",
    "sell_id": "the same of the sell side",
    "new_id": "of a replacement, the order that enters",
    "aggressor": "of a trade, the aggressive order",
    "flags": "bits of OrderEventFlag",
}
_NEEDED: Final = ("time", "action", "side", "price", "quantity")
IGNORED: Final = 0
"""The number of an action that is no event."""
BOTH: Final = 2
"""The number of a side that is both: a trade in an auction."""
ACTIONS: Final[Mapping[str, int]] = {action.name.lower(): int(action) for action in OrderAction} | {"ignore": IGNORED}
SIDES: Final[Mapping[str, int]] = {"buy": Side.BUY, "sell": Side.SELL, "both": BOTH}
_COMMON_SIDES: Final[Mapping[str, int]] = {
    word: side
    for side, words in ((Side.BUY, "buy Buy BUY bid Bid BID B b"), (Side.SELL, "sell Sell SELL ask Ask ASK S s"))
    for word in words.split()
}
_FINEST: Final = Decimal("1e-18")
_NUMBER: Final = re.compile(r"[0-9.eE+-]{1,40}")
"""What only numbers are made of."""
_TRADES: Final = ("resting", "aggressor", "both")
_SHOWN_MAX: Final = 600
"""Characters of a mapping, and of what is wrong with it, in a message."""
_SETTINGS: Final = ("unit", "quantity_unit", "time_unit", "time_base", "id_kind", "trades")


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """`columns`: for each field the columns of which the first that is not empty has it. `action` and `side`: number by
    word. `trades`: whose side a trade's row tells; both: of each trade both orders were in the book.
    """

    columns: Mapping[str, tuple[str, ...]]
    action: Mapping[str, int]
    side: Mapping[str, int]
    unit: Decimal | None
    quantity_unit: Decimal
    time_unit: str | None
    time_base: Literal["midnight", "unix"]
    id_kind: Literal["number", "uuid"]
    trades: Literal["resting", "aggressor", "both"]


def shipped() -> list[str]:
    """Names of the mappings that come with lowlat."""
    return sorted(file.name.removesuffix(".toml") for file in _folder().iterdir() if file.name.endswith(".toml"))


def column_mapping(text: str) -> ColumnMapping:
    """The mapping that `--columns` names or spells out. Raises `UsageError`, which says what is wrong with it."""
    first, *more = list(_items(text))
    base: dict[str, Any] = {}
    if "=" not in first:
        base = _named(first)
    else:
        more = [first, *more]
    try:
        for item in more:
            _add(base, item)
        return _checked(base)
    except FormatError as error:
        raise UsageError(f"--columns {cut(text, _SHOWN_MAX)}: {cut(str(error), _SHOWN_MAX)}") from error


def _folder() -> Any:
    return files("lowlat.engine.flow.readers.table") / "mappings"


def _named(name: str) -> dict[str, Any]:
    if name.endswith(".toml"):
        text = read_toml_text(Path(name))
    elif name in shipped():
        text = (_folder() / f"{name}.toml").read_text("utf-8")
    else:
        known = ", ".join(shipped())
        raise UsageError(
            f"--columns: no mapping {name!r}; there are {known}; or name a .toml file, or field=column,..."
        )
    try:
        tables = parse_toml(text)
    except FormatError as error:
        raise UsageError(f"{name}: {error}") from error
    tables.pop("description", None)
    return tables


def _items(text: str) -> Iterator[str]:
    """The parts between commas that are not within braces."""
    depth, item = 0, ""
    for letter in text:
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0:
            yield item.strip()
            item = ""
        else:
            item += letter
    yield item.strip()


_ITEM: Final = re.compile(r"(\w+)=([^:{}]*)(?::(\w+))?(?::?\{(.*)\})?", re.DOTALL)


def _add(base: dict[str, Any], item: str) -> None:
    """Merge one `field=column|column:unit:{word=meaning,...}` or `setting=value`."""
    found = _ITEM.fullmatch(item)
    if not found:
        raise FormatError(f"{item!r} is not field=column")
    name, value, kind, words = found.groups()
    if name in _SETTINGS:
        base[name] = value
        return
    _columns_told(base)[name] = value.split("|")
    if kind is not None:
        setting = {"time": "time_unit", "id": "id_kind"}.get(name)
        if setting is None:
            raise FormatError(f"{item!r}: only time has a unit, and only id a kind")
        base[setting] = kind
    if words is not None:
        base[name] = dict(_pair(pair) for pair in words.split(","))


def _columns_told(base: dict[str, Any]) -> dict[str, Any]:
    found = base.setdefault("columns", {})
    if not isinstance(found, dict):
        raise FormatError("'columns' is not a table of columns")
    return found


def _pair(pair: str) -> tuple[str, str]:
    word, equals, meaning = pair.partition("=")
    if not equals:
        raise FormatError(f"{pair!r} is not word=meaning")
    return word.strip(), meaning.strip()


def _checked(tables: dict[str, Any]) -> ColumnMapping:
    known = {"columns", "action", "side", *_SETTINGS}
    if unknown := tables.keys() - known:
        raise FormatError(f"unknown key {min(unknown)!r}; there are {', '.join(sorted(known))}")
    columns = _columns(_columns_told(tables))
    time_unit = _one_of(tables, "time_unit", (*TIME_UNITS, CLOCK), None)
    return ColumnMapping(
        columns,
        _meanings(tables, "action", ACTIONS, ACTIONS),
        _meanings(tables, "side", SIDES, _COMMON_SIDES),
        _decimal(tables, "unit"),
        _decimal(tables, "quantity_unit") or Decimal(1),
        time_unit,
        _one_of(tables, "time_base", ("midnight", "unix"), "midnight" if time_unit == CLOCK else "unix"),
        _one_of(tables, "id_kind", ("number", "uuid"), "number"),
        _one_of(tables, "trades", _TRADES, "resting"),
    )


def _columns(told: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    columns = {}
    for field, names in told.items():
        if field not in FIELDS:
            raise FormatError(f"unknown field {field!r}; there are {', '.join(FIELDS)}")
        listed = [names] if isinstance(names, str) else names
        if not isinstance(listed, list) or not listed or not all(isinstance(name, str) and name for name in listed):
            raise FormatError(f"{field}: name a column")
        columns[field] = tuple(listed)
    missing = [field for field in _NEEDED if field not in columns]
    if "id" not in columns and not {"buy_id", "sell_id"} <= columns.keys():
        missing.append("id (or buy_id and sell_id)")
    if missing:
        raise FormatError(f"no column is named for {', '.join(missing)}")
    return columns


def _meanings(
    tables: dict[str, Any], name: str, known: Mapping[str, int], otherwise: Mapping[str, int]
) -> Mapping[str, int]:
    told = tables.get(name)
    if told is None:
        return otherwise
    if not isinstance(told, dict) or not told:
        raise FormatError(f"'{name}' is not a table of words")
    for word, meaning in told.items():
        if not isinstance(meaning, str) or meaning not in known:
            raise FormatError(f"{name} {word}={meaning}: {meaning!r} is not one of {', '.join(known)}")
    return {word: known[meaning] for word, meaning in told.items()}


def _decimal(tables: dict[str, Any], name: str) -> Decimal | None:
    told = tables.get(name)
    if told is None:
        return None
    try:
        value = Decimal(str(told) if _NUMBER.fullmatch(str(told)) else 0)
    except InvalidOperation:
        value = Decimal(0)
    if not (value.is_finite() and 0 < value <= 1_000_000 and value == value.quantize(_FINEST)):
        raise FormatError(f"{name} {told!r} is not a decimal above 0 such as 0.01, with up to 18 places")
    return value


def _one_of(tables: dict[str, Any], name: str, known: tuple[str, ...], otherwise: Any) -> Any:
    told = tables.get(name, otherwise)
    if told is not otherwise and told not in known:
        raise FormatError(f"{name} {told!r} is not one of {', '.join(known)}")
    return told
