"""A recorded flow, measured as any other, and judged by the venue's own fills and quotes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from engine.arrays import aligned_copy
from engine.flow import Flow
from engine.lobster_file import read_best_states
from engine.native_engine import Engine
from engine.recorded import BurstMismatch, Fill, RecordedFlow, best_states, compare_best, verify
from engine.records import Kind
from engine.reference import ReferenceEngine
from engine.run import Progress, RunPlan, measure
from lowlat_errors import NotValidError
from reports.measures import Verification
from reports.model import Report


class NothingMeasuredError(NotValidError):
    """A report without verification, which a replay needs."""


def flow_of(recorded: RecordedFlow) -> Flow:
    """The recording as a flow: its seeding orders first, then what the file says."""
    commands = aligned_copy(recorded.commands)
    kinds = Counter(commands["kind"][recorded.seeded :].tolist())
    return Flow(
        name=recorded.path.name,
        commands=commands,
        seeded=recorded.seeded,
        orders=50_000,
        mix={kind.name.lower(): kinds[kind] for kind in Kind},
        instruments=(recorded.instrument(),),
        notes=tuple(_notes(recorded)),
    )


def replay(recorded: RecordedFlow, plan: RunPlan, expect: Path | None, progress: Progress) -> Report:
    """Measure the recording, and check each burst's fills and, with `expect`, the best bid and ask.

    `expect`: the vendor's LOBSTER order book file, of which the first level is compared. The checks run on the engine
    that `plan` names. Raises `LobsterError` for a file that cannot be used, before anything is measured.
    """
    vendor = read_best_states(expect) if expect else None
    flow = flow_of(recorded)
    report = measure(flow, plan, progress)
    make = Engine if plan.engine == "native" else ReferenceEngine
    bursts = verify(recorded, make(flow.instruments).process(flow.commands))
    quotes = None
    if vendor is not None:
        quotes = compare_best(recorded, best_states(make(flow.instruments), flow.commands), vendor)
    if report.verification is None:
        raise NothingMeasuredError("the runs verified nothing; run again")
    verification: Verification = replace(
        report.verification,
        bursts=bursts.total,
        matched=bursts.matched,
        quotes=quotes.total if quotes else None,
        quotes_matched=quotes.found if quotes else None,
        mismatches=tuple(
            [_mismatch(mismatch) for mismatch in bursts.mismatches]
            + [f"row {row}: this best bid and ask is not in the vendor's file" for row in _rows(quotes)]
        ),
    )
    return replace(report, verification=verification)


def _rows(quotes: object) -> tuple[int, ...]:
    rows: tuple[int, ...] = getattr(quotes, "missing_rows", ())
    return rows


def _mismatch(mismatch: BurstMismatch) -> str:
    return (
        f"row {mismatch.row}: {mismatch.side.name.lower()} order {mismatch.order_id} filled "
        f"{_fills(mismatch.actual)}; the venue filled {_fills(mismatch.expected)}"
    )


def _fills(fills: tuple[Fill, ...]) -> str:
    return ", ".join(f"{fill.quantity}@{fill.price} of {fill.maker_id}" for fill in fills) or "nothing"


def _notes(recorded: RecordedFlow) -> list[str]:
    rows = ", ".join(f"{name} {count:,}" for name, count in recorded.rows.items() if count)
    notes = [
        f"rows: {rows}",
        f"{recorded.seeded} orders seeded that were in the book before the file starts "
        f"({recorded.never_added} of all never enter in it), {recorded.moved_up} entered before their row as their ids say",
    ]
    if recorded.departures:
        notes.append(f"after {recorded.departures} bursts that depart from price-time priority the book is put right")
    return notes + [f"left out: {reason}: {count:,}" for reason, count in recorded.left_out.items() if count]
