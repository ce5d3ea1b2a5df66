"""The conformance document: whether an engine keeps the matching contract, and the shortest proof that it does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from msgspec import Meta

from lowlat.bounded import Count, Seed

SCHEMA: Final = "lowlat.conformance/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformanceSuite:
    """Cases of one kind."""

    name: Annotated[str, Meta(description="worked examples, random worlds, profiles, or recorded")]
    cases: Annotated[Count, Meta(description="Cases whose events were all equal")]
    of: Annotated[Count, Meta(description="Cases that there are")]
    skipped: Annotated[Count, Meta(description="Cases that need what the engine does not take")]
    lacking: Annotated[tuple[str, ...], Meta(description="The capabilities that they need, sorted")]
    commands: Annotated[Count, Meta(description="Commands of the equal cases; each was executed twice")]
    events: Annotated[Count, Meta(description="Events that were compared in them")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterexample:
    """The case that shows a fault, shortened as far as it still does."""

    suite: Annotated[str, Meta(description="The suite of the case")]
    case: Annotated[str, Meta(description="The rule of the example, seed of the world, profile, or file")]
    case_commands: Annotated[Count, Meta(description="Commands of the case before it was shortened")]
    rules: Annotated[str, Meta(description="The symbols' rules; empty for one plain symbol")]
    commands: Annotated[
        tuple[dict[str, int | str], ...], Meta(description="The commands, fields as in the COMMAND or EXTENDED_COMMAND")
    ]
    how: Annotated[str, Meta(description="How they were given, e.g. one at a time, after a reset")]
    command: Annotated[
        Count | None,
        Meta(description="Number of the first command, from 0, whose events differ; null if the engine ended"),
    ]
    difference: Annotated[str, Meta(description="The first difference, or how the process of the engine ended")]
    expected: Annotated[tuple[str, ...], Meta(description="Events of the native engine, one a line")]
    given: Annotated[tuple[str, ...], Meta(description="Events of the engine; empty if its process ended")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conformance:
    """An engine compared with the native one, command by command."""

    schema: Annotated[Literal["lowlat.conformance/1"], Meta(description="Kind and version of the document")] = field(
        default=SCHEMA
    )
    status: Annotated[
        Literal["conforms", "differs", "failed", "interrupted"],
        Meta(
            description="failed: its process crashed, hung or broke the interface; interrupted: Ctrl-C ended it early"
        ),
    ]
    engine: Annotated[str, Meta(description="As the library, the process or the package calls it")]
    version: Annotated[str, Meta(description="By its own word")]
    file: Annotated[str, Meta(description="The library, the package, or transport and command of the process")]
    capabilities: Annotated[tuple[str, ...], Meta(description="What it takes beside limit orders and cancels, sorted")]
    not_compared: Annotated[tuple[str, ...], Meta(description="Fields of an event that it does not claim to give")]
    seed: Annotated[Seed, Meta(description="Of worlds and profiles")]
    suites: tuple[ConformanceSuite, ...]
    counterexample: Annotated[Counterexample | None, Meta(description="null if none was found")]
