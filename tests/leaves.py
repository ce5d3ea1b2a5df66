"""Changes the leaves of a document one at a time, to see which of them nothing else in it contradicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

Steps: TypeAlias = tuple[str | int, ...]
"""Where a leaf is: names of fields, and places in lists."""


def leaves(value: Any, path: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Each value that has no others in it, with its place; an empty list or object too."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not inner or not value:
        yield path, value
    for name, each in [*inner]:
        yield from leaves(each, (*path, name))


def changed(value: Any) -> list[Any]:
    """Other values for a leaf, most of them of its kind."""
    match value:
        case bool():
            return [not value]
        case int():
            return [value + 1, 2 * value + 7]
        case float():
            return [value * 1.1 + 0.01, value * 0.9 if value else 0.5]
        case str():
            return [f"{value}x"]
        case None:
            return [7, "x", True]
        case list():
            return [["x"], [1]]
    return [{"x": 1}, {"x": "y"}]


def pattern_of(path: Steps) -> str:
    """The place of a leaf without its places in lists."""
    return ".".join("*" if isinstance(name, int) else name for name in path)


def accepted_leaves(
    document: Any,
    is_accepted: Callable[[Any], bool],
    *,
    counts: Callable[[Steps], bool] = lambda _path: True,
    named: Callable[[Steps], str] = pattern_of,
) -> tuple[set[str], set[str]]:
    """Patterns of the leaves of which a change is not noticed, and of those of which no change is; of those that
    `counts` chooses. The document stays as it is.
    """
    some, all_ = set(), set()
    for path, value in [*leaves(document)]:
        if not counts(path):
            continue
        holder = document
        for name in path[:-1]:
            holder = holder[name]
        accepted = []
        for other in changed(value):
            holder[path[-1]] = other
            accepted.append(is_accepted(document))
        holder[path[-1]] = value
        some |= {named(path)} if any(accepted) else set()
        all_ |= {named(path)} if all(accepted) else set()
    return some, all_


def beyond(found: set[str], patterns: tuple[str, ...]) -> set[str]:
    """Those that no pattern covers."""
    return {leaf for leaf in found if not any(fnmatchcase(leaf, pattern) for pattern in patterns)}
