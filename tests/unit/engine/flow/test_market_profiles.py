"""The profiles that claim to look like a market do: their flows have the figures that docs/reference/profiles.md gives,
and a flow that does not is told apart.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec
import pytest

from lowlat.engine.flow.profile import Profile, load_profile
from lowlat.engine.flow.statistics.measure import FlowStatistics, flow_statistics
from lowlat.engine.flow.synthetic import synthetic_flow

COMMANDS = 200_000


@lru_cache
def measured(name: str, seed: int = 1) -> FlowStatistics:
    return flow_statistics(synthetic_flow(load_profile(name), COMMANDS, seed))


def share(statistics: FlowStatistics, name: str, low: int | None = None, high: int | None = None) -> float:
    found = statistics[name].share(low, high)
    assert found is not None
    return found


def mean(statistics: FlowStatistics, name: str) -> float:
    found = statistics[name].mean
    assert found is not None
    return found


def check_mix(statistics: FlowStatistics, profile: Profile) -> None:
    """The commands are those of the mix, though cancels come when lives end."""
    weights = msgspec.structs.asdict(profile.mix)
    for act, weight in weights.items():
        stated = weight / sum(weights.values())
        assert statistics.acts.get(act, 0) / statistics.commands == pytest.approx(stated, abs=0.005), act


def check_equity(statistics: FlowStatistics) -> None:
    """As the recorded hour of AAPL, whose figures these are."""
    assert share(statistics, "queue", 1, 1) == pytest.approx(0.661, abs=0.05)
    assert share(statistics, "cancel_behind", 0, 0) == pytest.approx(0.876, abs=0.06)
    assert share(statistics, "cancel_lifetime", high=10) == pytest.approx(0.385, abs=0.05)
    assert share(statistics, "add_ahead", 0, 0) == pytest.approx(0.669, abs=0.05)
    assert share(statistics, "add_quantity", 100, 100) == pytest.approx(0.527, abs=0.02)
    assert share(statistics, "add_distance", high=-1) == pytest.approx(0.202, abs=0.03)
    assert statistics["queue"].quantile(0.5) == 1
    assert statistics["spread"].quantile(0.5) == pytest.approx(19, abs=4)
    assert mean(statistics, "live_orders") == pytest.approx(318, rel=0.2)
    assert statistics.taken[1] / sum(statistics.taken) == pytest.approx(0.618, abs=0.04)
    assert statistics.taken[2] / sum(statistics.taken) == pytest.approx(0.046, abs=0.02)


def check_futures(statistics: FlowStatistics) -> None:
    """As published of large-tick futures: see the reference."""
    assert share(statistics, "spread", 1, 1) > 0.99
    assert statistics["queue"].quantile(0.5) > 100
    added = statistics.acts["add"] * mean(statistics, "add_quantity")
    taken = sum(statistics.taken) * mean(statistics, "aggressive_quantity")
    assert taken / added < 0.04


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_equity_has_the_recorded_figures(seed: int) -> None:
    check_equity(measured("equity", seed))
    check_mix(measured("equity", seed), load_profile("equity"))


def test_futures_has_the_published_figures() -> None:
    check_futures(measured("futures"))
    check_mix(measured("futures"), load_profile("futures"))


@pytest.mark.parametrize("check", [check_equity, check_futures])
@pytest.mark.parametrize("name", ["steady", "deep", "cancel-storm"])
def test_the_other_profiles_do_not(name: str, check) -> None:
    with pytest.raises(AssertionError):
        check(measured(name))


def without(profile: Profile, table: str) -> FlowStatistics:
    """The profile's flow without one of its tables."""
    lacking = msgspec.structs.replace(profile, **{table: () if table == "lifetime" else None})
    return flow_statistics(synthetic_flow(lacking, COMMANDS, 1))


@pytest.mark.parametrize("table", ["placement", "lifetime", "aggressive"])
def test_equity_needs_each_of_its_tables(table: str) -> None:
    with pytest.raises(AssertionError):
        check_equity(without(load_profile("equity"), table))


@pytest.mark.slow
def test_day_is_larger_than_a_cache_and_as_active_as_zipf_says() -> None:
    made = synthetic_flow(load_profile("day"), 100_000, 1)
    assert made.live_orders is not None
    assert 1_300_000 < made.live_orders.mean < 1_600_000
    assert len(made.instruments) == 8_000
    seeded = made.commands[: made.seeded]["symbol"]
    assert min((seeded == symbol).sum() for symbol in (0, 100, 7_999)) > 100
    active = (made.measured["symbol"] == 0).mean()
    assert active == pytest.approx(1 / 9.56, abs=0.02)


def test_the_first_commands_are_like_the_last() -> None:
    """The book begins in the flow's steady state: no wave of cancels, no spread that has yet to form."""
    late = measured("equity")
    for seed in (1, 2, 3):
        early = flow_statistics(synthetic_flow(load_profile("equity"), 20_000, seed))
        for name, low, high in (("queue", 1, 1), ("cancel_lifetime", None, 10)):
            assert share(early, name, low, high) == pytest.approx(share(late, name, low, high), abs=0.05)
        assert early["spread"].quantile(0.5) == pytest.approx(late["spread"].quantile(0.5), abs=4)


def test_zipf_exponent_sets_how_unequal_books_are() -> None:
    profile = msgspec.structs.replace(load_profile("many-symbols"), symbols=100, zipf_exponent=0.5)
    counts = flow_statistics(synthetic_flow(profile, COMMANDS, 1)).by_symbol
    assert counts[0] / counts[99] == pytest.approx(10, rel=0.15)
    even = msgspec.structs.replace(profile, zipf_exponent=0.0)
    counts = flow_statistics(synthetic_flow(even, COMMANDS, 1)).by_symbol
    assert counts.max() / counts.min() < 1.2
