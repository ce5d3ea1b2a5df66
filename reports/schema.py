"""The JSON Schema of `lowlat.report/1`, published in the package as `schema/report-1.schema.json`.

It is made from the model, so that neither can drift: a test compares the file with `generated`. Readers must
ignore fields that they do not know, since changes within /1 only add; hence the published schema leaves every
object open, and `report_schema(closed=True)` is the one to find a misspelt field with.
"""

from __future__ import annotations

import copy
import json
from importlib.resources import files
from typing import Any

import msgspec

from reports.model import SCHEMA, Report

FILE = "schema/report-1.schema.json"
"""Path of the published file within this package."""


def report_schema(*, closed: bool = False) -> dict[str, Any]:
    """The published JSON Schema (2020-12); `closed` admits no field beyond those it names."""
    text = files("reports").joinpath(FILE).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return _closed(schema) if closed else schema


def generated() -> dict[str, Any]:
    """The JSON Schema as the model has it now."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:lowlat:report:1",
        "title": SCHEMA,
        **msgspec.json.schema(Report),
    }
    report = schema["$defs"]["Report"]
    report["required"].insert(0, "schema")  # has a default for those who build a report, not for those who read one
    return schema


def generated_text() -> str:
    """What the published file must hold."""
    return json.dumps(generated(), indent=2, ensure_ascii=False) + "\n"


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    schema = copy.deepcopy(schema)
    for definition in schema["$defs"].values():
        if "properties" in definition:
            definition["additionalProperties"] = False
    return schema
