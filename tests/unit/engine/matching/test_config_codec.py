"""Every form of an engine's configuration has every field, and the plain form restores the whole configuration."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.config_codec import from_plain, native_rules, to_plain, to_words
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import MatchAlgorithm, PoolPolicy, TickRounding
from lowlat.errors import UsageError

DEFAULTS = EngineConfig((Instrument(), Instrument()))
OF_INSTRUMENTS: dict[str, Any] = {
    "tick": 5,
    "lot": 7,
    "price_min": -9,
    "price_max": 11,
    "unit": Decimal("0.00025"),
    "algorithm": MatchAlgorithm.PRO_RATA,
    "off_tick": TickRounding.NEAREST,
}
OF_POOLS: dict[str, Any] = {
    "orders": 13,
    "trades": 17,
    "when_orders_dry": PoolPolicy.GROW,
    "when_trades_dry": PoolPolicy.REJECT,
}


def test_every_field_has_another_value_here() -> None:
    assert [*OF_INSTRUMENTS] == [field.name for field in dataclasses.fields(Instrument)]
    assert ["instruments", *OF_POOLS] == [field.name for field in dataclasses.fields(EngineConfig)]


@pytest.mark.parametrize("name", [*OF_INSTRUMENTS, *OF_POOLS])
def test_a_field_is_in_every_form(name: str) -> None:
    if name in OF_POOLS:
        changed = dataclasses.replace(DEFAULTS, **{name: OF_POOLS[name]})
    else:
        changed = dataclasses.replace(DEFAULTS, instruments=(Instrument(), Instrument(**{name: OF_INSTRUMENTS[name]})))
        assert (native_rules(changed) == native_rules(DEFAULTS)).all() == (name == "unit")
    assert to_plain(changed) != to_plain(DEFAULTS)
    assert to_words(changed) != to_words(DEFAULTS)
    assert from_plain(msgspec.json.decode(msgspec.json.encode(to_plain(changed)))) == changed != DEFAULTS


def test_the_native_rules_are_the_integers_in_order() -> None:
    rules = native_rules(EngineConfig((Instrument(**OF_INSTRUMENTS),)))
    assert rules.tolist() == [[5, 7, -9, 11, 1, 1]]


def test_other_keys_are_left_alone() -> None:
    assert from_plain(to_plain(DEFAULTS) | {"identity": "of a journal"}) == DEFAULTS


@pytest.mark.parametrize(
    "wrong",
    [{"orders": "many"}, {"when_orders_dry": 3}, {"symbols": [[1, 1]]}, {"symbols": [[1, 1, 0, 9, "cheap", 0, 0]]}],
)
def test_values_of_other_types_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        from_plain(to_plain(DEFAULTS) | wrong)


@pytest.mark.parametrize("wrong", [{"orders": 0}, {"symbols": []}, {"symbols": [[0, 1, 0, 9, "1", 0, 0]]}])
def test_what_no_engine_can_have_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        from_plain(to_plain(DEFAULTS) | wrong)
