"""Pages of the JSON documents, from their committed schemas: every field with its type, unit and meaning."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

UNITS: Final = {
    "_per_s": "1/s",
    "_ns": "ns",
    "_ps": "ps",
    "_us": "µs",
    "_ms": "ms",
    "_s": "s",
    "_bytes": "bytes",
    "_hz": "Hz",
    "_khz": "kHz",
    "_mhz": "MHz",
    "_ppm": "ppm",
    "_percent": "%",
    "_ticks": "ticks",
}
"""Units by the end of a field's name: what a number is always stands there."""

SUFFIX: Final = ".schema.json"

Node: TypeAlias = dict[str, Any]


def names(root: Path) -> list[str]:
    """The documents that have a schema, such as `report-1`."""
    return sorted(_paths(root))


def index(root: Path) -> str:
    """A row for each document."""
    rows = ["| document | | schema in the package |", "|---|---|---|"]
    for name, path in sorted(_paths(root).items()):
        schema = json.loads(path.read_text())
        about = schema.get("description") or _target(schema, schema).get("description") or ""
        rows.append(f"| [`{_kind(schema, name)}`]({name}.md) | {_cell(about)} | `{path.relative_to(root)}` |")
    return "\n".join(rows)


def page(root: Path, name: str) -> str:
    """The whole document: its fields, then those of each part."""
    schema = json.loads(_paths(root)[name].read_text())
    top = _target(schema, schema)
    parts = [
        top.get("description") or schema.get("description") or "",
        _fields(schema, top),
    ]
    for part, definition in schema.get("$defs", {}).items():
        if definition is not top:
            parts += [f"## {part}", *_part(schema, definition)]
    return "\n\n".join(part for part in parts if part)


def kind(root: Path, name: str) -> str:
    """The value of the document's field `schema`, such as `lowlat.report/1`."""
    return _kind(json.loads(_paths(root)[name].read_text()), name)


def _kind(schema: Node, name: str) -> str:
    said = _target(schema, schema).get("properties", {}).get("schema", {})
    options = [said["const"]] if "const" in said else said.get("enum", [name])
    return str(options[0])


def _paths(root: Path) -> dict[str, Path]:
    packages = [folder for folder in root.iterdir() if (folder / "schema").is_dir()]
    return {path.name.removesuffix(SUFFIX): path for each in packages for path in each.glob(f"schema/*{SUFFIX}")}


def _target(schema: Node, node: Node) -> Node:
    """The definition that a node refers to, else the node itself."""
    reference = node.get("$ref", "").removeprefix("#/$defs/")
    target: Node = schema["$defs"][reference] if reference else node
    return target


def _part(schema: Node, definition: Node) -> Iterator[str]:
    about = definition.get("description", "")
    if _objects(definition):
        yield about
        yield _fields(schema, definition)
    else:
        yield f"{_type(definition)}. {about}".strip()


def _fields(schema: Node, definition: Node) -> str:
    rows = list(_rows(schema, definition, ""))
    table = "\n".join(["| field | type | unit | |", "|---|---|---|---|", *rows])
    return f'<div class="fields" markdown>\n\n{table}\n\n</div>' if rows else ""


def _rows(schema: Node, definition: Node, prefix: str) -> Iterator[str]:
    for shape in _objects(definition):
        for name, said in shape.get("properties", {}).items():
            field = said if isinstance(said, dict) else {}  # `true` is any value
            path = f"{prefix}{name}"
            always = "" if name in shape.get("required", ()) else " (may be absent)"
            yield f"| `{path}` | {_type(field)}{always} | {_unit(name)} | {_meaning(schema, field)} |"
            yield from _rows(schema, field.get("items", {}), f"{path}[].")
            yield from _rows(schema, field, f"{path}.")


def _meaning(schema: Node, field: Node) -> str:
    """The description of a field, else that of the part it refers to."""
    ways = [field, field.get("items", {}), *field.get("anyOf", ()), *field.get("oneOf", ())]
    told = (way.get("description") or _target(schema, way).get("description") for way in ways if isinstance(way, dict))
    return _cell(next((text for text in told if text), ""))


def _objects(definition: Node) -> list[Node]:
    """The object shapes defined inline in a node, not by reference."""
    found = [definition] if "properties" in definition else []
    return found + [
        each for way in ("anyOf", "oneOf", "allOf") for each in definition.get(way, ()) if "properties" in each
    ]


def _unit(name: str) -> str:
    return next((unit for end, unit in UNITS.items() if name.endswith(end)), "")


def _type(node: Any) -> str:
    """A node's type in words, with its bounds; a part is a link to its section."""
    if not isinstance(node, dict) or not node:
        return "anything"
    if "$ref" in node:
        part = node["$ref"].removeprefix("#/$defs/")
        return f"[{part}](#{part.lower()})"
    if "const" in node:
        return f"`{json.dumps(node['const'])}`"
    if "enum" in node:
        return ", ".join(f"`{json.dumps(value)}`" for value in node["enum"])
    for way in ("anyOf", "oneOf"):
        if way in node:
            return " or ".join(dict.fromkeys(_type(each) for each in node[way]))
    types = node.get("type", "object" if "properties" in node else "anything")
    if isinstance(types, list):
        return " or ".join(_type({**node, "type": each}) for each in types)
    if types == "array":
        if "prefixItems" in node:
            return f"array: {', '.join(_type(each) for each in node['prefixItems'])}"
        return f"array of {_type(node.get('items', {}))}"
    if types == "object" and isinstance(node.get("additionalProperties"), dict) and "properties" not in node:
        return f"object of {_type(node['additionalProperties'])}"
    return f"{types}{_bounds(node) if types in ('integer', 'number') else ''}"


def _bounds(node: Node) -> str:
    low, high = node.get("minimum"), node.get("maximum")
    if low is not None and high is not None:
        return f" {low:,} to {high:,}"
    if low is not None:
        return f" ≥ {low:,}"
    return f" ≤ {high:,}" if high is not None else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
