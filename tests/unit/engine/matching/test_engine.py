"""Input to an engine is executed whole or rejected whole, with a typed error that says what to pass instead."""

import numpy as np
import pytest

from lowlat.engine.matching.commands import command, commands
from lowlat.engine.matching.interface import MatchingEngine, TopOfBook
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import COMMAND, CommandType, ExecType, Reason, Side, TimeInForce
from lowlat.engine.reference.engine import ReferenceEngine
from lowlat.errors import ArrayError, LowlatError, UsageError

both_engines = pytest.mark.parametrize("kind", [Engine, ReferenceEngine])

STREAM = commands(*(command(CommandType.LIMIT, order, price=100 + order, quantity=1) for order in range(8)))


@both_engines
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (None, "NoneType"),
        ([], "list"),
        (b"\0" * 32, "bytes"),
        (np.zeros(4), "float64"),
        (np.zeros(32, np.uint8), "uint8"),
        (STREAM.astype(COMMAND.newbyteorder(">")), ">u8"),
        (STREAM[["order_id", "price"]], "order_id"),
        (STREAM[::2], "strides"),
        (STREAM[::-1], "strides"),
        (STREAM.reshape(2, 4), "shape"),
        (np.zeros((), COMMAND), "shape"),
        (np.ma.masked_array(STREAM, mask=False), "masked array"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_array_is_refused_before_anything_is_executed(
    kind: type[MatchingEngine], wrong: np.ndarray, said: str
) -> None:
    engine = kind()
    with pytest.raises(ArrayError, match=said) as raised:
        engine.process(wrong)
    assert isinstance(raised.value, LowlatError)
    assert engine.submit(1, Side.BUY, 1, 100)[0]["sequence"] == 0


@both_engines
def test_no_commands_give_no_events(kind: type[MatchingEngine]) -> None:
    engine = kind()
    assert len(engine.process(commands())) == len(engine.process(STREAM[3:3])) == 0
    assert engine.best() == TopOfBook(None, None, None, None)
    assert len(engine.orders()) == len(engine.trades()) == len(engine.depth(Side.BUY, 10)) == 0


@both_engines
def test_one_command_at_a_time(kind: type[MatchingEngine]) -> None:
    engine = kind()
    engine.submit(1, Side.SELL, 5, 101)
    engine.submit(2, Side.BUY, 5, 99, post_only=True)
    assert engine.best() == TopOfBook(99, 5, 101, 5)
    assert engine.submit(3, Side.BUY, 9, 100, time_in_force=TimeInForce.FOK)[0]["reason"] == Reason.FOK_NOT_FILLABLE
    assert engine.submit(4, Side.BUY, 2)[1]["kind"] == ExecType.TRADE  # no price: a market order
    assert engine.reduce(1, 1)[0]["remaining"] == 2
    assert engine.replace(2, 4, 100)[0]["kind"] == ExecType.REPLACED
    assert engine.best() == TopOfBook(100, 4, 101, 2)
    assert engine.replace(2, 4, 101, post_only=True)[0]["reason"] == Reason.POST_ONLY_WOULD_TRADE
    assert engine.cancel(2)[0]["kind"] == ExecType.CANCELLED
    assert engine.best() == TopOfBook(None, None, 101, 2)


@both_engines
@pytest.mark.parametrize("numbers", [(2**64, 1, 1), (-1, 1, 1), (1, 2**63, 1), (1, 1, 2**63), (1, 1, -(2**63) - 1)])
def test_a_number_that_fits_no_field_is_an_error(kind: type[MatchingEngine], numbers: tuple[int, int, int]) -> None:
    order_id, quantity, price = numbers
    with pytest.raises(UsageError, match="does not fit its field"):
        kind().submit(order_id, Side.BUY, quantity, price)


@both_engines
@pytest.mark.parametrize("symbol", [-1, 2, 2**32, 2**70])
def test_a_query_for_a_symbol_that_is_not_there(kind: type[MatchingEngine], symbol: int) -> None:
    engine = kind(2)
    for query in (engine.best, engine.orders, engine.instrument, lambda which: engine.depth(Side.BUY, 1, which)):
        with pytest.raises(UsageError, match=rf"symbol {symbol} is unknown; this engine holds 0..1"):
            query(symbol)


@both_engines
@pytest.mark.parametrize(("levels", "expected"), [(-1, 0), (0, 0), (1, 1), (3, 3), (8, 8), (9, 8), (2**40, 8)])
def test_as_many_levels_as_asked_for_and_there_are(kind: type[MatchingEngine], levels: int, expected: int) -> None:
    engine = kind()
    engine.process(STREAM)
    depth = engine.depth(Side.BUY, levels)
    assert depth["price"].tolist() == [107, 106, 105, 104, 103, 102, 101, 100][:expected]
    assert len(engine.depth(Side.SELL, levels)) == 0


@both_engines
def test_the_largest_quantities_add_up(kind: type[MatchingEngine]) -> None:
    engine = kind()
    engine.process(commands(*(command(CommandType.LIMIT, order, price=1, quantity=2**32 - 1) for order in range(100))))
    assert engine.depth(Side.BUY, 1)["quantity"].tolist() == [100 * (2**32 - 1)]


@both_engines
def test_what_was_returned_does_not_change_afterward(kind: type[MatchingEngine]) -> None:
    engine = kind()
    arrays = [engine.process(STREAM), engine.orders(), engine.depth(Side.BUY, 8), engine.trades()]
    before = [array.tolist() for array in arrays]
    engine.submit(99, Side.SELL, 100)
    assert [array.tolist() for array in arrays] == before


def test_commands_are_not_written() -> None:
    stream = STREAM.copy()
    stream.flags.writeable = False
    Engine().process(stream)
    assert stream.tobytes() == STREAM.tobytes()


@both_engines
def test_any_number_of_levels_may_be_asked_for(kind: type[MatchingEngine]) -> None:
    engine = kind()
    engine.process(STREAM)
    for levels, shown in [(2**70, 8), (2**63, 8), (np.uint64(2**64 - 1), 8), (3, 3), (0, 0), (-(2**70), 0)]:
        assert len(engine.depth(Side.BUY, levels)) == shown
    for wrong in (1.5, "1", None):
        with pytest.raises(UsageError, match=r"levels: .* is not an integer"):
            engine.depth(Side.BUY, wrong)  # type: ignore[arg-type]
