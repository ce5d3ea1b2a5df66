"""A registry: built-in names first; other packages are loaded only when necessary."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lowlat.errors import UsageError
from lowlat.registry import Registry


@dataclass(frozen=True)
class Shape:
    name: str
    sentence: str


SHAPES = Registry("lowlat.tests.shapes", Shape, lambda: [Shape("square", "four sides"), Shape("round", "none")])


def test_what_is_built_in_is_found_without_a_look_at_other_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: str) -> None:
        pytest.fail("packages were searched")

    monkeypatch.setattr("importlib.metadata.entry_points", fail)
    assert SHAPES.get("round").sentence == "none"
    assert "square" in SHAPES


def test_an_unknown_name_is_told_the_known_ones() -> None:
    assert "oval" not in SHAPES
    with pytest.raises(UsageError, match=r"^'oval' is not one of 'square', 'round'$"):
        SHAPES.get("oval")
    assert SHAPES.refusal("oval", ["any"]) == "'oval' is not one of 'square', 'round', 'any'"
    assert SHAPES.listing() == "square (four sides), round (none)"
