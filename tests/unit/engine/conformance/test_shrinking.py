"""Command lists are made as short as what they show allows, whatever a candidate does to its process."""

import os
import signal

import numpy as np

from lowlat.engine.conformance.rows import stream_of
from lowlat.engine.conformance.shrinking import CandidateEnd, shrunk, tried
from lowlat.engine.matching.commands import command
from lowlat.engine.matching.records import COMMAND, Commands, CommandType

MANY = stream_of([command(CommandType.LIMIT, 1000 + at, price=at, quantity=at % 7 + 1) for at in range(200)])


def test_only_what_is_needed_stays() -> None:
    def shows(candidate: Commands) -> bool:
        assert candidate.dtype == COMMAND
        return {3, 77, 150} <= {*candidate["price"].tolist()}

    short = shrunk(MANY, shows)
    assert short["price"].tolist() == [3, 77, 150]
    assert short["order_id"].tolist() == [1, 2, 3] and short["quantity"].tolist() == [1, 1, 1]


def test_order_is_kept() -> None:
    short = shrunk(
        MANY, lambda candidate: bool(np.any(np.diff(candidate["price"].astype(int)) > 50)) or len(candidate) > 150
    )
    assert (np.diff(short["price"].astype(int)) > 0).all()


def test_one_command_stays_one() -> None:
    assert len(shrunk(MANY[:1], lambda candidate: len(candidate) == 1)) == 1


def test_outcome_of_a_candidate_is_that_of_its_process() -> None:
    assert tried(lambda: False) is CandidateEnd.EQUAL
    assert tried(lambda: True) is CandidateEnd.DIFFERENT
    assert tried(lambda: os.kill(os.getpid(), signal.SIGKILL) is None) is CandidateEnd.ENDED
    assert tried(lambda: os._exit(3)) is CandidateEnd.ENDED
