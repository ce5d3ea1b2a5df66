"""How a model becomes an object, and how its types become a schema."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

import jsonschema
import pytest
from msgspec import Meta

from lowlat.documents import document_fields, file_of, text, values
from lowlat.schemas import schema_of

T = TypeVar("T")


@dataclass
class Box(Generic[T]):
    """A thing
    in a box.
    """

    thing: Annotated[T | None, Meta(description="What is in it")]


@document_fields(first=("size",), last=("double",), hidden=("secret",), optional=("note",), renamed={"first": "from"})
@dataclass(kw_only=True)
class Parcel:
    """What is sent."""

    schema: Annotated[Literal["lowlat.parcel/1"], Meta(description="Kind")] = "lowlat.parcel/1"
    first: Annotated[int, Meta(ge=1, description="Of the numbers")]
    secret: int = 7
    size: Annotated[float, Meta(gt=0, description="Metres")]
    box: Annotated[Box[int], Meta(description="The box")]
    weights: Annotated[dict[int, float], Meta(description="Kilograms by number")]
    tags: Annotated[tuple[str, ...], Meta(min_length=1, description="Words")]
    corner: Annotated[tuple[int, int], Meta(description="Where")] = (0, 0)
    note: Annotated[str | None, Meta(description="Words", max_length=3)] = None

    @property
    def double(self) -> int:
        """Twice the first."""
        return 2 * self.first


def parcel(**changes: Any) -> Parcel:
    facts: dict[str, Any] = {"first": 3, "size": 1.5, "box": Box(1), "weights": {2: 0.5}, "tags": ("é",)}
    return Parcel(**facts | changes)


def test_fields_are_in_the_order_of_the_model_unless_it_says_otherwise() -> None:
    assert list(values(parcel(note="new")).items()) == [
        ("size", 1.5),
        ("schema", "lowlat.parcel/1"),
        ("from", 3),
        ("box", {"thing": 1}),
        ("weights", {"2": 0.5}),
        ("tags", ["é"]),
        ("corner", [0, 0]),
        ("note", "new"),
        ("double", 6),
    ]
    assert "note" not in values(parcel())


def test_text_is_ascii_unless_names_are_to_be_read() -> None:
    assert text(("é",)) == '[\n  "\\u00e9"\n]\n'
    assert text(("é",), ascii_only=False) == '[\n  "é"\n]\n'
    assert text(("\udcff",), ascii_only=False) == '[\n  "\\udcff"\n]\n', "a byte of a file name that is not UTF-8"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_json_does_not_have_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        text(parcel(size=value))


def test_what_is_no_data_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        values(object())


@pytest.mark.parametrize("closed", [True, False])
def test_the_schema_of_a_model(closed: bool) -> None:
    schema = schema_of(Parcel, closed=closed, printed_by="`lowlat send`")
    assert (schema["$id"], schema["title"]) == ("urn:lowlat:parcel:1", "lowlat.parcel/1")
    definition = schema["$defs"]["Parcel"]
    assert definition["properties"]["from"] == {"description": "Of the numbers", "type": "integer", "minimum": 1}
    assert definition["properties"]["double"] == {"description": "Twice the first.", "type": "integer"}
    assert definition["properties"]["note"] == {"description": "Words", "type": "string", "maxLength": 3}
    assert schema["$defs"]["Box"]["description"] == "A thing in a box."
    required = ["size", "schema", "from", "box", "weights", "tags", *(["corner"] if closed else []), "double"]
    assert definition["required"] == required
    jsonschema.Draft202012Validator.check_schema(schema)
    for sound in (parcel(), parcel(note="new", box=Box(None))):
        jsonschema.validate(values(sound), schema)


@pytest.mark.parametrize(
    "change",
    [
        {"first": 0},
        {"size": 0},
        {"box": Box("text")},
        {"weights": {"x": 1.0}},
        {"weights": {1: "x"}},
        {"tags": ()},
        {"corner": (1,)},
        {"corner": (1, 2, 3)},
        {"note": "long"},
        {"schema": "lowlat.parcel/2"},
    ],
)
def test_the_schema_keeps_the_bounds(change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values(parcel(**change)), schema_of(Parcel, closed=True, printed_by="x"))


def test_only_a_closed_schema_refuses_other_fields() -> None:
    later = values(parcel()) | {"later": 1}
    jsonschema.validate(later, schema_of(Parcel, closed=False, printed_by="x"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(later, schema_of(Parcel, closed=True, printed_by="x"))


def test_a_type_without_a_schema_is_an_error() -> None:
    @dataclass
    class Odd:
        """Odd."""

        schema: str = "lowlat.odd/1"
        numbers: set[int] | None = None

    with pytest.raises(TypeError, match=r"set\[int\] has no JSON Schema"):
        schema_of(Odd, closed=True, printed_by="x")


def test_where_a_schema_is() -> None:
    assert file_of("lowlat.journal-commands/1") == "journal-commands-1.schema.json"


def test_the_module_is_light() -> None:
    """The command line imports it before it knows the verb."""
    code = "import sys, lowlat.documents; sys.exit(bool({'msgspec', 'numpy'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-P", "-c", code], check=False).returncode == 0
