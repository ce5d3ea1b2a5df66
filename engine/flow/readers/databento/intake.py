"""Records on their way in: checked, counted, and reduced to the symbols and times that were asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.feed.stream import OrderEventStream, ReadOptions
from lowlat.engine.flow.readers.databento import records as mbo
from lowlat.engine.flow.readers.databento.events import ACTIONS, Rows
from lowlat.engine.flow.readers.databento.instruments import NO_SYMBOL, Instruments
from lowlat.engine.flow.readers.databento.records import MboBlock, MboRecords, joined, selected
from lowlat.errors import InputError

_ACTIONS: Final = np.isin(np.arange(256), [ord(letter) for letter in ACTIONS])
_SIDES: Final = np.isin(np.arange(256), [ord(letter) for letter in "ABN"])
_NAMES: Final = {ord(letter): name for letter, name in ACTIONS.items()}


class Intake:
    """Takes blocks of records in, and counts into the stream what it sees."""

    def __init__(self, stream: OrderEventStream, options: ReadOptions, instruments: Instruments) -> None:
        self._stream, self._options, self._instruments = stream, options, instruments
        self._time = 0
        self._last = np.zeros(1, mbo.MBO)

    def rows(self, blocks: Iterator[MboBlock]) -> Iterator[Rows]:
        """The rows to convert. Raises `InputError` for an action or a side that the format does not have."""
        until = self._options.until_ns
        for block in blocks:
            records = block.records
            self._check(block)
            self._count(records)
            symbol = self._instruments.numbers(records)
            chosen = symbol != NO_SYMBOL
            if not chosen.all():
                self._stream.left_out["of symbols not asked for"] += int((~chosen).sum())
            self._note_order(records if chosen.all() else selected(records, chosen))
            if until is not None:
                late = records["ts_event"] >= until
                if (late & chosen).any():
                    self._stream.left_out["at or after the end asked for"] += int((late & chosen).sum())
                chosen &= ~late
            rows = Rows(records, block.row, symbol)
            yield rows if chosen.all() else rows.part(chosen)
            if until is not None and len(records) and late.all() and (records["ts_recv"] >= until).all():
                return

    def _check(self, block: MboBlock) -> None:
        for field, known, expected in (("action", _ACTIONS, "one of ACFMNRT"), ("side", _SIDES, "A, B or N")):
            good = known[block.records[field]]
            if not good.all():
                bad = int(np.argmin(good))
                found = ascii(chr(block.records[field][bad]))
                where = f"{self._stream.path}, row {block.row[bad]}, {field}"
                raise InputError(f"{where}: {found}; expected {expected}: the file is damaged, or not Databento's")

    def _count(self, records: MboRecords) -> None:
        for action, count in enumerate(np.bincount(records["action"], minlength=1).tolist()):
            if count:
                self._stream.messages[_NAMES[action]] += count
        suspect = int(((records["flags"] & mbo.F_MAYBE_BAD_BOOK) != 0).sum())
        if suspect:
            self._stream.faults["records of a book that may be wrong (F_MAYBE_BAD_BOOK)"] += suspect

    def _note_order(self, records: MboRecords) -> None:
        """Count times and sequence numbers that go back; those of a snapshot are as old as its orders."""
        snapshot = (records["flags"] & mbo.F_SNAPSHOT) != 0
        live = selected(records, ~snapshot) if snapshot.any() else records
        timed = live["ts_event"] != mbo.UNDEF_TIME
        times = live["ts_event"] if timed.all() else live["ts_event"][timed]
        if len(times):
            self._note("time goes back", _falls(self._time, times))
            self._time = int(times[-1])
        numbered = live["sequence"] != 0
        told = live if numbered.all() else selected(live, numbered)
        if len(told):
            falls = _falls(int(self._last["sequence"][0]), told["sequence"])
            self._note("sequence number goes back", falls and self._of_one_channel(told))
            self._last = told[-1:].copy()

    def _of_one_channel(self, told: MboRecords) -> int:
        """How many of the sequence numbers that are below the one before are of the same channel."""
        told = joined(self._last, told)
        back = told["sequence"][1:] < told["sequence"][:-1]
        back &= told["publisher_id"][1:] == told["publisher_id"][:-1]
        back &= told["channel_id"][1:] == told["channel_id"][:-1]
        return int(back.sum())

    def _note(self, fault: str, count: int) -> None:
        if count:
            self._stream.faults[fault] += count


def _falls(before: int, values: NDArray[np.unsignedinteger[Any]]) -> int:
    """How many values are below the one before."""
    return int((values[1:] < values[:-1]).sum()) + bool(values[0] < before)
