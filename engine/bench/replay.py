"""A recorded flow, measured as any other, and judged by the venue's own fills and quotes."""

from __future__ import annotations

from dataclasses import replace

from lowlat.engine.bench.engines import ENGINES
from lowlat.engine.bench.run import Progress, RunPlan, measure, settings_of
from lowlat.engine.flow.recording import BurstMismatch, Fill, Ints, RecordedFlow, best_states, compare_best, verify
from lowlat.errors import NotValidError
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Verification


class NothingMeasuredError(NotValidError):
    """A report without verification, which a replay needs."""


def replay(recorded: RecordedFlow, plan: RunPlan, vendor: Ints | None, progress: Progress) -> Report:
    """Measure the recording, and check each burst's fills and, with `vendor`, the best bid and ask.

    `vendor`: the venue's own best states, as `compare_best` takes them. The checks run on the engine that `plan` names,
    sized as it says; an engine that refuses a command of the recording, or trades where the recording does not, makes
    the report invalid.
    """
    flow = recorded.flow()
    sized = settings_of(flow, plan)
    engine = ENGINES.get(plan.engine)
    # Before the runs, so that an interruption does not lose what they measured.
    progress("checking the fills", 0.0)
    bursts = verify(recorded, engine.make(sized).process(flow.commands))
    quotes = None
    if vendor is not None:
        progress("checking the best bid and ask", 0.0)
        states = best_states(engine.make(sized), flow.commands)
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
