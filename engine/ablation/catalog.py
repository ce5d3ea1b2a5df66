"""All techniques by name, and the control. To add one, write how a run of a variant is measured, and an entry in one of
the parts of the catalog.
"""

from __future__ import annotations

import difflib
from typing import Final

from lowlat.engine.ablation.catalog_engine import OF_THE_ENGINE
from lowlat.engine.ablation.catalog_host import OF_THE_HOST
from lowlat.engine.ablation.catalog_python import OF_PYTHON
from lowlat.engine.ablation.catalog_threads import OF_THREADS
from lowlat.engine.ablation.technique import Around, Technique
from lowlat.engine.ablation.whole_engine import same_twice
from lowlat.errors import UsageError
from lowlat.reports.model.ablation import CONTROL

TECHNIQUES: Final = (*OF_THE_ENGINE, *OF_THE_HOST, *OF_THREADS, *OF_PYTHON)
"""In the order of tables."""
THE_CONTROL: Final = Technique(
    name=CONTROL,
    title="control: the same twice",
    why="Nothing differs, so any difference seen here is chance, and weakens all other rows.",
    mechanism="Both variants are the engine's batch.",
    with_it="the engine's batch",
    without="the engine's batch",
    limits="It shows that the measurement does not see differences that are not there, not that it sees all that are.",
    operation="command",
    operations=200_000,
    decides="cpu",
    measure=same_twice,
    around=Around(),
    pairs_per_round=2,  # that nothing differs takes more to see than that something does
)
BY_NAME: Final = {each.name: each for each in (*TECHNIQUES, THE_CONTROL)}


def chosen(listed: str | None) -> tuple[Technique, ...]:
    """The techniques of a list of names, comma-separated, in the order of the catalog; all without a list. The control
    is always among them, and last.

    Raises `UsageError` for a list without a name, and for a name that is none, with the nearest one.
    """
    wanted = {name.strip() for name in (listed or "").split(",") if name.strip()}
    if listed is not None and not wanted:
        raise UsageError(f"{listed!r} names no technique; write some, as in look-ahead,pool")
    for name in sorted(wanted - BY_NAME.keys()):
        near = difflib.get_close_matches(name, BY_NAME, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"{name!r} is not one of {', '.join(BY_NAME)}{meant}")
    return (*(each for each in TECHNIQUES if not wanted or each.name in wanted), THE_CONTROL)
