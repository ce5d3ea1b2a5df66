"""Instruments convert decimal prices: a price that is not a whole number of ticks is an error, never rounded."""

from decimal import Decimal

import pytest

from lowlat.engine.matching.instrument import PRICE_MAX, PRICE_MIN, Instrument
from lowlat.engine.matching.records import QUANTITY_MAX
from lowlat.errors import OffTickError, UsageError


@pytest.mark.parametrize(
    ("unit", "decimal", "price"),
    [
        ("0.01", "585.33", 58_533),
        ("0.01", "-37.63", -3_763),  # crude oil, 20 April 2020
        ("0.0001", Decimal("1.0842"), 10_842),
        ("0.25", "4100.75", 16_403),
        ("5", "100", 20),
        ("0.01", "0.00", 0),
    ],
)
def test_a_decimal_price_there_and_back(unit: str, decimal: str, price: int) -> None:
    instrument = Instrument(unit=Decimal(unit))
    assert instrument.price(decimal) == price
    assert instrument.decimal(price) == Decimal(decimal)


def test_both_ends_of_int64_there_and_back() -> None:
    instrument = Instrument()
    for price in (PRICE_MIN, PRICE_MAX):
        assert instrument.price(instrument.decimal(price)) == price


@pytest.mark.parametrize("decimal", ["585.335", "0.001", "1e-30", "NaN", "Infinity", "ten", ""])
def test_no_whole_number_of_units_is_an_error(decimal: str) -> None:
    with pytest.raises(OffTickError):
        Instrument().price(decimal)


def test_a_price_between_two_ticks_is_an_error() -> None:
    half = Instrument(tick=50)
    assert half.price("1.50") == 150
    with pytest.raises(OffTickError, match=r"1.25 is not a multiple of the tick, 0.50"):
        half.price("1.25")


@pytest.mark.parametrize("decimal", ["92233720368547758.08", "-92233720368547758.09", "1e40"])
def test_a_price_beyond_int64_is_an_error(decimal: str) -> None:
    with pytest.raises(OffTickError, match="64 bits"):
        Instrument().price(decimal)


@pytest.mark.parametrize("fields", [{"tick": 0}, {"tick": -1}, {"tick": 2**63}, {"lot": 0}, {"lot": QUANTITY_MAX + 1}])
def test_ticks_and_lots_are_positive_and_fit(fields: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=next(iter(fields))):
        Instrument(**fields)


@pytest.mark.parametrize("band", [(1, 0), (PRICE_MIN - 1, 0), (0, PRICE_MAX + 1)])
def test_a_band_is_not_empty_and_within_int64(band: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="band"):
        Instrument(price_min=band[0], price_max=band[1])


@pytest.mark.parametrize(
    "unit",
    [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-0.01"), Decimal(0), 0.01, float("inf"), 1, None],
)
def test_a_unit_is_a_positive_decimal(unit: object) -> None:
    with pytest.raises(UsageError, match=r"unit .* is not a positive Decimal; use e\.g\. Decimal\('0\.01'\)"):
        Instrument(unit=unit)  # type: ignore[arg-type]


@pytest.mark.parametrize("zeros", [20, 27, 28, 40, 1_000, 1_000_000])
def test_digits_beyond_those_of_decimal_arithmetic_are_not_lost(zeros: int) -> None:
    """A Decimal division rounds to 28 digits, so that 1.000...1 would become 1."""
    assert Instrument().price("1." + "0" * zeros) == 100
    with pytest.raises(OffTickError, match=r"is not a multiple of the tick, 0\.01"):
        Instrument().price("1." + "0" * zeros + "1")


@pytest.mark.parametrize(
    "price",
    ["1" * 9_000, "1." + "0" * 9_000 + "1", 10**9_000, "\n" * 9_000, [0] * 9_000],
    ids=["large", "fine", "integer", "lines", "list"],
)
def test_a_message_about_a_long_price_is_short_and_one_line(price: object) -> None:
    with pytest.raises((OffTickError, UsageError)) as raised:
        Instrument().price(price)  # type: ignore[arg-type]
    assert len(str(raised.value)) < 250 and "\n" not in str(raised.value)


@pytest.mark.parametrize("decimal", ["1e999999", "-1e999999", "1e-999999"])
def test_a_huge_exponent_is_refused_at_once(decimal: str) -> None:
    with pytest.raises(OffTickError):
        Instrument().price(decimal)
    assert Instrument().price("0e999999") == 0


def test_a_float_is_told_to_be_a_string() -> None:
    with pytest.raises(UsageError, match=r"price 585\.33 is neither a string nor a Decimal; use price\('585\.33'\)"):
        Instrument().price(585.33)  # type: ignore[arg-type]
    assert Instrument().price(585) == 58_500


@pytest.mark.parametrize("text", ["\u0663", "1\u0662", "1_0", " 1", "1\n", "\uff11", "0x1", ""])
def test_a_price_is_written_in_plain_digits(text: str) -> None:
    with pytest.raises(OffTickError, match="is not a decimal number"):
        Instrument().price(text)
