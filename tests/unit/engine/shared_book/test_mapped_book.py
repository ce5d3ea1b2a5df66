"""A reader in another process sees what the writer published: the same levels, from one moment, or an error with the
reason.

Torn books are made on purpose, by a writer that stops in the middle of an update. The same check that passes the real
writer and reader must detect a writer and a reader without the sequence lock.
"""

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.interface import TopOfBook
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import LEVEL, Levels, Side
from lowlat.engine.reference.engine import ReferenceEngine
from lowlat.engine.shared_book.directory import Found, MappedBookReader, MappedBookWriter, mapped_books
from lowlat.engine.shared_book.errors import BookBusyError, BookError, BookHeldError, LevelError, NoWriterError
from lowlat.engine.shared_book.header import BookIdentity
from lowlat.engine.shared_book.records import BOOK_HEADER, BookState
from lowlat.errors import UsageError
from lowlat.file_lock import unlock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "books"


@pytest.fixture
def writer(folder: Path) -> Iterator[MappedBookWriter]:
    with MappedBookWriter("AAPL", folder=folder, depth=4) as writer:
        yield writer


@pytest.fixture
def reader(writer: MappedBookWriter, folder: Path) -> Iterator[MappedBookReader]:
    with MappedBookReader("AAPL", folder=folder) as reader:
        yield reader


def levels(*rows: tuple[int, int, int]) -> Levels:
    return np.array(list(rows), LEVEL)


def shown(reader: MappedBookReader) -> list[list[tuple[int, int, int]]]:
    book = reader.snapshot(100)
    return [book.bids.tolist(), book.asks.tolist()]


def test_header_and_levels_start_on_cache_lines(writer: MappedBookWriter, reader: MappedBookReader) -> None:
    assert BOOK_HEADER.fields is not None
    assert BOOK_HEADER.fields["pid"][1] % 64 == BOOK_HEADER.fields["sequence"][1] % 64 == 0
    writer.publish_levels(levels((99, 1, 1)), levels((101, 1, 1)))
    for side in Side:
        assert reader.depth(side).ctypes.data % 64 == 0
    assert (reader.identity.file_bytes, BookIdentity("A", 64, 1, Decimal(1)).file_bytes) == (512, 4352)


@pytest.mark.parametrize("depth", [-2, 0, 1, 7, 4098])
def test_a_depth_that_would_break_the_layout_is_refused(folder: Path, depth: int) -> None:
    with pytest.raises(UsageError, match=r"even number, 2\.\.4096"):
        MappedBookWriter("AAPL", folder=folder, depth=depth)


def test_an_engines_book_is_read_as_it_is(writer: MappedBookWriter, reader: MappedBookReader) -> None:
    engine = Engine()
    engine.submit(1, Side.BUY, 5, 99)
    engine.submit(2, Side.BUY, 2, 99)
    engine.submit(3, Side.SELL, 4, 101)
    assert writer.publish(engine)
    assert shown(reader) == [[(99, 7, 2)], [(101, 4, 1)]]
    assert reader.best() == engine.best() == TopOfBook(99, 7, 101, 4)
    assert reader.snapshot().command == 3
    engine.submit(4, Side.BUY, 4, 101)
    assert shown(reader) == [[(99, 7, 2)], [(101, 4, 1)]], "not before it is published"
    assert writer.publish(engine)
    assert reader.best() == TopOfBook(99, 7, None, None)


def test_what_changes_nothing_leaves_readers_alone(writer: MappedBookWriter, reader: MappedBookReader) -> None:
    engine = Engine()
    engine.submit(1, Side.BUY, 5, 99)
    assert writer.publish(engine)
    before = reader.sequence
    assert not writer.publish(engine)
    assert reader.sequence == before


def test_only_the_best_levels_fit(writer: MappedBookWriter, reader: MappedBookReader) -> None:
    engine = Engine()
    for n in range(6):
        engine.submit(n + 1, Side.BUY, 1, 100 - n)
    writer.publish(engine)
    assert [price for price, _, _ in shown(reader)[0]] == [100, 99, 98, 97]
    assert [len(reader.snapshot(n).bids) for n in (-1, 0, 1, 3, 9)] == [0, 0, 1, 3, 4]


def test_both_engines_publish_the_same(folder: Path) -> None:
    for symbol, engine in (("A", Engine(symbols=2)), ("B", ReferenceEngine(symbols=2))):
        engine.submit(1, Side.SELL, 3, 10, symbol=1)
        with MappedBookWriter(symbol, folder=folder) as writer:
            writer.publish(engine, 1)
            with pytest.raises(UsageError, match=r"^symbol 2 is unknown"):
                writer.publish(engine, 2)
            with MappedBookReader(symbol, folder=folder) as reader:
                assert shown(reader) == [[], [(10, 3, 1)]]


