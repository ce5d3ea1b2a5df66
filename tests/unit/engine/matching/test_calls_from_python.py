"""Calls from Python: whatever array of commands is passed, no two results share memory, and a call costs little."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine import (
    COMMAND,
    EVENT,
    EXTENDED_COMMAND,
    CommandType,
    Engine,
    ExecInst,
    JournaledEngine,
    MatchingEngine,
    ReferenceEngine,
    Side,
    SyncPolicy,
    TimeInForce,
    _core,
    command,
    commands,
    extended_command,
    load_profile,
    synthetic_flow,
)
from lowlat.engine.matching.commands import one_command
from lowlat.engine.matching.records import Commands
from lowlat.errors import ArrayError, UsageError
from tests.effort import effort

STREAM = commands(*(command(CommandType.LIMIT, order, price=100 + order, quantity=1) for order in range(8)))


def unaligned(array: Commands) -> Commands:
    raw = np.zeros(array.nbytes + 1, np.uint8)
    raw[1:] = array.view(np.uint8)
    return raw[1:].view(COMMAND)


def mapped(array: Commands) -> Commands:
    return array.view(np.memmap)


def renewed(array: Commands) -> Commands:
    """Of a dtype that is equal, but another object."""
    same = np.dtype([(name, dtype) for name, (dtype, *_) in (COMMAND.fields or {}).items()])
    assert same == COMMAND
    assert same is not COMMAND
    return array.view(same)


ALIKE: dict[str, Callable[[Commands], Commands]] = {
    "unaligned": unaligned,
    "of a subclass": mapped,
    "of an equal dtype": renewed,
    "read-only": lambda array: np.frombuffer(array.tobytes(), COMMAND),
}


@pytest.mark.parametrize("kind", [Engine, ReferenceEngine])
@pytest.mark.parametrize("alike", ALIKE.values(), ids=ALIKE)
def test_an_array_of_the_same_commands_has_the_same_events(
    kind: type[MatchingEngine], alike: Callable[[Commands], Commands]
) -> None:
    other = alike(STREAM)
    assert kind().process(other).tobytes() == Engine().process(STREAM).tobytes()


def test_the_native_call_takes_nothing_that_python_would_have_to_copy() -> None:
    for array in (unaligned(STREAM), mapped(STREAM), STREAM[::2], STREAM.reshape(2, 4), np.zeros(4), None):
        assert not _core.is_in_place(array)
        with pytest.raises((ValueError, TypeError)):
            Engine().matcher.process(array, 1_000)
    assert _core.is_in_place(STREAM)
    assert _core.is_in_place(renewed(STREAM))


def test_a_dtype_that_is_renamed_is_compared_again() -> None:
    array = renewed(STREAM)
    assert _core.is_in_place(array)
    names = array.dtype.names
    array.dtype.names = tuple(reversed(names or ()))
    assert not _core.is_in_place(array)
    with pytest.raises(ArrayError):
        Engine().process(array)
    array.dtype.names = names
    assert _core.is_in_place(array)


@pytest.mark.parametrize("size", [1, 64, 2_000, 5_000, 40_000])
def test_no_two_results_share_memory_whatever_becomes_of_others(size: int) -> None:
    """A result is freed, kept, or kept in part; the memory of freed ones is used again."""
    flow = synthetic_flow(load_profile("steady"), 12 * size, 1)
    engine, twin = Engine(orders=flow.orders), Engine(orders=flow.orders)
    kept, expected = [], []
    for number in range(12):
        batch = flow.commands[number * size :][:size]
        events = engine.process(batch)
        whole = twin.process(batch)
        assert events.dtype == EVENT
        if number % 3:
            part = slice(len(events) // 2 if number % 3 == 1 else 0, None)
            kept.append(events[part])
            expected.append(whole[part].tobytes())
        del events, whole
    assert [each.tobytes() for each in kept] == expected
    assert not any(np.shares_memory(one, other) for at, one in enumerate(kept) for other in kept[:at])


def test_the_memory_of_a_freed_result_is_that_of_the_next_one() -> None:
    """Else each batch would pay for page faults; small ones have memory from malloc."""
    engine, batch = Engine(), np.repeat(STREAM[:1], 5_000)
    seen = {engine.process(batch).ctypes.data for _ in range(10)}
    assert len(seen) <= 2


FIELDS = [
    (name, np.iinfo(dtype).min, np.iinfo(dtype).max) for name, (dtype, *_) in (EXTENDED_COMMAND.fields or {}).items()
]


@pytest.mark.parametrize(("field", "least", "most"), FIELDS, ids=[field for field, *_ in FIELDS])
def test_each_field_of_one_command_takes_what_its_type_holds_and_nothing_else(
    field: str, least: int, most: int
) -> None:
    names = list(EXTENDED_COMMAND.names or ())

    def row(value: object) -> tuple[object, ...]:
        return tuple(value if name == field else at for at, name in enumerate(names))

    for value in (least, most, most // 2, np.uint8(7), np.int64(9), Side.SELL):
        expected = np.zeros(1, EXTENDED_COMMAND)
        expected[0] = row(int(value))
        assert one_command(row(value)).tobytes() == expected.tobytes()
    for value in (least - 1, most + 1, 2**64, -(2**63) - 1, 2**200, -(10**5000)):
        with pytest.raises(UsageError, match="does not fit its field"):
            one_command(row(value))
    for wrong in (1.0, True, np.True_, np.float64(1), np.timedelta64(3), "1", None, np.array([1])):
        with pytest.raises(UsageError, match=f"^{field} .* is not an integer; prices and quantities are whole"):
            one_command(row(wrong))


@pytest.mark.parametrize("kind", [Engine, ReferenceEngine])
def test_single_commands_are_those_of_an_array(kind: type[MatchingEngine]) -> None:
    engine, twin = kind(), kind()
    seen = [
        engine.submit(np.uint64(1), Side.SELL, 50, 100, display_quantity=10, participant_id=7),
        engine.submit(2, Side.BUY, 5, 99, price_slide=True),
        engine.submit(3, Side.BUY, 5, 98, all_or_none=True, time_in_force=TimeInForce.GTD, expiry=9),
        engine.stop(4, Side.SELL, 5, 90),
        engine.replace(2, 4, 97, post_only=True),
        engine.reduce(1, 3),
        engine.advance_time(10),
        engine.cancel(2),
    ]
    slide = ExecInst.POST_ONLY | ExecInst.PRICE_SLIDE
    rows = [
        extended_command(
            CommandType.LIMIT, 1, side=Side.SELL, quantity=50, price=100, display_quantity=10, participant_id=7
        ),
        extended_command(CommandType.LIMIT, 2, quantity=5, price=99, flags=slide),
        extended_command(
            *(CommandType.LIMIT, 3),
            **{"quantity": 5, "price": 98, "flags": ExecInst.ALL_OR_NONE, "expiry": 9},
            time_in_force=TimeInForce.GTD,
        ),
        extended_command(CommandType.STOP, 4, side=Side.SELL, quantity=5, trigger=90),
        extended_command(CommandType.REPLACE, 2, quantity=4, price=97, flags=ExecInst.POST_ONLY),
        extended_command(CommandType.REDUCE, 1, quantity=3),
        extended_command(CommandType.ADVANCE_TIME, quantity=10),
        extended_command(CommandType.CANCEL, 2),
    ]
    records = [np.array([row], EXTENDED_COMMAND) for row in rows]
    assert [each.tobytes() for each in seen] == [twin.process(record).tobytes() for record in records]


def test_a_price_of_another_type_is_not_taken_for_zero() -> None:
    for price in (0.0, False, ""):
        with pytest.raises(UsageError, match=r"^price .* is not an integer"):
            Engine().submit(1, Side.BUY, 1, price)  # type: ignore[arg-type]


def test_single_commands_go_through_process(tmp_path: Path) -> None:
    """So they are in a journal, and an engine derived from another sees them."""
    with JournaledEngine.create(tmp_path / "journal", sync=SyncPolicy.NONE) as engine:
        engine.submit(1, Side.BUY, 5, 100)
        assert len(engine.cancel(1)) == 1
    with JournaledEngine.recover(tmp_path / "journal") as engine:
        assert engine.counters.commands == 2


def calls(call: Callable[[], object], count: int) -> Callable[[], None]:
    def repeat() -> None:
        for _ in range(count):
            call()

    return repeat


def test_a_call_costs_little() -> None:
    """In units of ten bare calls into the module: here `process` takes 0.6 of them, `submit` 2.3 and `cancel` 1.8. They
    take eight times as many if an array goes through a Python buffer, and each argument through `isinstance`."""
    engine, one = Engine(), STREAM[:1]
    bare = calls(lambda: _core.is_in_place(STREAM), 20_000)
    assert effort(calls(lambda: engine.process(one), 2_000), bare) < 3
    assert effort(calls(lambda: engine.submit(1, Side.BUY, 5, 100), 2_000), bare) < 6
    assert effort(calls(lambda: engine.cancel(1), 2_000), bare) < 6
