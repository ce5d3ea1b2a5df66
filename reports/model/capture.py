"""The capture document: what a support bundle holds, and what it does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from msgspec import Meta

SCHEMA: Final = "lowlat.capture/1"

PartName = Literal["host", "command line", "topology", "doctor", "calibration", "jitter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedPart:
    """One part of the bundle."""

    name: Annotated[
        PartName,
        Meta(
            description="host: files of /sys and /proc; command line: of the kernel; the others: documents of the "
            "verbs of these names, and of `lowlat calibrate`"
        ),
    ]
    status: Annotated[Literal["ok", "failed"], Meta(description="failed: it could not be read or measured")]
    reason: Annotated[str | None, Meta(description="Why it failed; null if it did not")]
    files: Annotated[tuple[str, ...], Meta(description="Its files, relative to the folder; none if it failed")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """The bundle, as `capture.json` beside its files says."""

    schema: Annotated[Literal["lowlat.capture/1"], Meta(description="Kind and version of the document")] = field(
        default=SCHEMA
    )
    version: Annotated[str, Meta(description="Version of lowlat")]
    started: Annotated[str, Meta(description="When it started, UTC, ISO 8601")]
    with_identity: Annotated[
        bool, Meta(description="Whether names of host and users, addresses and serial numbers were kept")
    ]
    parts: tuple[CapturedPart, ...]