def test_single_levels(writer: MappedBookWriter, reader: MappedBookReader) -> None:
    for price, quantity in ((99, 5), (101, 7), (100, 1)):
        writer.update_level(Side.BUY if price < 101 else Side.SELL, price, quantity)
    assert shown(reader) == [[(100, 1, 1), (99, 5, 1)], [(101, 7, 1)]]
    writer.update_level(Side.BUY, 100, 0)
    writer.update_level(Side.BUY, 55, 0)  # takes away what is not there
    writer.update_level(Side.BUY, 99, 6, 2, command=12)
    assert shown(reader) == [[(99, 6, 2)], [(101, 7, 1)]]
    assert reader.snapshot().command == 12


def test_a_level_beyond_the_depth_comes_up_when_others_go(writer: MappedBookWriter, reader: MappedBookReader) -> None:
    for price in (5, 4, 3, 2, 1):
        writer.update_level(Side.BUY, price, 1)
    assert [row[0] for row in shown(reader)[0]] == [5, 4, 3, 2]
    writer.update_level(Side.BUY, 4, 0)
    assert [row[0] for row in shown(reader)[0]] == [5, 3, 2, 1]


def test_single_levels_go_on_from_a_published_book(writer: MappedBookWriter, reader: MappedBookReader) -> None:
    writer.publish_levels(levels((99, 1, 1), (98, 1, 1)), levels((101, 1, 1)))
    writer.update_level(Side.SELL, 102, 2)
    assert shown(reader) == [[(99, 1, 1), (98, 1, 1)], [(101, 1, 1), (102, 2, 1)]]


def test_a_batch_is_seen_all_at_once(writer: MappedBookWriter, reader: MappedBookReader) -> None:
    writer.publish_levels(levels((99, 1, 1)), levels((101, 1, 1)))
    before = reader.sequence
    with writer.batch(command=7):
        writer.update_level(Side.BUY, 103, 4)  # crosses the old ask until that is gone
        assert reader.sequence == before
        writer.update_level(Side.SELL, 101, 0)
    assert shown(reader) == [[(103, 4, 1), (99, 1, 1)], []]
    assert (reader.sequence, reader.snapshot().command) == (before + 2, 7)


def test_no_reader_ever_sees_a_crossed_book(writer: MappedBookWriter, reader: MappedBookReader) -> None:
    writer.publish_levels(levels((99, 1, 1)), levels((101, 1, 1)))
    with pytest.raises(LevelError, match="reaches the best ask"):
        writer.update_level(Side.BUY, 101, 4)
    with pytest.raises(LevelError, match="the best bid 101 reaches the best ask 101"):
        writer.publish_levels(levels((101, 1, 1)), levels((101, 1, 1)))
    assert reader.best() == TopOfBook(99, 1, 101, 1)
    writer.update_level(Side.SELL, 101, 0)
    assert reader.best() == TopOfBook(101, 4, None, None)


@pytest.mark.parametrize(
    ("bids", "asks", "message"),
    [
        (levels((98, 1, 1), (99, 1, 1)), levels(), "BUY levels come best first, each price once: 98, then 99"),
        (levels(), levels((7, 1, 1), (7, 1, 1)), "SELL levels come best first, each price once: 7, then 7"),
        (levels((98, 0, 0)), levels(), "the BUY level at 98 is empty"),
        (np.zeros(2), levels(), "one-dimensional array of engine.LEVEL"),
        (np.zeros((2, 2), LEVEL), levels(), "one-dimensional array of engine.LEVEL"),
        (np.ma.masked_array(levels((98, 1, 1)), mask=True), levels(), "masked array"),
    ],
)
def test_levels_that_are_no_book_are_refused(
    writer: MappedBookWriter, reader: MappedBookReader, bids: Levels, asks: Levels, message: str
) -> None:
    with pytest.raises(LevelError, match=message):
        writer.publish_levels(bids, asks)
    assert shown(reader) == [[], []]


def test_a_side_that_there_is_not(writer: MappedBookWriter, reader: MappedBookReader) -> None:
    for ask in (lambda: writer.update_level(2, 1, 1), lambda: reader.depth(-1)):  # type: ignore[arg-type]
        with pytest.raises(UsageError, match=r"neither Side\.BUY nor Side\.SELL"):
            ask()


