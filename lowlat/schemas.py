"""JSON Schemas (2020-12) of documents, made from their models.

A field's type holds its meaning and bounds: `Annotated[int, Meta(ge=1, description="...")]`. `Meta` is msgspec's, which
also validates documents with it.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from lowlat.documents import members, shape_of

Schema = dict[str, Any]

_PLAIN: Final[dict[Any, Schema]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    type(None): {"type": "null"},
    Any: {},
}
_BOUNDS: Final = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "pattern": "pattern",
}
_LENGTHS: Final = {"string": "Length", "array": "Items", "object": "Properties"}


def schema_of(model: type, *, closed: bool, printed_by: str) -> Schema:
    """The schema of a document, named by the field `schema` of its model.

    `closed`: objects have no unknown fields, and all fields that are not optional. Otherwise unknown fields are
    allowed, and a field with a default may be missing, as in documents older than the field. `printed_by`: command
    lines.
    """
    title = str(next(each.default for each in dataclasses.fields(model) if each.name == "schema"))
    name, _, version = title.partition("/")
    found = _Definitions(closed)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{name.replace('.', ':')}:{version}",
        "title": title,
        "description": f"Printed by {printed_by}.",
        **found.reference(model),
        "$defs": found.all,
    }


class _Definitions:
    """The object definitions of a document, in order of first use."""

    def __init__(self, closed: bool) -> None:
        self.closed = closed
        self.all: dict[str, Schema] = {}

    def reference(self, model: type) -> Schema:
        """A reference to the definition of a dataclass; creates the definition on first use."""
        name = model.__name__
        if name not in self.all:
            self.all[name] = {}  # reserves its position, and ends recursion
            self.all[name] |= self._object(model)
        return {"$ref": f"#/$defs/{name}"}

    def of(self, hint: Any) -> Schema:
        """The schema of a type."""
        if isinstance(hint, type) or hint is Any:
            return dict(_PLAIN[hint]) if hint in _PLAIN else self.reference(hint)
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return _narrowed(self.of(arguments[0]), hint.__metadata__)
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin in (Union, types.UnionType):
            return {"anyOf": [self.of(each) for each in arguments]}
        if origin in (tuple, list):
            return self._array(arguments)
        if origin is dict:
            return self._mapping(*arguments)
        if isinstance(hint, TypeVar):
            return {}
        if dataclasses.is_dataclass(origin):
            return self._specialized(origin, arguments)
        raise TypeError(f"{hint} has no JSON Schema")

    def _array(self, arguments: tuple[Any, ...]) -> Schema:
        if len(arguments) == 1 or arguments[1:] == (...,):
            return {"type": "array", "items": self.of(arguments[0])}
        count = len(arguments)
        items = [self.of(each) for each in arguments]
        return {"type": "array", "minItems": count, "maxItems": count, "prefixItems": items, "items": False}

    def _mapping(self, key: Any, value: Any) -> Schema:
        found: Schema = {"type": "object"}
        if key is int:
            found["propertyNames"] = {"pattern": "^[0-9]+$"}
        return found | ({} if value is Any else {"additionalProperties": self.of(value)})

    def _specialized(self, model: Any, arguments: tuple[Any, ...]) -> Schema:
        """A generic dataclass: its shared definition, plus the fields that the type arguments specialize."""
        renamed = shape_of(model).renamed
        fields = {
            renamed.get(name, name): self.of(get_args(hint[arguments])[0])  # the definition has the description
            for name, hint in _hints(model)
            if getattr(hint, "__parameters__", ())
        }
        return self.reference(model) | {"properties": fields}

    def _object(self, model: type) -> Schema:
        shape = shape_of(model)
        defaults = {each.name: each for each in dataclasses.fields(model) if _has_default(each)}
        properties, required = {}, []
        for name, hint in _hints(model):
            shown = shape.renamed.get(name, name)
            optional = name in shape.optional
            properties[shown] = self.of(_without_none(hint) if optional else hint)
            if not optional and (self.closed or name not in defaults or name == "schema"):
                required.append(shown)
            elif not optional and defaults[name].default is not dataclasses.MISSING:
                properties[shown]["default"] = defaults[name].default
        return {
            "description": _prose(model),
            "type": "object",
            "properties": properties,
            "required": required,
            **({"additionalProperties": False} if self.closed else {}),
            **shape.rules,
        }


def _hints(model: type) -> Iterator[tuple[str, Any]]:
    """The type of each member; a property is described by the first sentences of its docstring."""
    fields = get_type_hints(model, include_extras=True)
    for name in members(model):
        member = getattr(model, name, None)
        if isinstance(member, property):
            from msgspec import Meta

            hint = get_type_hints(member.fget, include_extras=True)["return"]
            yield name, Annotated[hint, Meta(description=_prose(member))]
        else:
            yield name, fields[name]


def _prose(documented: object) -> str:
    return " ".join((documented.__doc__ or "").split())


def _has_default(each: dataclasses.Field[Any]) -> bool:
    return each.default is not dataclasses.MISSING or each.default_factory is not dataclasses.MISSING


def _without_none(hint: Any) -> Any:
    """The type of a field without None: such a field is omitted when it is None."""
    if get_origin(hint) is Annotated:
        metas = hint.__metadata__
        return Annotated[(_without_none(get_args(hint)[0]), *metas)]
    return Union[tuple(each for each in get_args(hint) if each is not type(None))]  # noqa: UP007 (as many as there are)


def _narrowed(schema: Schema, metas: tuple[Any, ...]) -> Schema:
    """The schema with the constraints of each `Meta` added."""
    described: Schema = {}
    for meta in metas:
        if meta.description is not None:
            described["description"] = meta.description
        schema |= {_BOUNDS[name]: value for name in _BOUNDS if (value := getattr(meta, name)) is not None}
        for name in ("min", "max"):
            length = getattr(meta, f"{name}_length")
            if length is not None:
                schema[name + _LENGTHS[schema["type"]]] = length
        schema |= meta.extra_json_schema or {}
    return described | schema
