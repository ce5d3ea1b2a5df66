"""One value read from a host, or the reason why there is none."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

T = TypeVar("T")

Status = Literal["known", "not applicable", "unknown"]


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """A value with where it came from; or no value, with why.

    Three states that must not be confused: *known*; *not applicable* (the knob does not exist on this
    host); *unknown* (it exists but cannot be read, `reason` says which right or file is missing). Neither of
    the last two is a good value.
    """

    value: T | None
    source: str
    reason: str | None = None
    applicable: bool = True

    @property
    def status(self) -> Status:
        """Which of the three states this is."""
        if self.value is not None:
            return "known"
        return "unknown" if self.applicable else "not applicable"

    @property
    def text(self) -> str:
        """The value as text, or "not available here, because ..."."""
        return f"not available here, because {self.reason}" if self.value is None else str(self.value)


def known(value: T, source: str) -> Reading[T]:
    """Make a reading that has a value; `source` says "read from ..." or "measured by ..."."""
    return Reading(value, source)


def unknown(source: str, reason: str) -> Reading[Any]:
    """Make a reading of something that may exist but could not be read."""
    return Reading(None, source, reason)


def not_applicable(source: str, reason: str) -> Reading[Any]:
    """Make a reading of something that does not exist on this host."""
    return Reading(None, source, reason, applicable=False)


def to_document(thing: object) -> Any:
    """Turn probe data into what JSON holds: objects, lists, numbers, strings and nulls.

    Dataclasses become objects by field name, a `Reading` also gets its `status`; tuples become lists, sets
    sorted lists; the keys of mappings become strings. Anything else is a programmer's error (`TypeError`).
    """
    if thing is None or isinstance(thing, bool | int | float | str):
        return thing
    if isinstance(thing, Reading):
        document = {"status": thing.status, "value": to_document(thing.value), "source": thing.source}
        return document if thing.reason is None else document | {"reason": thing.reason}
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        return {field.name: to_document(getattr(thing, field.name)) for field in dataclasses.fields(thing)}
    if isinstance(thing, list | tuple):
        return [to_document(item) for item in thing]
    if isinstance(thing, set | frozenset):
        return sorted(to_document(item) for item in thing)
    if isinstance(thing, dict):
        return {str(key): to_document(value) for key, value in thing.items()}
    raise TypeError(f"{type(thing).__name__} has no JSON form")
