"""A profile of a recording, as text: what `lowlat profile fit` prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.recording import RecordedFlow
from lowlat.engine.flow.statistics.fit import fit_profile
from lowlat.engine.flow.statistics.measure import recorded_statistics
from lowlat.engine.flow.statistics.profile_text import profile_text
from lowlat.engine.flow.statistics.refine import refined


def recorded_profile(recorded: RecordedFlow | Flow, tell: Callable[[str, float], None]) -> tuple[str, Sequence[str]]:
    """The profile that resembles a recorded flow, as TOML, and what the flow does not show. `tell` takes what is done
    and the share of it done.
    """
    _, statistics = recorded_statistics(recorded, lambda share: tell("following the flow", share))
    fitted = fit_profile(statistics)
    fitted = refined(fitted, statistics, lambda share: tell("refining the profile", share))
    return profile_text(fitted.profile, fitted.notes), fitted.notes
