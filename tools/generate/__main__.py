"""Generates sources and parts of documents from `schema/records.toml`.

`python tools/generate [ROOT]` writes the files; with `--check` it lists the files that are out of date, and exits with
code 1 if there are any.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import c
import cpp
import documents
import python
import rust
from model import Schema, SchemaError, load

SCHEMA = Path("schema/records.toml")
C_HEADERS = (Path("engine/native/c_api/lowlat.h"), Path("engine/native/foreign/lowlat_engine.h"))
RUST = Path("engine/foreign/template/rust/lowlat_engine.rs")
CONTRACT = Path("docs/matching.md")
AREAS = {
    "matching": "matching",
    "journal": "journal",
    "book": "shared_book",
    "level": "analytics",
    "ring": "rings",
    "flow": "flow",
    "feed": "feed",
}
"""Areas of the schema, and the room of each, which has `records.hpp` and `records.py` of it."""
PYTHON_AREAS = AREAS | {"foreign": "foreign"}
"""The same of `records.py`; only C has what an engine of a library may be able to do."""


def outputs(root: Path) -> dict[Path, str]:
    """Every file that is generated or has a generated part, with its text."""
    schema = load(root / SCHEMA)
    texts = {path: (root / path).read_text(encoding="utf-8") for path in (*C_HEADERS, RUST, CONTRACT)}
    return {
        **{Path(f"engine/native/{room}/records.hpp"): cpp.header(schema, area) for area, room in AREAS.items()},
        **{Path(f"engine/{room}/records.py"): python.module(schema, area) for area, room in PYTHON_AREAS.items()},
        Path("engine/native/c_api/same_bytes.hpp"): cpp.same_bytes(schema),
        **{path: _c_header(texts[path], schema) for path in C_HEADERS},
        RUST: _rust(texts[RUST], schema),
        CONTRACT: _contract(texts[CONTRACT], schema),
    }


def _c_header(text: str, schema: Schema) -> str:
    for made in (c.enumerations, c.capabilities, c.records, c.limits):
        opening = f"/* generated: {made.__name__} */"
        if opening in text or made is not c.capabilities:
            text = _spliced(text, opening, "/* end of generated */", "\n" + made(schema))
    return text


def _rust(text: str, schema: Schema) -> str:
    for made in (rust.enumerations, rust.records, rust.limits):
        text = _spliced(text, f"// generated: {made.__name__}", "// end of generated", made(schema))
    return text


def _contract(text: str, schema: Schema) -> str:
    tables = {
        "CommandType": documents.enumeration_table(schema.enums["CommandType"], "kind", schema),
        "TimeInForce": documents.enumeration_table(schema.enums["TimeInForce"], "time in force", schema),
        "ExecInst": documents.enumeration_table(schema.enums["ExecInst"], "flag", schema),
        "SelfTradePrevention": documents.enumeration_table(schema.enums["SelfTradePrevention"], "policy", schema),
        "TradingPhase": documents.enumeration_table(schema.enums["TradingPhase"], "phase", schema),
        "Event": documents.field_table(schema.records["Event"], schema),
        "Reason": documents.enumeration_table(schema.enums["Reason"], "reason", schema),
    }
    for name, table in tables.items():
        text = _spliced(text, f"<!-- generated: {name} -->", "<!-- end -->", table)
    return text


def _spliced(text: str, opening: str, closing: str, body: str) -> str:
    """The text with the part between two marks replaced."""
    pattern = re.compile(re.escape(opening) + r"\n.*?" + re.escape(closing), re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise SchemaError(f"the mark {opening!r} is not there once, with {closing!r} behind it")
    return pattern.sub(lambda _: f"{opening}\n{body}{closing}", text)


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main(arguments: list[str]) -> int:
    """Write or check; return the exit code."""
    checking = "--check" in arguments
    roots = [Path(argument) for argument in arguments if argument != "--check"]
    root = roots[0] if roots else Path(__file__).resolve().parents[2]
    try:
        made = outputs(root)
    except SchemaError as error:
        sys.exit(f"schema/records.toml: {error}")
    stale = [path for path, text in made.items() if _text(root / path) != text]
    for path in stale:
        if checking:
            print(f"{path} is not what schema/records.toml says; run `make stubs`")
        else:
            (root / path).write_text(made[path], encoding="utf-8")
    return 1 if checking and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
