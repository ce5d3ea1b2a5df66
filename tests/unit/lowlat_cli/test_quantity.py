"""Quantities set the length and load of a run: a value off by a factor of 1,000 must not be accepted."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from lowlat.errors import FormatError
from lowlat_cli.quantity import parse_count, parse_duration_ns, parse_objective, parse_rate, parse_size, parse_sweep


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("7", 7),
        ("007", 7),
        ("250_000", 250_000),
        ("250k", 250_000),
        ("250K", 250_000),
        ("2M", 2_000_000),
        ("1.5M", 1_500_000),
        ("1.000001M", 1_000_001),
        ("1G", 1_000_000_000),
        (" 3 k ", 3_000),
        ("18446744073709551615", 2**64 - 1),
        ("0.1k", 100),
    ],
)
def test_counts(text: str, number: int) -> None:
    assert parse_count(text) == number


@pytest.mark.parametrize(
    ("text", "per_second"),
    [("500k/s", 500_000), ("1/s", 1), ("2.5M/s", 2_500_000), ("1M", 1_000_000), ("500 k", 500_000)],
)
def test_rates(text: str, per_second: int) -> None:
    assert parse_rate(text) == per_second


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1ns", 1),
        ("250us", 250_000),
        ("250µs", 250_000),  # U+00B5
        ("250\u03bcs", 250_000),
        ("1.5ms", 1_500_000),
        ("10s", 10_000_000_000),
        ("2min", 120_000_000_000),
        ("1h", 3_600_000_000_000),
        ("0.000000001s", 1),
        ("0s", 0),
    ],
)
def test_durations(text: str, nanoseconds: int) -> None:
    assert parse_duration_ns(text) == nanoseconds


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        # m could be milli or million, Mi is binary, e is not how these are written here
        *[(parse_count, text) for text in ["", " ", "k", "1m", "1Mi", "1e6", "1,000", "-5", "+5", "1__0", "_1", "1_"]],
        *[(parse_count, text) for text in ["1.5", "1.0001k", "0x10", "٣", "1k/s", "10s", "nan", "inf", "9" * 41]],
        *[(parse_rate, text) for text in ["", "500k/", "/s", "500k/ms", "500k/S", "1.5/s", "1/s/s"]],
        *[(parse_duration_ns, text) for text in ["", "10", "10S", "10Ms", "1.5ns", "0.1ns", "s", "-1s", "1s 5ms"]],
    ],
)
def test_anything_else_is_refused_with_the_text_and_what_to_write(parse: Callable[[str], int], text: str) -> None:
    with pytest.raises(FormatError) as refused:
        parse(text)
    message = str(refused.value)
    assert repr(text[:40])[:-1] in message
    assert {parse_count: "2M", parse_rate: "500k/s", parse_duration_ns: "250us"}[parse] in message


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("1k:8k:4", (1_000, 2_000, 4_000, 8_000)),
        ("100k:20M:2", (100_000, 20_000_000)),
        ("1M/s:100M/s:3", (1_000_000, 10_000_000, 100_000_000)),
        (" 1 : 4 : 4 ", (1, 2, 3, 4)),  # 4^(1/3) and 4^(2/3), rounded
        ("1:100:2", (1, 100)),
    ],
)
def test_sweeps(text: str, rates: tuple[int, ...]) -> None:
    assert parse_sweep(text) == rates


def test_a_sweep_rises_by_one_factor_and_ends_exactly() -> None:
    rates = parse_sweep("100k:20M:8")
    assert (len(rates), rates[0], rates[-1]) == (8, 100_000, 20_000_000)
    assert [high / low for low, high in pairwise(rates)] == [pytest.approx(200 ** (1 / 7), rel=1e-5)] * 7
    assert len(parse_sweep("1k:1G:100")) == 100


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", ""),
        ("100k", ""),
        ("100k:20M", ""),
        ("100k:20M:8:1", ""),
        ("100k-20M-8", ""),
        ("100k:20M:", "'' is not an integer"),
        ("100k:20m:8", "'20m' is not an integer"),
        ("100k/s:20M/ms:8", "'20M/ms' is not an integer"),
        ("1k:2k:1", "1 is outside 2..100 steps"),
        ("1k:2k:101", "101 is outside 2..100 steps"),
        ("20M:100k:8", "FROM must be above 0 and below TO"),
        ("1M:1M:2", "FROM must be above 0 and below TO"),
        ("0:1M:2", "FROM must be above 0"),
        ("1:10:10", "10 steps this close round to the same rate"),
    ],
)
def test_a_sweep_that_is_none_says_what_to_write(text: str, why: str) -> None:
    with pytest.raises(FormatError, match="write FROM:TO:STEPS such as 100k:20M:8") as refused:
        parse_sweep(text)
    assert str(refused.value).startswith(f"{text!r} is not a sweep of rates")
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("text", "objective"),
    [("p99=10us", ("99", 10_000)), (" p99.9 = 1.5ms", ("99.9", 1_500_000)), ("p50=40ns", ("50", 40))],
)
def test_objectives(text: str, objective: tuple[str, int]) -> None:
    assert parse_objective(text) == objective


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", ""),
        ("p99", ""),
        ("99=10us", ""),
        ("max=10us", ""),
        ("p-1=10us", ""),
        ("p99<10us", ""),
        ("p99=10", "'10' is not a duration"),
        ("p99=-1us", "'-1us' is not a duration"),
        ("p99=nan", "'nan' is not a duration"),
        ("p99=0ns", "no response takes 0 ns"),
        ("p99=" + "9" * 50 + "us", ""),
    ],
)
def test_an_objective_that_is_none_says_what_to_write(text: str, why: str) -> None:
    with pytest.raises(FormatError, match="write a percentile and a time, such as p99=10us") as refused:
        parse_objective(text)
    assert "is not an objective" in str(refused.value) and why in str(refused.value)


def test_a_fraction_of_the_smallest_unit_is_said_to_be_one() -> None:
    with pytest.raises(FormatError, match=r"'1\.5ns' is not a duration \(finer than the smallest unit\)"):
        parse_duration_ns("1.5ns")


def test_a_very_long_number_is_refused_at_once_and_not_printed_whole() -> None:
    with pytest.raises(FormatError, match="is not an integer") as refused:
        parse_count("9" * 1_000_000)
    assert len(str(refused.value)) < 150


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("4096", 4096), ("1B", 1), ("64MiB", 64 << 20), ("64M", 64 << 20), ("1.5 GiB", 3 << 29), ("2T", 2 << 40)],
)
def test_sizes(text: str, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize("text", ["", "MiB", "-1", "64MB", "64mib", "0.3B", "1e6", "9" * 99, "1 GiB s"])
def test_sizes_with_another_unit_or_none_are_refused(text: str) -> None:
    with pytest.raises(FormatError, match="is not a size of memory"):
        parse_size(text)
