"""Compares an engine with the native one on many workers: the lowest case with a fault is the one that counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from lowlat import units
from lowlat.engine.bench.engines import is_library
from lowlat.engine.conformance.parts import joined, parts_of
from lowlat.engine.conformance.verify import VerifyPlan, verify
from lowlat.errors import LowlatError, NotValidError, UsageError
from lowlat.fleet.attempts import Workers, answers
from lowlat.fleet.identity import FileIdentity, check_identity, identity_of, identity_of_library
from lowlat.reports.model.conformance import Conformance

Progress = Callable[[str, float], None]


def verify_in_parts(engine: str, plan: VerifyPlan, workers: Workers, progress: Progress) -> Conformance:
    """As `verify` of one process, and with the same document, for any number of workers.

    A part with a fault stops all behind it, and those before it go on: one of them may have the first fault. After
    Ctrl-C the document has the parts that are there. Raises `UsageError` or `NotValidError` for a part that cannot be
    compared, `InputError` for a file that cannot be read, and `KeyboardInterrupt` before the first part is there.
    """
    parts = parts_of(engine, plan)
    library = [identity_of_library(Path(engine))] if is_library(engine) else []
    files = (*library, *(identity_of(Path(file)) for file in plan.recorded))
    calls = {number: (engine, part, files, workers.canceled) for number, part in enumerate(parts)}
    found: dict[int, Conformance] = {}
    faults: set[int] = set()

    def waiting() -> None:
        progress(f"{len(found):,} of {units.counted(len(parts), 'part')} compared", len(found) / len(parts))

    try:
        for answer in answers(
            workers, verify_part, calls, waiting, lambda number: number <= min(faults, default=number)
        ):
            if answer.error is not None:
                workers.cancel()
                raise _named(parts[answer.number], answer.error)
            found[answer.number] = answer.value
            if answer.value.status != "conforms":
                faults.add(answer.number)
                workers.cancel(above=answer.number)
    except KeyboardInterrupt:
        workers.cancel()
        if not found:
            raise
        if not faults:  # a fault is one, also if there may be an earlier one
            return replace(joined(_up_to(found, faults)), status="interrupted")
    return joined(_up_to(found, faults))


def _up_to(found: dict[int, Conformance], faults: set[int]) -> Sequence[Conformance]:
    """What is there, up to the first fault."""
    return [found[number] for number in sorted(found) if number <= min(faults, default=number)]


def _named(part: VerifyPlan, error: LowlatError) -> LowlatError:
    suite, first, end = part.part or (0, 0, 0)
    kind = UsageError if isinstance(error, UsageError) else NotValidError
    return kind(f"cases {first + 1:,} to {end:,} of suite {suite + 1}: {error}")


def verify_part(
    engine: str, part: VerifyPlan, files: Sequence[FileIdentity], canceled: Callable[[], bool]
) -> Conformance:
    """One part, on whatever worker this is, with the files that the client has. Raises what `verify` raises, and
    `InputError` for another file.
    """

    def stop_if_canceled(_text: str, _share: float) -> None:
        if canceled():
            raise NotValidError("it was canceled")

    for file in files:
        check_identity(file)
    return verify(engine, part, stop_if_canceled)