@pytest.mark.parametrize("row", [(2**63, 1, 1), (1, -1, 1), (1, 2**64, 1), (1, 1, -1)])
def test_numbers_that_do_not_fit_are_refused(writer: MappedBookWriter, row: tuple[int, int, int]) -> None:
    with pytest.raises(LevelError, match="out of range"):
        writer.update_level(Side.BUY, *row)


def test_views_are_the_memory_itself_and_read_only(writer: MappedBookWriter, reader: MappedBookReader) -> None:
    writer.publish_levels(levels((99, 1, 1)), levels())
    view, sequence = reader.depth(Side.BUY), reader.sequence
    assert view.base is not None and not view.flags.writeable
    assert reader.valid(sequence)
    writer.publish_levels(levels((98, 2, 1)), levels())
    assert view.tolist() == [(98, 2, 1)], "under the reader's eyes"
    assert not reader.valid(sequence)
    with pytest.raises(ValueError, match="read-only"):
        view["price"] = 1


def test_a_computation_over_views_is_done_again_when_an_update_came_in_between(
    writer: MappedBookWriter, reader: MappedBookReader
) -> None:
    writer.publish_levels(levels((99, 1, 1)), levels())
    seen = []

    def work(book: MappedBookReader) -> int:
        seen.append(int(book.depth(Side.BUY)["price"][0]))
        if len(seen) == 1:
            writer.publish_levels(levels((50, 1, 1)), levels())
        return seen[-1]

    assert reader.read(work) == 50
    assert seen == [99, 50]


# -- a writer that stops in the middle ------------------------------------------------------------------------------


def test_a_writer_stopped_in_mid_update_is_waited_for_and_then_reported(
    writer: MappedBookWriter, reader: MappedBookReader
) -> None:
    writer.native.begin()
    for ask in (lambda: reader.snapshot(patience_s=0.02), lambda: reader.read(lambda _: 1, patience_s=0.02)):
        with pytest.raises(BookBusyError, match=r"kept changing for 0\.02 s"):
            ask()
    assert reader.sequence % 2 == 1 and not reader.valid(reader.sequence)
    writer.native.end(0)
    assert shown(reader) == [[], []]


def killed_in_mid_update(folder: Path, *, torn: bool = True) -> None:
    """The file of a killed process: nothing is marked, and the kernel has released its lock.

    `tests/integration/test_book_kills.py` kills real ones.
    """
    writer = MappedBookWriter("AAPL", folder=folder, depth=4)
    writer.publish_levels(levels((99, 1, 1)), levels((101, 1, 1)))
    if torn:
        writer.native.begin()
    unlock(writer._file)


def test_a_torn_book_of_a_dead_writer_is_never_shown(folder: Path) -> None:
    killed_in_mid_update(folder)
    with pytest.raises(NoWriterError, match="exited without closing it"):
        MappedBookReader("AAPL", folder=folder)
    with (
        MappedBookReader("AAPL", folder=folder, live_only=False) as reader,
        pytest.raises(NoWriterError, match="died during an update"),
    ):
        reader.snapshot(patience_s=60)  # at once: a dead writer is not waited for
    assert "died during an update" in str(mapped_books(folder)[0].trouble)


def test_the_next_writer_heals_a_torn_book_under_its_readers(folder: Path) -> None:
    killed_in_mid_update(folder)
    with MappedBookReader("AAPL", folder=folder, live_only=False) as reader:
        with MappedBookWriter("AAPL", folder=folder, depth=4) as writer:
            assert (writer.found, writer.recovered) == (Found.TORN, None)
            assert shown(reader) == [[], []]
            writer.publish_levels(levels((7, 1, 1)), levels())
            assert reader.snapshot().generation == 2
            assert reader.best().bid == 7
        assert reader.snapshot().state is BookState.CLOSED


def test_what_a_killed_writer_left_whole_is_found(folder: Path) -> None:
    killed_in_mid_update(folder, torn=False)
    with MappedBookReader("AAPL", folder=folder, live_only=False) as reader:
        assert not reader.has_writer
        assert reader.best() == TopOfBook(99, 1, 101, 1)
    with MappedBookWriter("AAPL", folder=folder, depth=4) as writer:
        assert writer.found is Found.KILLED and writer.recovered is not None
        assert writer.recovered.best == TopOfBook(99, 1, 101, 1)
        with MappedBookReader("AAPL", folder=folder) as live:
            assert shown(live) == [[], []], "a dead engine's levels are not shown for a live one's"


def test_what_a_closed_writer_left_is_found(folder: Path) -> None:
    with MappedBookWriter("AAPL", folder=folder) as writer:
        assert (writer.found, writer.recovered) == (Found.NEW, None)
        writer.update_level(Side.BUY, 5, 1)
    with MappedBookWriter("AAPL", folder=folder) as writer:
        assert writer.found is Found.CLOSED and writer.recovered is not None
        assert writer.recovered.best.bid == 5


