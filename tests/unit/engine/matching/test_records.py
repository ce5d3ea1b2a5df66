"""Records are aligned as documented, slices included; correct results do not depend on alignment.

`tests/native/test_layouts.py` checks that numpy, C and C++ see the same fields in them.
"""

import numpy as np
import pytest

from lowlat.engine.matching.aligned import CACHE_LINE, aligned_copy, aligned_empty
from lowlat.engine.matching.commands import command, commands, describe, extended_commands
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


@pytest.mark.parametrize("name", DTYPES)
def test_no_record_straddles_a_cache_line(name: str) -> None:
    assert DTYPES[name].itemsize in (32, CACHE_LINE)


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
    assert describe(event) == "#0 REJECTED order 0 0@0 left 0 UNKNOWN_KIND"


def test_the_bytes_behind_an_events_last_field_are_zero() -> None:
    raw = Engine().process(STREAM).view(np.uint8).reshape(-1, EVENT.itemsize)
    assert not raw[:, 60:].any()


@pytest.mark.parametrize("dtype", [COMMAND, EXTENDED_COMMAND])
def test_bytes_between_the_fields_are_zero(dtype: np.dtype[np.void]) -> None:
    """They reach journals, which would otherwise differ from process to process, and hold what the heap held before."""
    rows = [(1,) * len(dtype.names or ())] * 50
    make = commands if dtype == COMMAND else extended_commands
    zeros = np.zeros(50, dtype)
    zeros[:] = rows
    for _ in range(20):
        np.full(50 * dtype.itemsize, 0xAB, np.uint8)  # what a freed array leaves behind
        assert make(*rows).tobytes() == zeros.tobytes()
