"""Which symbol of the stream a record belongs to: one for each instrument of each publisher.

Databento numbers instruments, and in a dataset of several venues each venue (publisher) has a book of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.flow.readers.databento.metadata import DbnMetadata, NamedDays, symbol_text
from lowlat.engine.flow.readers.databento.records import MboRecords

NO_SYMBOL: Final = -1
"""The number of a symbol that was not asked for."""
_FOREVER: Final = 99_999_999
_NAME_AT: Final = {1: (38, 22), 2: (89, 71), 3: (89, 71)}
"""Where a symbol mapping record has the instrument's symbol, and how many bytes, by version."""


class Instruments:
    """Numbers the instruments as they come, and names them: by the metadata's mappings, else by their id.

    A second publisher of the same instrument is a symbol of its own, `NAME@PUBLISHER`.
    """

    def __init__(self, metadata: DbnMetadata | None, wanted: frozenset[str], symbols: list[str]) -> None:
        """`symbols`: the stream's, which grow as instruments are first seen."""
        self._version = metadata.version if metadata else 0
        self._names = {number: list(days) for number, days in (metadata.names if metadata else {}).items()}
        self._wanted, self._symbols = wanted, symbols
        self._publisher: dict[str, int] = {}
        self._keys = np.empty(0, np.uint64)
        self._numbers = np.empty(0, np.int64)

    def numbers(self, records: MboRecords) -> NDArray[np.int64]:
        """The symbol number of each record; `NO_SYMBOL` for those not asked for."""
        publisher, instrument = records["publisher_id"], records["instrument_id"]
        alone = len(records) > 0 and (instrument == instrument[0]).all() and (publisher == publisher[0]).all()
        if alone:
            return np.full(len(records), self._known(_keys(records[:1]), records)[0])
        keys = _keys(records)
        return self._known(keys, records)

    def learn(self, number: int, record: bytes) -> None:
        """Take the name of an instrument from the bytes of a live stream's symbol mapping record."""
        if self._version in _NAME_AT:
            at, count = _NAME_AT[self._version]
            self.name(number, symbol_text(record[at : at + count]))

    def name(self, number: int, symbol: str) -> None:
        """Name an instrument that has no name yet."""
        if symbol and number not in self._names:
            self._names[number] = [NamedDays(0, _FOREVER, symbol)]

    def _known(self, keys: NDArray[np.uint64], records: MboRecords) -> NDArray[np.int64]:
        slots = np.searchsorted(self._keys, keys)
        missing = np.ones(len(keys), bool)
        inside = slots < len(self._keys)
        missing[inside] = self._keys[slots[inside]] != keys[inside]
        if missing.any():
            self._add(keys, np.flatnonzero(missing), records)
            slots = np.searchsorted(self._keys, keys)
        return self._numbers[slots]

    def _add(self, keys: NDArray[np.uint64], missing: NDArray[np.int64], records: MboRecords) -> None:
        new, first = np.unique(keys[missing], return_index=True)
        numbers = np.empty(len(new), np.int64)
        for position in np.argsort(first).tolist():
            numbers[position] = self._numbered(records[missing[first[position]]])
        slots = np.searchsorted(self._keys, new)
        self._keys = np.insert(self._keys, slots, new)
        self._numbers = np.insert(self._numbers, slots, numbers)

    def _numbered(self, record: np.void) -> int:
        publisher, instrument = int(record["publisher_id"]), int(record["instrument_id"])
        plain = self._name_on(instrument, _day(int(record["ts_recv"])))
        name = plain if self._publisher.setdefault(plain, publisher) == publisher else f"{plain}@{publisher}"
        if self._wanted and not self._wanted & {plain, name}:
            return NO_SYMBOL
        self._symbols.append(name)
        return len(self._symbols) - 1

    def _name_on(self, instrument: int, day: int) -> str:
        known = self._names.get(instrument, [])
        return next((each.symbol for each in known if each.first <= day < each.end), "") or (
            known[-1].symbol if known else str(instrument)
        )


def _keys(records: MboRecords) -> NDArray[np.uint64]:
    keys: NDArray[np.uint64] = records["publisher_id"].astype(np.uint64) << np.uint64(32) | records["instrument_id"]
    return keys


def _day(time_ns: int) -> int:
    """The UTC day of a time since the Unix epoch, as the digits YYYYMMDD."""
    seconds = min(time_ns // 10**9, 253_402_300_799)  # the last second that `datetime` has
    return int(datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%d"))
