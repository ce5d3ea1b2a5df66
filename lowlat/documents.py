"""JSON documents: dataclass models as JSON objects, and their published schemas.

An object has the fields of its dataclass, in their order, unless `document_fields` says otherwise. `lowlat.schemas`
reads the meaning and bounds of each field from the same dataclass, so a document and its schema cannot drift apart.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final, TypeVar

from lowlat.text import printable_json

_Model = TypeVar("_Model")
_SHAPE: Final = "__document_shape__"


@dataclass(frozen=True, slots=True)
class Shape:
    """How a JSON object differs from the fields of its dataclass."""

    first: tuple[str, ...] = ()
    """Fields and properties that come first."""
    last: tuple[str, ...] = ()
    """Properties that come last."""
    hidden: frozenset[str] = frozenset()
    """Fields that are left out."""
    optional: frozenset[str] = frozenset()
    """Fields that are left out when they are None."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Names that Python cannot have, by field."""
    rules: Mapping[str, Any] = field(default_factory=dict)
    """What the schema says of the whole object, beyond its fields."""


def document_fields(
    *,
    first: tuple[str, ...] = (),
    last: tuple[str, ...] = (),
    hidden: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
    renamed: Mapping[str, str] | None = None,
    rules: Mapping[str, Any] | None = None,
) -> Callable[[type[_Model]], type[_Model]]:
    """Decorate a dataclass whose JSON object differs from its fields; see `Shape`."""
    shape = Shape(first, last, frozenset(hidden), frozenset(optional), renamed or {}, rules or {})

    def shaped(model: type[_Model]) -> type[_Model]:
        setattr(model, _SHAPE, shape)
        return model

    return shaped


def shape_of(model: type) -> Shape:
    """The shape set on a dataclass, else the default."""
    shape: Shape = getattr(model, _SHAPE, Shape())
    return shape


def members(model: type[Any]) -> tuple[str, ...]:
    """The Python names of an object's fields and properties, in order."""
    shape = shape_of(model)
    apart = {*shape.first, *shape.last, *shape.hidden}
    between = [each.name for each in dataclasses.fields(model) if each.name not in apart]
    return (*shape.first, *between, *shape.last)


def values(thing: object) -> Any:
    """Plain JSON data: dictionaries, lists, numbers, strings, booleans and None.

    Tuples become lists, sets become sorted lists, and mapping keys become strings. Anything else raises `TypeError`.
    """
    if thing is None or isinstance(thing, bool | int | float | str):
        return thing
    if isinstance(thing, list | tuple):
        return [values(item) for item in thing]
    if isinstance(thing, dict):
        return {str(key): values(value) for key, value in thing.items()}
    if isinstance(thing, set | frozenset):
        return sorted(values(item) for item in thing)
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        return _object(thing)
    raise TypeError(f"{type(thing).__name__} has no JSON form")


def _object(thing: object) -> dict[str, Any]:
    model: type[Any] = type(thing)
    shape, found = shape_of(model), {}
    for name in members(model):
        value = getattr(thing, name)
        if value is not None or name not in shape.optional:
            found[shape.renamed.get(name, name)] = values(value)
    return found


def text(model: object, *, ascii_only: bool = True) -> str:
    """The model as one JSON document with a trailing newline. Equal models give equal text.

    `ascii_only=False` writes printable non-ASCII characters unescaped. Raises `ValueError` for NaN and infinity, which
    JSON does not support.
    """
    found = json.dumps(values(model), indent=2, allow_nan=False, ensure_ascii=ascii_only) + "\n"
    return found if ascii_only else printable_json(found)


def file_of(schema: str) -> str:
    """Name of the file in `lowlat/schema` that describes a document: `lowlat.report/1` is in `report-1.schema.json`."""
    return f"{schema.removeprefix('lowlat.').replace('/', '-')}.schema.json"


def published(schema: str, *, closed: bool = False) -> dict[str, Any]:
    """The installed JSON Schema (2020-12) of a document such as `lowlat.report/1`.

    The schemas of reports, sweeps, histories and comparisons allow unknown fields, since later versions of lowlat may
    add some. `closed` forbids them, which catches misspelled fields.
    """
    found: dict[str, Any] = json.loads(files("lowlat").joinpath("schema", file_of(schema)).read_text(encoding="utf-8"))
    if closed:
        for definition in found["$defs"].values():
            definition["additionalProperties"] = False
    return found
