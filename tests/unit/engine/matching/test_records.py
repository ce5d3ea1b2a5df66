"""Python and C++ write into the same bytes: were one field's offset different, every number would still be a number.

Also the alignment promised by S10: by address, kept where slices start, and not needed for a correct answer.
"""

import numpy as np
import pytest

from lowlat.engine import _core
from lowlat.engine.matching import instrument, records
from lowlat.engine.matching.aligned import CACHE_LINE, aligned_copy, aligned_empty
from lowlat.engine.matching.config import PoolPolicy
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import (
    COMMAND,
    EVENT,
    EXTENDED_COMMAND,
    LEVEL,
    ORDER,
    STOP,
    TRADE,
    CommandType,
    Side,
    command,
    commands,
)

DTYPES = {
    "COMMAND": COMMAND,
    "EXTENDED_COMMAND": EXTENDED_COMMAND,
    "EVENT": EVENT,
    "TRADE": TRADE,
    "LEVEL": LEVEL,
    "ORDER": ORDER,
    "STOP": STOP,
}
ENUMERATIONS = {
    enumeration.__name__: enumeration
    for enumeration in (
        *[records.CommandType, records.Side, records.TimeInForce, records.ExecInst, records.ExecType, records.Reason],
        *[records.SelfTradePrevention, records.TradingPhase, instrument.MatchAlgorithm, instrument.TickRounding],
        PoolPolicy,
    )
}


@pytest.mark.parametrize("name", DTYPES)
def test_every_field_lies_where_the_struct_has_it(name: str) -> None:
    dtype = DTYPES[name]
    assert dtype.names is not None and dtype.fields is not None
    seen = {"": (0, dtype.itemsize)}
    for field in dtype.names:
        kind, offset = dtype.fields[field][:2]
        seen[field] = (offset, kind.itemsize)
    native = _core.record_layouts()[name]
    assert seen == native


def test_every_struct_is_compared() -> None:
    assert set(_core.record_layouts()) == set(DTYPES)


@pytest.mark.parametrize("name", DTYPES)
def test_no_record_straddles_a_cache_line(name: str) -> None:
    assert DTYPES[name].itemsize in (32, CACHE_LINE)


def test_enumerations_have_the_same_members_and_values() -> None:
    assert _core.enumerations() == {
        name: {member.name: member.value for member in enumeration} for name, enumeration in ENUMERATIONS.items()
    }
    assert _core.QUANTITY_MAX == records.QUANTITY_MAX


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_arrays_start_on_a_cache_line(count: int) -> None:
    for dtype in DTYPES.values():
        assert aligned_empty(count, dtype).ctypes.data % CACHE_LINE == 0
        assert aligned_empty(count, dtype).shape == (count,)


def test_what_an_engine_returns_starts_on_a_cache_line() -> None:
    engine = Engine()
    arrays = [
        engine.submit(1, Side.BUY, 5, 100),
        engine.submit(2, Side.SELL, 3, 100),
        *[engine.orders(), engine.depth(Side.BUY, 5), engine.trades()],
    ]
    assert [len(array) for array in arrays] == [1, 2, 1, 1, 1]
    assert [array.ctypes.data % CACHE_LINE for array in arrays] == [0] * 5


def test_slices_are_views_and_every_other_command_keeps_the_cache_line() -> None:
    whole = aligned_copy(commands(*(command(CommandType.LIMIT, order, price=100, quantity=1) for order in range(8))))
    for start in range(8):
        part = whole[start:]
        assert part.base is not None and np.shares_memory(part, whole)
        assert part.ctypes.data % CACHE_LINE == 32 * (start % 2)
    events = aligned_empty(8, EVENT)
    assert {events[start:].ctypes.data % CACHE_LINE for start in range(8)} == {0}


STREAM = commands(
    command(CommandType.LIMIT, 1, side=Side.SELL, price=101, quantity=5),
    command(CommandType.LIMIT, 2, side=Side.SELL, price=102, quantity=5),
    command(CommandType.LIMIT, 3, side=Side.BUY, price=102, quantity=7),
    command(CommandType.CANCEL, 2),
    command(CommandType.CANCEL, 2),
)


@pytest.mark.parametrize("shift", [*range(9), 16, 24, 31, 33])
def test_commands_at_any_address_give_the_same_events(shift: int) -> None:
    shifted = np.frombuffer(bytes(shift) + STREAM.tobytes(), dtype=COMMAND, offset=shift)
    assert not shifted.flags.writeable
    assert np.array_equal(Engine().process(shifted), Engine().process(STREAM))


def test_a_slice_of_commands_gives_the_same_events() -> None:
    whole, parts = Engine(), Engine()
    split = np.concatenate([parts.process(STREAM[:1]), parts.process(STREAM[1:4]), parts.process(STREAM[4:])])
    assert np.array_equal(whole.process(STREAM), split)


def test_zero_bytes_are_a_rejected_command() -> None:
    (event,) = Engine().process(np.zeros(1, COMMAND))
    assert records.describe(event) == "#0 REJECTED order 0 0@0 left 0 UNKNOWN_KIND"


def test_the_bytes_behind_an_events_last_field_are_zero() -> None:
    raw = Engine().process(STREAM).view(np.uint8).reshape(-1, EVENT.itemsize)
    assert not raw[:, 60:].any()