@pytest.mark.parametrize("other", [{"depth": 6}, {"instrument": Instrument(tick=5)}])
def test_a_book_of_another_kind_is_made_anew_and_its_readers_are_told(folder: Path, other: dict[str, object]) -> None:
    killed_in_mid_update(folder, torn=False)
    reader = MappedBookReader("AAPL", folder=folder, live_only=False)
    with reader, MappedBookWriter("AAPL", folder=folder, **({"depth": 4} | other)) as writer:  # type: ignore[arg-type]
        assert (writer.found, writer.recovered) == (Found.REPLACED, None)
        writer.update_level(Side.BUY, 5, 1)
        assert reader.best() == TopOfBook(99, 1, 101, 1), "what was mapped is neither truncated nor written over"
        assert reader.snapshot().state is BookState.REPLACED
        reader.live_only = True
        with pytest.raises(NoWriterError, match="followed by one with another layout"):
            reader.snapshot()


def test_one_writer_at_a_time(writer: MappedBookWriter, reader: MappedBookReader, folder: Path) -> None:
    writer.update_level(Side.BUY, 5, 1)
    for depth in (4, 8):
        with pytest.raises(BookHeldError, match=rf"book AAPL has a live writer, process {os.getpid()}; stop it"):
            MappedBookWriter("AAPL", folder=folder, depth=depth)
    assert reader.best().bid == 5, "the attempts have left it alone"


def test_readers_keep_no_writer_out(folder: Path) -> None:
    with MappedBookWriter("AAPL", folder=folder) as writer:
        reader = MappedBookReader("AAPL", folder=folder)
    assert writer and not reader.has_writer
    with MappedBookWriter("AAPL", folder=folder):
        assert reader.has_writer
    with pytest.raises(NoWriterError, match="has closed it"):
        reader.check_writer()
    reader.close()


def test_a_closed_end_says_so(folder: Path) -> None:
    with MappedBookWriter("AAPL", folder=folder) as writer, MappedBookReader("AAPL", folder=folder) as reader:
        writer.update_level(Side.BUY, 5, 1)
        view = reader.depth(Side.BUY)
    assert view.tolist() == [(5, 1, 1)], "a view keeps its memory"
    writer.close()
    reader.close()
    for use in (lambda: writer.update_level(Side.BUY, 5, 1), reader.snapshot, lambda: reader.sequence):
        with pytest.raises(BookError, match="is closed; create a new one"):
            use()


def test_a_closed_book_can_take_its_file_along(folder: Path) -> None:
    MappedBookWriter("AAPL", folder=folder).close(unlink=True)
    assert list(folder.iterdir()) == []


# -- the check that finds torn books, and what it must find -----------------------------------------------------------


def is_whole(book: tuple[Levels, Levels]) -> bool:
    """Whether all levels carry the number of one update (see `update`), and do not cross."""
    quantities = {int(row["quantity"]) for side in book for row in side}
    return len(quantities) == 1 and book[0]["price"][0] < book[1]["price"][0]


def update(number: int) -> tuple[Levels, Levels]:
    middle = 1000 + 100 * (number % 7)
    return (
        levels(*((middle - 1 - n, number, 1) for n in range(4))),
        levels(*((middle + 1 + n, number, 1) for n in range(4))),
    )


def test_a_writer_without_the_sequence_is_found_out(writer: MappedBookWriter, reader: MappedBookReader) -> None:
    """Stopped between the sides; a correct writer leaves an odd sequence there."""
    writer.publish_levels(*update(1))
    book = reader.snapshot()
    assert is_whole((book.bids, book.asks))
    np.frombuffer(writer._map, LEVEL, 4, reader.identity.side_offset(Side.BUY))[:] = update(2)[0]
    book = reader.snapshot()
    assert not is_whole((book.bids, book.asks))


def test_a_reader_without_the_check_is_found_out(writer: MappedBookWriter, reader: MappedBookReader) -> None:
    """An update between reading the two sides; a correct reader reads again."""
    writer.publish_levels(*update(1))

    def both(book: MappedBookReader) -> tuple[Levels, Levels]:
        bids = book.depth(Side.BUY).copy()
        if bids["quantity"][0] == 1:
            writer.publish_levels(*update(2))
        return bids, book.depth(Side.SELL).copy()

    assert is_whole(reader.read(both))
    writer.publish_levels(*update(1))
    assert not is_whole(both(reader))
