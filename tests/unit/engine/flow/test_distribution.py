"""Distributions by hand, and the rows that a profile writes of them: near the samples, and none of a single order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from lowlat.engine.flow.quantiles import Quantiles, check_quantiles
from lowlat.engine.flow.recording import Ints
from lowlat.engine.flow.records import ORDER_LIFE, LifeEnd, OrderLives
from lowlat.engine.flow.statistics import quantile_rows
from lowlat.engine.flow.statistics.distribution import Distribution, ks_distance
from lowlat.engine.flow.statistics.quantile_rows import SAMPLES_PER_ROW, lifetime_rows, rows_of

NONE = Distribution.of(np.empty(0, dtype=np.int64))


def of(*samples: int) -> Distribution:
    return Distribution.of(np.array(samples))


def test_figures_by_hand() -> None:
    four = of(3, 1, 1, 10)
    assert (four.values.tolist(), four.counts.tolist(), four.total) == ([1, 3, 10], [2, 1, 1], 4)
    assert four.mean == 3.75
    assert [four.quantile(share) for share in (0, 0.5, 0.51, 0.75, 1)] == [1, 1, 3, 3, 10]
    assert (four.share(high=1), four.share(2, 10), four.share(low=11)) == (0.5, 0.5, 0)
    assert four.share_of_multiples(5) == 0.25


def test_without_samples_nothing_is_known() -> None:
    assert (NONE.mean, NONE.quantile(0.5), NONE.share(0, 1), NONE.share_of_multiples(2)) == (None, None, None, None)
    assert ks_distance(NONE, of(1)) is None
    assert Distribution.merged([]).total == 0


def test_merged_parts_are_the_distribution_of_all_samples() -> None:
    merged, whole = Distribution.merged([of(1, 5), NONE, of(5, -2, 5)]), of(1, 5, 5, -2, 5)
    assert (merged.values.tolist(), merged.counts.tolist()) == (whole.values.tolist(), whole.counts.tolist())


def test_distance_is_the_largest_difference_of_cumulative_shares() -> None:
    assert ks_distance(of(1, 2, 3, 4), of(1, 2, 3, 4)) == 0
    assert ks_distance(of(1, 2), of(3, 4)) == 1
    assert ks_distance(of(1, 2, 3, 4), of(2, 3, 4, 5)) == 0.25
    assert ks_distance(of(1, 1, 1, 9), of(1, 9)) == 0.25


# -- rows ------------------------------------------------------------------------------------------------------------


def at_most(rows: Quantiles, value: int, least: int) -> float:
    """The share that a profile's rows give to values up to this one."""
    return float(np.interp(value, [least - 1, *(row[0] for row in rows)], [0, *(row[1] for row in rows)]))


def furthest(rows: Quantiles, samples: Ints) -> float:
    values = np.arange(samples.min() - 1, samples.max() + 1)
    return max(abs(at_most(rows, int(value), 1) - (samples <= value).mean()) for value in values)


def test_atoms_and_ranges_are_kept() -> None:
    """40% even over 1..99, half exactly 100, 10% exactly 500."""
    samples = np.concatenate([np.arange(1, 100).repeat(40), np.full(4_950, 100), np.full(990, 500)])
    rows = rows_of(Distribution.of(samples), 1, 1_000)
    assert rows == ((99, 0.4), (100, 0.9), (499, 0.9), (500, 1.0))
    assert furthest(rows, samples) < 1e-6


def test_a_few_large_orders_are_not_shown() -> None:
    samples = np.array([100] * 999 + [123_457] * 9)
    assert rows_of(Distribution.of(samples), 1, 1_000_000) == ((99, 0.0), (100, 1.0))


def test_a_few_orders_beside_many_of_one_size_do_not_spread_these() -> None:
    assert rows_of(of(1, *[50] * 99, 60), 1, 100) == ((49, 0.0), (50, 1.0))


@given(st_numpy.arrays(np.int64, st.integers(200, 900), elements=st.integers(1, 400)))
def test_every_row_stands_for_ten_orders(samples: Ints) -> None:
    rows = rows_of(Distribution.of(samples), 1, 1_000_000)
    check_quantiles("rows", rows, least=1, most=1_000_000)
    shares = np.diff([0, *(share for _, share in rows)]) * len(samples)
    assert all(share < 0.5 or share > SAMPLES_PER_ROW - 0.5 for share in shares.tolist())
    assert furthest(rows, samples) < 0.003 + 2 * SAMPLES_PER_ROW / len(samples)
    assert len(rows) < 40


def test_rows_of_a_flow_without_that_rule_would_show_single_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.arange(1, 40) ** 2
    assert len(rows_of(Distribution.of(samples), 1, 10_000)) <= 6  # four ranges, with gaps between
    monkeypatch.setattr(quantile_rows, "SAMPLES_PER_ROW", 1)
    assert len(rows_of(Distribution.of(samples), 1, 10_000)) > 20


def test_values_beyond_what_a_profile_allows_count_as_its_bound() -> None:
    assert rows_of(of(*[5] * 50, *[2_000] * 50), 10, 1_000) == ((10, 0.5), (999, 0.5), (1_000, 1.0))


# -- lifetimes -------------------------------------------------------------------------------------------------------


def lives(*ends: tuple[int, LifeEnd]) -> OrderLives:
    rows = np.zeros(len(ends), dtype=ORDER_LIFE)
    rows["commands"], rows["end"] = zip(*ends, strict=True)
    return rows


def test_lifetimes_by_hand() -> None:
    """Of 100 orders 50 are canceled after 10 commands; 25 trade after 20; of the 25 left 20 are canceled after 30."""
    rows = lifetime_rows(
        lives(
            *[(10, LifeEnd.CANCELED)] * 50,
            *[(20, LifeEnd.FILLED)] * 25,
            *[(30, LifeEnd.CANCELED)] * 20,
            *[(40, LifeEnd.OPEN)] * 5,
        ),
        1_000,
    )
    assert rows is not None
    # 1 - 50/100 after 10; times 1 - 20/25 after 30.
    assert [(value, round(share, 6)) for value, share in rows] == [(9, 0.0), (10, 0.5), (29, 0.5), (30, 0.9)]


def test_trades_hide_some_cancels_and_the_estimate_finds_them() -> None:
    """Half would be canceled within 100 commands, but most trade before. Without these, lives look shorter."""
    random = np.random.default_rng(1)
    canceled, traded = random.exponential(100 / np.log(2), 50_000), random.exponential(50, 50_000)
    first = np.minimum(canceled, traded).astype(np.int64) + 1
    rows = lives(*zip(first, np.where(canceled < traded, LifeEnd.CANCELED, LifeEnd.FILLED).tolist(), strict=True))
    fitted = lifetime_rows(rows, 10_000)
    assert fitted is not None
    assert at_most(fitted, 100, 1) == pytest.approx(0.5, abs=0.02)
    naive = first[canceled < traded]
    assert (naive <= 100).mean() > 0.85


def test_lives_that_all_end_in_trades_say_nothing_about_cancels() -> None:
    assert lifetime_rows(lives((10, LifeEnd.FILLED), (12, LifeEnd.OPEN)), 1_000) is None
