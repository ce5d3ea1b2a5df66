"""One value read from a host, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

from msgspec import Meta

from lowlat.documents import document_fields

T = TypeVar("T")

Status = Literal["known", "not applicable", "unknown"]

_RULES: Final = {
    "if": {"properties": {"status": {"const": "known"}}},
    "then": {"properties": {"value": {"not": {"type": "null"}}}},
    "else": {"required": ["reason"], "properties": {"value": {"type": "null"}}},
}


@document_fields(first=("status",), hidden=("applicable",), optional=("reason",), rules=_RULES)
@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """A value with where it came from; or no value, with why.

    Three states that must not be confused: *known*; *not applicable* (the knob does not exist on this
    host); *unknown* (it exists but cannot be read, `reason` says which right or file is missing). Neither of
    the last two is a good value.
    """

    value: Annotated[T | None, Meta(description="The value; null unless it is known")]
    source: Annotated[str, Meta(description="What it was read from or measured by")]
    reason: Annotated[str | None, Meta(description="Why there is no value")] = None
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
    """Make a reading with a value; `source` is "read from ..." or "measured by ..."."""
    return Reading(value, source)


def unknown(source: str, reason: str) -> Reading[Any]:
    """Make a reading of something that may exist but could not be read."""
    return Reading(None, source, reason)


def not_applicable(source: str, reason: str) -> Reading[Any]:
    """Make a reading of something that does not exist on this host."""
    return Reading(None, source, reason, applicable=False)
