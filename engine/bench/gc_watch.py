"""What Python's garbage collector does during the passes of an engine that is called from Python."""

from __future__ import annotations

import gc
from typing import Any, Self

from lowlat.probes.clock.counter import ticks
from lowlat.probes.clock.scale import TickScale
from lowlat.reports.model.results import GarbageCollection


class GcWatch:
    """The collector is on in a `with` block, and its collections are counted. Outside it stays as it was."""

    def __init__(self) -> None:
        self._collections = self._ticks = self._longest = self._began = 0

    def settle(self) -> None:
        """Collect what was made before a pass: otherwise the block would begin with that, since the collector's counts
        go on while it is off.
        """
        gc.collect()

    def __enter__(self) -> Self:
        self._was_enabled = gc.isenabled()
        gc.callbacks.append(self._called)
        gc.enable()
        return self

    def __exit__(self, *_raised: object) -> None:
        if not self._was_enabled:
            gc.disable()
        gc.callbacks.remove(self._called)

    def _called(self, phase: str, _info: dict[str, Any]) -> None:
        if phase == "start":
            self._began = ticks()
            return
        took = ticks() - self._began
        self._collections += 1
        self._ticks += took
        self._longest = max(self._longest, took)

    def seen(self, scale: TickScale) -> GarbageCollection:
        """The collections in all blocks so far."""
        return GarbageCollection(
            collections=self._collections,
            pause_ns=scale.to_ns(self._ticks),
            longest_ns=scale.to_ns(self._longest),
        )


class GcStopped(GcWatch):
    """The collector is off in the block instead, and what lives before it is frozen."""

    def settle(self) -> None:
        """Collect what was made before, and take the rest out of all later collections."""
        super().settle()
        gc.freeze()

    def __enter__(self) -> Self:
        super().__enter__()
        gc.disable()
        return self

    def __exit__(self, *raised: object) -> None:
        super().__exit__(*raised)
        if self._was_enabled:
            gc.enable()
