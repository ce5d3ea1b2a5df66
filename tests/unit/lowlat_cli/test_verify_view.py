"""Commands of a counterexample are written with what they say, and nothing that they do not."""

from typing import Any

import pytest

from lowlat.engine.conformance.rows import stream_of
from lowlat.engine.conformance.worker import named_fields
from lowlat.engine.matching.commands import command, extended_command
from lowlat.engine.matching.records import CommandType, Side, TimeInForce
from lowlat_cli.views.verify import in_words


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (command(CommandType.LIMIT, 1, side=Side.SELL, price=100, quantity=2), "LIMIT order 1 SELL 2@100"),
        (command(CommandType.MARKET, 2, quantity=3, symbol=1), "MARKET order 2 BUY 3 symbol 1"),
        (command(CommandType.CANCEL, 3), "CANCEL order 3"),
        (command(CommandType.REDUCE, 3, quantity=4), "REDUCE order 3 4"),
        (command(CommandType.REPLACE, 3, quantity=4, price=-5), "REPLACE order 3 4@-5"),
        (command(CommandType.ADVANCE_TIME, 0, quantity=9), "ADVANCE_TIME 9"),
        (
            command(CommandType.LIMIT, 1, price=1, quantity=1, time_in_force=TimeInForce.FOK),
            "LIMIT order 1 BUY 1@1 time_in_force FOK",
        ),
        (
            extended_command(CommandType.STOP, 5, quantity=1, trigger=7, participant_id=8),
            "STOP order 5 BUY 1 trigger 7 participant_id 8",
        ),
        ((1, 100, 2, 0, 0, 0, 0, 0), "0 order 1 BUY 2@100"),
    ],
)
def test_a_command_says_what_its_kind_reads(row: tuple[int, ...], words: str) -> None:
    (record,) = stream_of([row])
    named: dict[str, Any] = named_fields(record)
    assert in_words(named) == words
