"""The comparison of an engine with the native one on the terminal: the verdict, then what shows it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lowlat import units
from lowlat.engine.matching.records import STATES, CommandType
from lowlat.reports.model.conformance import Conformance, ConformanceSuite, Counterexample
from lowlat.text import plain_text
from lowlat_cli.views import layout

_SHOWN: int = 12
"""Commands, and events, of a counterexample without -v: the last ones."""


def verify_view(found: Conformance, *, verbose: bool) -> Iterator[RenderableType]:
    """All parts, top to bottom."""
    yield _verdict(found)
    yield layout.facts(_engine(found))
    yield layout.spaced(_suites(found))
    if (shown := found.counterexample) is not None:
        yield layout.spaced(layout.facts(_case(shown)))
        yield layout.spaced(_commands(shown, _SHOWN if not verbose else len(shown.commands)))
        yield layout.spaced(_events(shown, found.engine, _SHOWN if not verbose else len(shown.expected)))


def _verdict(found: Conformance) -> Text:
    name, events = found.engine, units.plural(sum(suite.events for suite in found.suites), "event")
    shown = found.counterexample
    match found.status:
        case "conforms":
            return plain_text(f"{name} gives the native engine's events: {events} are equal", "bold green")
        case "interrupted":
            return plain_text(f"interrupted: {events} were equal so far", "bold yellow")
        case "differs" if shown:
            return plain_text(f"{name} gives other events {shown.difference}", "bold red")
        case _:
            return plain_text(
                f"{found.engine} failed: {shown.difference if shown else 'no reason is known'}", "bold red"
            )


def _engine(found: Conformance) -> Iterator[tuple[str, str | None]]:
    yield "engine", f"{found.engine} {found.version} · {found.file}"
    yield "takes", ", ".join(["LIMIT", "CANCEL", *found.capabilities])
    yield "left out", ", ".join(found.not_compared) or None


def _suites(found: Conformance) -> Table:
    made = layout.table(
        "suite", "equal", "commands", "events", "skipped", right=("equal", "commands", "events"), wrap=("skipped",)
    )
    for suite in found.suites:
        made.add_row(
            suite.name,
            f"{suite.cases:,} of {suite.of - suite.skipped:,}",
            f"{suite.commands:,}",
            f"{suite.events:,}",
            plain_text(_skipped(suite), "dim"),
        )
    return made


def _skipped(suite: ConformanceSuite) -> str:
    return f"{suite.skipped:,}, which need {', '.join(suite.lacking)}" if suite.skipped else ""


def _case(shown: Counterexample) -> Iterator[tuple[str, str | None]]:
    yield "case", f"{shown.suite}: {shown.case}"
    shorter = len(shown.commands) < shown.case_commands
    yield "commands", f"{len(shown.commands):,} of its {shown.case_commands:,} show it" if shorter else None
    yield "rules", shown.rules or None
    yield "given", shown.how


def _commands(shown: Counterexample, most: int) -> Table:
    made = layout.table("command", "", right=("command",))
    first = max(0, len(shown.commands) - most)
    if first:
        made.add_row("...", f"{units.counted(first, 'command')} before; -v shows all")
    for number, command in enumerate(shown.commands[first:], first):
        at = number == shown.command
        made.add_row(str(number), plain_text(in_words(command), "bold" if at else ""))
    return made


def in_words(command: dict[str, int | str]) -> str:
    """A command as a line: its kind, and what it says. Fields that a kind does not read are left out if they are 0."""
    kind = str(command["kind"])
    stated = STATES[CommandType[kind]] if kind in CommandType.__members__ else frozenset(command)
    words = [kind]
    words += [f"order {command['order_id']}"] if "order_id" in stated else []
    words += [str(command["side"])] if "side" in stated else []
    if "quantity" in stated:
        words.append(f"{command['quantity']}@{command['price']}" if "price" in stated else str(command["quantity"]))
    others = {name: value for name, value in command.items() if name not in _SAID and value not in _SAYS_NOTHING}
    return " ".join([*words, *(f"{name} {value}" for name, value in others.items())])


_SAID = frozenset({"kind", "order_id", "side", "quantity", "price"})
_SAYS_NOTHING = (0, "GTC", "NONE")


def _events(shown: Counterexample, engine: str, most: int) -> Table:
    made = layout.table("", "native", engine, wrap=("native", engine))
    pairs = [*zip_longest(shown.expected, shown.given, fillvalue="")]
    first = max(0, len(pairs) - most)
    for expected, given in pairs[first:]:
        other = expected != given and bool(shown.given)
        made.add_row("≠" if other else "", plain_text(expected), plain_text(given, "red" if other else ""))
    return made
