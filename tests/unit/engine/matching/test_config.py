"""Sizes out of range are rejected before any memory is allocated, with the value and the range in the message."""

import pytest

from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import ORDERS_MAX, SYMBOLS_MAX, TRADES_MAX, PoolPolicy
from lowlat.engine.reference.engine import ReferenceEngine
from lowlat.errors import UsageError

ONE = (Instrument(),)


@pytest.mark.parametrize("orders", [0, -1, ORDERS_MAX + 1])
def test_orders_out_of_range(orders: int) -> None:
    with pytest.raises(UsageError, match=f"orders: {orders} is outside 1..{ORDERS_MAX}"):
        EngineConfig(ONE, orders=orders)


@pytest.mark.parametrize("trades", [0, -1, TRADES_MAX + 1])
def test_trades_out_of_range(trades: int) -> None:
    with pytest.raises(UsageError, match=f"trades: {trades} is outside 1..{TRADES_MAX}"):
        EngineConfig(ONE, trades=trades)


def test_a_resting_order_cannot_be_recycled() -> None:
    with pytest.raises(UsageError, match="REJECT or GROW"):
        EngineConfig(ONE, when_orders_dry=PoolPolicy.RECYCLE)


@pytest.mark.parametrize("kind", [Engine, ReferenceEngine])
@pytest.mark.parametrize("symbols", [0, -1, SYMBOLS_MAX + 1, []])
def test_an_engine_holds_a_symbol_and_not_more_than_it_can(kind: type[Engine], symbols: int) -> None:
    with pytest.raises(UsageError, match=f"1 to {SYMBOLS_MAX} symbols"):
        kind(symbols)


def test_the_defaults_are_those_of_the_product() -> None:
    settings = Engine().settings
    assert (settings.orders, settings.trades) == (50_000, 100_000)
    assert (settings.when_orders_dry, settings.when_trades_dry) == (PoolPolicy.REJECT, PoolPolicy.RECYCLE)
    assert settings.instruments == ONE


def test_more_than_the_machine_has_is_an_error_and_no_kill() -> None:
    with pytest.raises(UsageError, match=r"1,073,741,824 orders .* GiB are available; use smaller pools"):
        Engine(orders=ORDERS_MAX, trades=TRADES_MAX)


def test_an_engine_is_made_of_settings_or_of_their_parts() -> None:
    settings = EngineConfig((Instrument(tick=5),), orders=3, trades=4, when_orders_dry=PoolPolicy.GROW)
    parts = Engine([Instrument(tick=5)], orders=3, trades=4, when_orders_dry=PoolPolicy.GROW)
    assert Engine.of(settings).settings == parts.settings == settings
