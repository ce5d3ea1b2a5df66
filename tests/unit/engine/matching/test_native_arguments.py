"""Every native call with a symbol, a side or another index refuses one that does not exist; none reads beyond."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

import numpy as np
import pytest

from lowlat.engine import (
    LEVEL,
    ORDER,
    STOP,
    CommandType,
    Engine,
    Instrument,
    JournaledEngine,
    ReferenceEngine,
    Side,
    _core,
    command,
    commands,
    load_profile,
    synthetic_flow,
)
from lowlat.engine.matching.aligned import aligned_empty
from lowlat.errors import UsageError

BAD = (2, 9, 2**31, 2**32 - 1)
"""For an engine of two symbols, and for a side."""


def matcher() -> _core.Matcher:
    return Engine(2).matcher


CALLS: dict[tuple[str, str], Callable[[int], object]] = {
    ("Matcher.depth", "symbol"): lambda n: matcher().depth(n, aligned_empty(4, LEVEL), 0),
    ("Matcher.depth", "side"): lambda n: matcher().depth(0, aligned_empty(4, LEVEL), n),
    ("Matcher.orders", "symbol"): lambda n: matcher().orders(n, aligned_empty(4, ORDER)),
    ("Matcher.stops", "symbol"): lambda n: matcher().stops(n, aligned_empty(4, STOP)),
    ("Matcher.indicative", "symbol"): lambda n: matcher().indicative(n),
    ("BookWriter.publish_engine", "symbol"): lambda n: aligned_writer().publish_engine(matcher(), n),
    ("BookWriter.update_level", "side"): lambda n: aligned_writer().update_level(n, 1, 1, 1),
    ("BookReader.count", "side"): lambda n: _core.BookReader(aligned_mapping(), 4, "it").count(n),
    ("BookBuilder.depth", "side"): lambda n: _core.BookBuilder(4).depth(0, aligned_empty(4, LEVEL), n),
    ("Latencies.histogram", "operation"): lambda n: _core.Latencies(["service"]).histogram("service", 3 * n),
}
"""By call and argument; an argument that is not checked would read or write outside its memory."""
EMPTY: dict[tuple[str, str], Callable[[int], object]] = {
    ("BookBuilder.depth", "symbol"): lambda n: _core.BookBuilder(4).depth(n, aligned_empty(4, LEVEL), 0),
    ("BookBuilder.orders", "symbol"): lambda n: _core.BookBuilder(4).orders(n, aligned_empty(4, ORDER)),
    ("BookBuilder.look_up", "symbol"): lambda n: _core.BookBuilder(4).look_up(7, n),
}
"""Calls on books that come as a feed names them: one that no event has named is empty."""


def aligned_mapping() -> np.ndarray:
    return aligned_empty(1 << 10, LEVEL)


def aligned_writer() -> _core.BookWriter:
    return _core.BookWriter(aligned_mapping(), 4, "it")


def indexed() -> set[tuple[str, str]]:
    """All arguments of native calls whose names say that they are an index."""
    found = set()
    members = [("", _core), *[(f"{name}.", kind) for name, kind in vars(_core).items() if inspect.isclass(kind)]]
    for prefix, owner in members:
        for name, member in vars(owner).items():
            signature = (member.__doc__ or "").partition("\n")[0] if callable(member) else ""
            found |= {
                (prefix + name, argument) for argument in re.findall(r"\b(symbol|side|operation): int", signature)
            }
    return found


def test_each_call_with_an_index_is_listed_here() -> None:
    assert indexed() == {*CALLS, *EMPTY}


@pytest.mark.parametrize("call", EMPTY, ids=".".join)
def test_a_book_that_there_is_not_yet_is_empty(call: tuple[str, str]) -> None:
    for number in (0, *BAD):
        assert EMPTY[call](number) in (0, None)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("call", CALLS, ids=".".join)
def test_an_index_out_of_range_is_refused(call: tuple[str, str], bad: int) -> None:
    with pytest.raises((ValueError, IndexError)):
        CALLS[call](bad)


@pytest.mark.parametrize("call", {**CALLS, **EMPTY}, ids=".".join)
def test_an_index_that_fits_no_field_is_refused(call: tuple[str, str]) -> None:
    for bad in (-1, 2**64):
        with pytest.raises((TypeError, OverflowError)):
            (CALLS | EMPTY)[call](bad)


def test_the_public_calls_say_what_there_is() -> None:
    engine = Engine(2)
    for call in (engine.orders, engine.stops, engine.indicative, engine.best, engine.instrument):
        for bad in (2, -1, 2**70):
            with pytest.raises(UsageError, match=r"unknown; this engine holds 0\.\.1"):
                call(bad)
    with pytest.raises(UsageError, match=r"side 2 is neither Side\.BUY nor Side\.SELL"):
        engine.depth(2, 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"symbol 9 is unknown; this engine holds 0\.\.1"):
        engine.matcher.indicative(9)
    assert len(engine.depth(Side.BUY, 1)) == 0


HUGE = 10**5_000
"""Python refuses to print it."""
REFUSED: dict[str, Callable[[], object]] = {
    "as many symbols as memory could not hold": lambda: Engine(2**70),
    "symbols, huge": lambda: Engine(HUGE),
    "symbols, of another type": lambda: Engine(1.5),  # type: ignore[arg-type]
    "symbols, an array": lambda: Engine(np.zeros(99)),  # type: ignore[arg-type]
    "orders": lambda: Engine(orders=HUGE),
    "trades": lambda: Engine(trades=np.zeros((9, 9))),  # type: ignore[arg-type]
    "tick": lambda: Instrument(tick=HUGE),
    "lot": lambda: Instrument(lot="\n" * 99),  # type: ignore[arg-type]
    "band": lambda: Instrument(price_max=HUGE),
    "unit": lambda: Instrument(unit=[[1]] * 99),  # type: ignore[arg-type]
    "symbol, huge": lambda: Engine().orders(HUGE),
    "symbol, of another type": lambda: Engine().stops("0"),  # type: ignore[arg-type]
    "symbol of the reference engine": lambda: ReferenceEngine().orders(0.0),  # type: ignore[arg-type]
    "side, huge": lambda: Engine().depth(HUGE, 1),  # type: ignore[arg-type]
    "side, of another type": lambda: ReferenceEngine().depth([], 1),  # type: ignore[arg-type]
    "levels": lambda: Engine().depth(Side.BUY, np.zeros(99)),  # type: ignore[arg-type]
    "a number of a command": lambda: Engine().cancel(HUGE),
    "a number of a row": lambda: commands(command(CommandType.CANCEL, HUGE)),
    "a row that is none": lambda: commands(None),  # type: ignore[arg-type]
    "a fraction": lambda: command(CommandType.CANCEL, np.zeros(99)),  # type: ignore[arg-type]
    "the length of a flow": lambda: synthetic_flow(load_profile("steady"), HUGE, 1),
    "its seed": lambda: synthetic_flow(load_profile("steady"), 1, 1.5),  # type: ignore[arg-type]
    "no path of a journal": lambda: JournaledEngine.create(None),  # type: ignore[arg-type]
    "a path that no file can have": lambda: JournaledEngine.create("a\0b"),
    "a path that cannot be encoded": lambda: JournaledEngine.recover("\ud800"),
    "the interval of a journal": lambda: JournaledEngine.create("it", interval_ns=None),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("argument", REFUSED)
def test_what_is_no_such_number_is_refused_in_a_line(argument: str) -> None:
    with pytest.raises(UsageError) as refused:
        REFUSED[argument]()
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 400
