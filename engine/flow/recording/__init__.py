"""Recorded order flow: a venue's day as commands, with the venue's own executions kept as the expected answer."""

from lowlat.engine.flow.recording.best import LOOK_AHEAD_ROWS, BestCheck, best_states, compare_best
from lowlat.engine.flow.recording.build import recorded_flow
from lowlat.engine.flow.recording.model import FILL, Bursts, Fill, Ints, Origin, RecordedAuction, RecordedFlow
from lowlat.engine.flow.recording.venue_book import VenueBook
from lowlat.engine.flow.recording.verify import BurstCheck, BurstMismatch, StrayTrade, verify

__all__ = [
    "FILL",
    "LOOK_AHEAD_ROWS",
    "BestCheck",
    "BurstCheck",
    "BurstMismatch",
    "Bursts",
    "Fill",
    "Ints",
    "Origin",
    "RecordedAuction",
    "RecordedFlow",
    "StrayTrade",
    "VenueBook",
    "best_states",
    "compare_best",
    "recorded_flow",
    "verify",
]
