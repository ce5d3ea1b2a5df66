"""Measures a recorded flow like any other, and checks it against the venue's own fills and quotes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lowlat import units
from lowlat.engine.bench.engines import engine_entry
from lowlat.engine.bench.run import Progress, RunPlan, measure, settings_of
from lowlat.engine.flow.recording import (
    BestCheck,
    BurstCheck,
    BurstMismatch,
    Fill,
    RecordedFlow,
    VenueBook,
    best_states,
    compare_best,
    verify,
)
from lowlat.errors import NotValidError
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Verification


def replay(recorded: RecordedFlow, plan: RunPlan, book: VenueBook | None, progress: Progress) -> Report:
    """Measure the recording, and check each burst's fills and, with the venue's `book`, the best bid and ask.

    The checks run with the pool sizes of `plan`,
    on its engine, or on the native one if its events are compared with that one's. If the engine rejects a command of
    the recording, or trades where the recording does not, the report is invalid.
    """
    flow = recorded.flow()
    sized = settings_of(flow, plan)
    engine = engine_entry(plan.engine).stand_in
    # Before the runs, so that an interruption does not lose their results.
    progress("checking the fills", 0.0)
    bursts = verify(recorded, engine.make_compiled(sized).process(flow.commands))
    quotes = None
    if book is not None:
        progress("checking the best bid and ask", 0.0)
        states = best_states(engine.make_compiled(sized), flow.commands)
        quotes = compare_best(recorded, states, book.best)
    report = measure(flow, plan, progress)
    if report.verification is None:
        raise NotValidError("the runs verified nothing; run it again")
    report = replace(report, verification=_judged(report.verification, bursts, quotes))
    if wrong := tuple(why_not_valid(bursts)):
        report = replace(report, status="invalid", status_reasons=(*report.status_reasons, *wrong))
    return report


def _judged(verification: Verification, bursts: BurstCheck, quotes: BestCheck | None) -> Verification:
    missing = quotes.missing_rows if quotes else ()
    return replace(
        verification,
        bursts=bursts.total,
        matched=bursts.matched,
        quotes=quotes.total if quotes else None,
        quotes_matched=quotes.found if quotes else None,
        mismatches=(
            *(_mismatch(mismatch) for mismatch in bursts.mismatches),
            *(f"row {row}: this best bid and ask is not in the vendor's file" for row in missing),
        ),
    )


def why_not_valid(bursts: BurstCheck) -> Iterator[str]:
    """Why a report with this check is not valid; nothing if it is."""
    if bursts.rejected:
        yield f"the engine rejected {units.counted(bursts.rejected, 'command')} of the recording"
    if stray := bursts.first_stray:
        yield (
            f"the engine made {units.counted(bursts.stray_trades, 'trade')} that the recording does not have; at row "
            f"{stray.row}, order {stray.order_id} traded with order {stray.maker_id}, which came in at row "
            f"{stray.maker_row}"
        )


def _mismatch(mismatch: BurstMismatch) -> str:
    return (
        f"row {mismatch.row}: {mismatch.side.name.lower()} order {mismatch.order_id} filled "
        f"{_fills(mismatch.actual)}; the venue filled {_fills(mismatch.expected)}"
    )


def _fills(fills: tuple[Fill, ...]) -> str:
    return ", ".join(f"{fill.quantity}@{fill.price} of {fill.maker_id}" for fill in fills) or "nothing"
