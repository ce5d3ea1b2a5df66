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
    ORDER_EVENT,
    STOP,
    BookBuilder,
    CommandType,
    Engine,
    EngineConfig,
    Instrument,
    JournaledEngine,
    ReferenceEngine,
    Side,
    _core,
    command,
    commands,
    describe,
    load_profile,
    synthetic_flow,
)
from lowlat.engine.analytics.level_updates import apply_level_updates, level_updates
from lowlat.engine.analytics.vwap import vwap, vwap_of
from lowlat.engine.matching.aligned import aligned_empty
from lowlat.engine.matching.config_codec import native_rules, pools
from lowlat.engine.rings import MpscRing, SpscRing
from lowlat.engine.shared_book import MappedBookReader, MappedBookWriter, mapped_books
from lowlat.errors import UsageError
from lowlat.reports.profiler import Profiler

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
    "no settings": lambda: Engine.of(None),  # type: ignore[arg-type]
    "no settings of the reference engine": lambda: ReferenceEngine.of(Engine()),  # type: ignore[arg-type]
    "settings for an engine with a journal, but no path": lambda: JournaledEngine.of(Engine().settings),
    "instruments": lambda: EngineConfig(None),  # type: ignore[arg-type]
    "a flag of an order": lambda: Engine().submit(1, Side.BUY, 1, 1, post_only=np.zeros(2)),  # type: ignore[arg-type]
    "a flag of a stop": lambda: Engine().trailing_stop(1, Side.BUY, 1, 1, basis_points="no"),  # type: ignore[arg-type]
    "a flag of a replacement": lambda: ReferenceEngine().replace(1, 1, 1, post_only=None),  # type: ignore[arg-type]
    "a duration as a side": lambda: Engine().depth(np.timedelta64(0), 1),  # type: ignore[arg-type]
    "fields of no command": lambda: ReferenceEngine().execute((1, 2)),
    "a fraction in a row": lambda: commands((1, 100.5, 1, 0, 1, 0, 0, 0)),  # type: ignore[arg-type]
    "a number in place of a row": lambda: commands(1),  # type: ignore[arg-type]
    "an array in place of a row": lambda: commands(np.ones(())),  # type: ignore[arg-type]
    "no record": lambda: describe(None),
    "several records": lambda: describe(Engine().cancel(1)),
    "a price to show": lambda: Instrument().decimal(None),  # type: ignore[arg-type]
    "no profile": lambda: synthetic_flow("steady", 1, 1),  # type: ignore[arg-type]
    "the name of a profile": lambda: load_profile(HUGE),  # type: ignore[arg-type]
    "a moment": lambda: BookBuilder().record(np.zeros(0, ORDER_EVENT), when=[]),  # type: ignore[arg-type]
    "the capacity of a ring": lambda: MpscRing(HUGE),
    "the records of a ring": lambda: MpscRing(8, np.zeros(2)),  # type: ignore[arg-type]
    "how a ring waits": lambda: MpscRing(8, wait=np.zeros(2, LEVEL)),  # type: ignore[arg-type]
    "the path of a ring": lambda: SpscRing(8, path=7),  # type: ignore[arg-type]
    "a descriptor": lambda: SpscRing.attach(2**70),
    "how much to pop": lambda: MpscRing(8).try_pop(1.5),  # type: ignore[arg-type]
    "how long to wait": lambda: MpscRing(8).pop(timeout_s="1"),  # type: ignore[arg-type]
    "how long to wait, though there is room": lambda: MpscRing(8).push(commands(), HUGE),
    "the symbol of a book": lambda: MappedBookReader("A" * 10**5),
    "the folder of books": lambda: mapped_books(7),  # type: ignore[arg-type]
    "the instrument of a book": lambda: MappedBookWriter("A", instrument=7),  # type: ignore[arg-type]
    "the depth of a book": lambda: MappedBookWriter("A", depth=HUGE),
    "prices to average": lambda: vwap_of(np.ma.array([1, 2], mask=[0, 1]), np.array([1, 2], np.uint64)),
    "records to average": lambda: vwap(None),  # type: ignore[arg-type]
    "updates": lambda: level_updates((1, 2, HUGE)),
    "the side of updates": lambda: apply_level_updates(
        np.zeros(0, LEVEL),
        level_updates(),
        None,  # type: ignore[arg-type]
    ),
    "the name of a span": lambda: Profiler().span(None),  # type: ignore[arg-type]
    "a name that nothing has": lambda: Profiler().histogram([]),  # type: ignore[arg-type]
    "the interval of a log": lambda: Profiler().log_to("log", HUGE).__enter__(),
    "the path of a log": lambda: Profiler().log_to("a\0b").__enter__(),
    "the interval of a journal": lambda: JournaledEngine.create("it", interval_ns=None),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("argument", REFUSED)
def test_what_is_no_such_number_is_refused_in_a_line(argument: str) -> None:
    with pytest.raises(UsageError) as refused:
        REFUSED[argument]()
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 400


@pytest.mark.parametrize("field", ["tick", "lot", "orders", "trades"])
def test_the_native_engine_refuses_sizes_that_it_would_divide_by(field: str) -> None:
    settings = Engine().settings
    rules, sizes = native_rules(settings), pools(settings)
    if field in sizes:
        sizes[field] = 0
    else:
        rules[0, ("tick", "lot").index(field)] = 0
    with pytest.raises(ValueError, match="a tick and a lot are 1 or more"):
        _core.Matcher(rules, **sizes)
    with pytest.raises(ValueError, match="an engine has symbols"):
        _core.Matcher(rules[:0], **pools(settings))


def test_queries_of_both_engines_are_the_same_bytes() -> None:
    """Padding too: what the reference engine returned held whatever was in memory before."""
    queries = []
    for engine in (Engine(), ReferenceEngine()):
        engine.submit(1, Side.SELL, 5, 100)
        engine.submit(2, Side.BUY, 2, 100)
        engine.stop(3, Side.BUY, 1, 110)
        rows = (engine.depth(Side.SELL, 1), engine.orders(), engine.stops(), engine.trades())
        queries.append([each.tobytes() for each in rows])
    assert queries[0] == queries[1] and all(queries[0])
