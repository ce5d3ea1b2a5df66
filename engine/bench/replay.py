"""A recorded flow, measured as any other, and judged by the venue's own fills and quotes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lowlat.engine.bench.run import Progress, RunPlan, measure, settings_of
from lowlat.engine.flow.readers.lobster.file import read_best_states
from lowlat.engine.flow.recording import BurstMismatch, Fill, RecordedFlow, best_states, compare_best, verify
from lowlat.engine.matching.native import Engine
from lowlat.engine.reference.engine import ReferenceEngine
from lowlat.errors import NotValidError
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Verification


class NothingMeasuredError(NotValidError):
    """A report without verification, which a replay needs."""


def replay(recorded: RecordedFlow, plan: RunPlan, expect: Path | None, progress: Progress) -> Report:
    """Measure the recording, and check each burst's fills and, with `expect`, the best bid and ask.

    `expect`: the vendor's LOBSTER order book file, of which the first level is compared. The checks run on the engine
    that `plan` names, sized as it says; an engine that refuses a command of the recording, or trades where the
    recording does not, makes the report invalid. Raises `LobsterError` for a file that cannot be used, before anything
    is measured.
    """
    vendor = read_best_states(expect) if expect else None
    flow = recorded.flow()
    sized = settings_of(flow, plan)
    make = Engine if plan.engine == "native" else ReferenceEngine
    # Before the runs, so that an interruption does not lose what they measured.
    progress("checking the fills", 0.0)
    bursts = verify(recorded, make.of(sized).process(flow.commands))
    quotes = None
    if vendor is not None:
        progress("checking the best bid and ask", 0.0)
        states = best_states(make.of(sized), flow.commands)
        quotes = compare_best(recorded, states, vendor)
    missing = quotes.missing_rows if quotes else ()
    report = measure(flow, plan, progress)
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
            + [f"row {row}: this best bid and ask is not in the vendor's file" for row in missing]
        ),
    )
    report = replace(report, verification=verification)
    wrong = []
    if bursts.rejected:
        wrong.append(f"the engine refused {bursts.rejected:,} commands of the recording")
    if bursts.stray_trades:
        wrong.append(f"the engine traded {bursts.stray_trades:,} times where the recording does not")
    if wrong:
        report = replace(report, status="invalid", status_reasons=(*report.status_reasons, *wrong))
    return report


def _mismatch(mismatch: BurstMismatch) -> str:
    return (
        f"row {mismatch.row}: {mismatch.side.name.lower()} order {mismatch.order_id} filled "
        f"{_fills(mismatch.actual)}; the venue filled {_fills(mismatch.expected)}"
    )


def _fills(fills: tuple[Fill, ...]) -> str:
    return ", ".join(f"{fill.quantity}@{fill.price} of {fill.maker_id}" for fill in fills) or "nothing"
