"""After any damage to a journal, readers see a prefix of what was written, and the loss is reported. Every bit is
flipped, every length truncated, every block moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate, pairwise
from pathlib import Path

import pytest

from lowlat.engine import _core
from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.journal.errors import JournalDamagedError, JournalError
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.records import BLOCK, Fault
from lowlat.engine.journal.segment import END_BYTES
from lowlat.engine.matching.commands import command, commands, extended_command, extended_commands
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import Commands, CommandType, SelfTradePrevention, Side
from tests import journal_by_hand


def limit(order_id: int, price: int = 100, side: Side = Side.BUY) -> tuple[int, ...]:
    return command(CommandType.LIMIT, order_id, side=side, price=price, quantity=5)


BATCHES: list[Commands] = [
    commands(limit(1), limit(2)),
    extended_commands(
        extended_command(
            CommandType.LIMIT, 3, price=90, quantity=9, participant_id=1, self_trade=SelfTradePrevention.DECREMENT
        )
    ),
    commands(limit(4, side=Side.SELL)),
    commands(limit(5), limit(6), limit(7)),
]
SEQUENCES = [0, *accumulate(len(batch) for batch in BATCHES)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A journal of four blocks."""
    path = tmp_path_factory.mktemp("whole") / "day.journal"
    with JournaledEngine.create(path) as engine:
        for batch in BATCHES:
            engine.process(batch)
    return path.read_bytes()


@pytest.fixture(scope="module")
def starts(whole: bytes) -> list[int]:
    """The offset of each block, and the end of the last one."""
    path_end = len(whole)
    sizes = [BLOCK.itemsize + batch.nbytes + END_BYTES for batch in BATCHES]
    return [*accumulate(sizes, initial=path_end - sum(sizes))]


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Callable[[bytes], tuple[int, Fault]]]:
    """How many commands of these bytes can be trusted, and why not more."""
    path = tmp_path / "day.journal"

    path.touch()

    def read(data: bytes) -> tuple[int, Fault]:
        with path.open("r+b") as written:  # a file that is emptied first is flushed to the disk when it is closed
            written.write(data)
            written.truncate()
        with JournalFile(path) as file:
            return file.end.sequence, file.fault

    yield read


