"""The JSON Schemas of the documents that this package makes, published in the folder `schema`.

They are made from the models, so that neither can drift: a test compares the files with `generated_text`. Readers must
ignore fields that they do not know, since changes within /1 only add; hence the published schemas leave every object
open, and `closed=True` gives the one to find a misspelt field with.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import msgspec

from lowlat.reports.compare import history
from lowlat.reports.model import comparison, report, sweep


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document: its name and version, its model, and the path of its published file within this package."""

    title: str
    model: type
    file: str


REPORT: Final = Kind(report.SCHEMA, report.Report, "schema/report-1.schema.json")
SWEEP: Final = Kind(sweep.SCHEMA, sweep.Sweep, "schema/sweep-1.schema.json")
HISTORY: Final = Kind(history.SCHEMA, history.History, "schema/history-1.schema.json")
COMPARISON: Final = Kind(comparison.SCHEMA, comparison.Comparison, "schema/comparison-1.schema.json")


def report_schema(*, closed: bool = False) -> dict[str, Any]:
    """The published JSON Schema (2020-12) of a report; `closed` admits no field beyond those it names."""
    return _published(REPORT, closed)


def sweep_schema(*, closed: bool = False) -> dict[str, Any]:
    """The same of a sweep, with the report's in it."""
    return _published(SWEEP, closed)


def history_schema(*, closed: bool = False) -> dict[str, Any]:
    """The same of the trends over saved reports."""
    return _published(HISTORY, closed)


def comparison_schema(*, closed: bool = False) -> dict[str, Any]:
    """The same of a comparison."""
    return _published(COMPARISON, closed)


def generated_text(kind: Kind) -> str:
    """What the published file must hold."""
    return json.dumps(_generated(kind), indent=2, ensure_ascii=False) + "\n"


def _generated(kind: Kind) -> dict[str, Any]:
    name, _, version = kind.title.partition("/")
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{name.replace('.', ':')}:{version}",
        "title": kind.title,
        **msgspec.json.schema(kind.model),
    }
    for definition in schema["$defs"].values():
        if "schema" in definition["properties"]:
            # It has a default for those who build a document, not for those who read one.
            definition["required"].insert(0, "schema")
    return schema


def _published(kind: Kind, closed: bool) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(files("lowlat.reports").joinpath(kind.file).read_text(encoding="utf-8"))
    return _closed(schema) if closed else schema


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    schema = copy.deepcopy(schema)
    for definition in schema["$defs"].values():
        if "properties" in definition:
            definition["additionalProperties"] = False
    return schema
