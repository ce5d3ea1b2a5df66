"""Partitions that one host replays at once have a CPU each."""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest

from lowlat.fleet import cpu_claim
from lowlat.fleet.cpu_claim import claimed_cpu


@pytest.fixture(autouse=True)
def own_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apart from what else is replayed on this host."""
    monkeypatch.setattr(cpu_claim, "CLAIM", f"lowlat test {os.getpid()}")


def test_each_has_another_one_until_none_is_left() -> None:
    allowed = os.sched_getaffinity(0)
    with ExitStack() as held:
        claims = [held.enter_context(claimed_cpu()) for _ in allowed]
        assert set(claims) == allowed
        assert held.enter_context(claimed_cpu()) is None


def test_it_is_free_again_after_its_block() -> None:
    with claimed_cpu() as first:
        pass
    with claimed_cpu() as second:
        assert second == first is not None