def flipped(data: bytes, bit: int) -> bytes:
    spoilt = bytearray(data)
    spoilt[bit // 8] ^= 1 << bit % 8
    return bytes(spoilt)


def test_every_flipped_bit_is_found_and_nothing_behind_it_is_trusted(
    whole: bytes, starts: list[int], read: Callable[[bytes], tuple[int, Fault]]
) -> None:
    for bit in range(starts[0] * 8, len(whole) * 8):
        sequence, fault = read(flipped(whole, bit))
        block = sum(bit // 8 >= start for start in starts) - 1
        assert sequence == SEQUENCES[block], f"bit {bit} in block {block}"
        assert fault not in (Fault.NONE, Fault.TORN), f"bit {bit} in block {block} passes for {fault.name}"


def test_every_flipped_bit_of_the_head_is_found(
    whole: bytes, starts: list[int], read: Callable[[bytes], tuple[int, Fault]]
) -> None:
    for bit in range(starts[0] * 8):
        with pytest.raises(JournalError):
            read(flipped(whole, bit))


def test_a_file_cut_anywhere_holds_the_blocks_before_and_is_torn(
    whole: bytes, starts: list[int], read: Callable[[bytes], tuple[int, Fault]]
) -> None:
    for length in range(starts[0], len(whole)):
        block = sum(length >= start for start in starts) - 1
        assert read(whole[:length]) == (SEQUENCES[block], Fault.NONE if length in starts else Fault.TORN), length


def test_zeros_in_place_of_an_end_are_torn_wherever_they_begin(
    whole: bytes, starts: list[int], read: Callable[[bytes], tuple[int, Fault]]
) -> None:
    """As some file systems leave a file whose length reached the disk and whose content did not. Blocks begin at
    multiples of eight bytes, and so do sectors within them."""
    assert all(start % 8 == 0 for start in starts)
    for length in range(starts[3], len(whole), 8):
        end = read(whole[:length].ljust(len(whole) + 5_000, b"\0"))
        assert end == (SEQUENCES[3], Fault.NONE if length == starts[3] else Fault.TORN), length
    assert read(whole + bytes(5_000)) == (SEQUENCES[4], Fault.NONE)


def test_pages_that_never_reached_the_disk_are_torn_in_the_last_block_alone(
    read: Callable[[bytes], tuple[int, Fault]], tmp_path: Path
) -> None:
    """A power failure may keep any subset of the pages being written."""
    with JournaledEngine.create(tmp_path / "pages") as engine:
        for first in (1, 1_000, 2_000):
            engine.process(commands(*(limit(n) for n in range(first, first + 500))))
            size = (tmp_path / "pages").stat().st_size
    data = (tmp_path / "pages").read_bytes()
    last = size - 500 * 32 - BLOCK.itemsize - END_BYTES
    pages = range(-(-last // 4096) * 4096, size, 4096)
    assert len(pages) > 3
    for page in (last // 4096 * 4096, *pages):
        begin = max(page, last)  # what was there before is on the disk
        lost = data[:begin] + bytes(min(page + 4096, size) - begin) + data[page + 4096 :]
        assert read(lost) == (1_000, Fault.TORN), page
    lost = data[:8192] + bytes(4096) + data[12288:]
    assert read(lost) == (0, Fault.PAYLOAD)


def blocks_of(whole: bytes, starts: list[int]) -> list[bytes]:
    return [whole[start:end] for start, end in pairwise(starts)]


@pytest.mark.parametrize(
    ("order", "trusted", "fault"),
    [
        ([0, 1, 2, 3], 4, Fault.NONE),
        ([0, 1, 1, 2, 3], 2, Fault.CHAIN),  # repeated
        ([0, 2, 3], 1, Fault.CHAIN),  # missing
        ([1, 0, 2, 3], 0, Fault.CHAIN),  # moved
    ],
)
def test_blocks_that_are_whole_but_out_of_place_are_found(
    whole: bytes,
    starts: list[int],
    read: Callable[[bytes], tuple[int, Fault]],
    order: list[int],
    trusted: int,
    fault: Fault,
) -> None:
    blocks = blocks_of(whole, starts)
    data = whole[: starts[0]] + b"".join(blocks[at] for at in order)
    assert read(data) == (SEQUENCES[trusted], fault)
    assert len(journal_by_hand.read(data).payloads) == trusted
    # A reader that checks each block on its own accepts missing and repeated blocks.
    assert len(journal_by_hand.read(data, chained=False).payloads) == len(order)


def test_a_block_of_another_journal_is_found(
    whole: bytes, starts: list[int], read: Callable[[bytes], tuple[int, Fault]], tmp_path: Path
) -> None:
    with JournaledEngine.create(tmp_path / "other") as engine:
        engine.process(BATCHES[0])
    other = (tmp_path / "other").read_bytes()
    assert read(whole[: starts[0]] + other[len(other) - (starts[1] - starts[0]) :]) == (0, Fault.CHAIN)


def test_a_reader_without_checksums_would_take_a_flipped_bit_for_sound(whole: bytes, starts: list[int]) -> None:
    spoilt = flipped(whole, (starts[1] - END_BYTES - 1) * 8)
    assert len(journal_by_hand.read(spoilt).payloads) == 0
    assert len(journal_by_hand.read(spoilt, checked=False).payloads) == len(BATCHES)


def test_damage_is_refused_and_named_and_the_file_left_alone(whole: bytes, starts: list[int], tmp_path: Path) -> None:
    path = tmp_path / "day.journal"
    spoilt = flipped(whole, starts[2] * 8 + 400)
    path.write_bytes(spoilt)
    named = rf"damaged at block 2, byte {starts[2]:,} of .*day.journal, after 3 commands: its command checksum"
    with pytest.raises(JournalDamagedError, match=named) as raised:
        JournaledEngine.recover(path)
    assert f"truncate -s {starts[2]} {path}" in str(raised.value)
    assert path.read_bytes() == spoilt
    path.write_bytes(spoilt[: starts[2]])  # as it says
    with JournaledEngine.recover(path) as engine:
        assert engine.counters.commands == 3


def test_a_torn_tail_is_cut_and_told_and_the_journal_goes_on(whole: bytes, starts: list[int], tmp_path: Path) -> None:
    path = tmp_path / "day.journal"
    path.write_bytes(whole[: starts[3] + 50])
    with JournaledEngine.recover(path) as engine:
        assert engine.recovery is not None
        assert (engine.recovery.commands, engine.recovery.torn_bytes) == (SEQUENCES[3], 50)
        assert f"block 3, byte {starts[3]:,}" in (engine.recovery.torn or "")
        assert path.stat().st_size == starts[3]
        engine.process(BATCHES[3])
        after, _ = _core.save_state(engine.matcher)
    plain = Engine()
    for batch in BATCHES:
        plain.process(batch)
    assert after == _core.save_state(plain.matcher)[0]
    assert JournalFile(path).fault is Fault.NONE


def test_another_version_is_refused_by_its_number(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "day.journal"
    path.write_bytes(whole[:8] + (7).to_bytes(4, "little") + whole[12:])
    with pytest.raises(JournalError, match="has version 7, but this lowlat reads version 2"):
        JournaledEngine.recover(path)
