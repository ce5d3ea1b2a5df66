"""What is told while a recording is read: events, and the share of the file, compressed or not."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lowlat.engine.bench.rebuild import Rebuilding
from lowlat.engine.feed import telling
from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.flow.registry import reader_of
from lowlat.inputs import share_read

ROWS = "".join(
    f"{34200 + n * 1e-4:.4f},1,{n},100,{1_000_000 + n % 50 * 100},{1 - n % 2 * 2}\n" for n in range(1, 90_001)
)
Told = list[tuple[str, float | None]]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "UPDATE_S", 0)


def read(path: Path) -> Told:
    said: Told = []
    options = ReadOptions(progress=lambda text, share: said.append((text, share)))
    for _ in reader_of(path, "lobster").events(path, options).blocks:
        pass
    return said


@pytest.mark.parametrize("squeeze", [bytes, gzip.compress])
def test_the_share_is_that_of_the_bytes_of_the_file(tmp_path: Path, squeeze: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "day_message_10.csv"
    path.write_bytes(squeeze(ROWS.encode()))
    texts, shares = zip(*read(path), strict=True)
    assert len(shares) >= 2 and list(shares) == sorted(shares) and 0 < shares[0] <= 1 and shares[-1] == 1
    assert texts[-1].startswith("day_message_10.csv: 90,000 events read, ")


def test_of_a_pipe_nobody_knows_the_share() -> None:
    here, there = os.pipe()
    rows = ROWS[: ROWS.index("\n", 40_000) + 1].encode()  # less than a pipe holds
    os.write(there, rows)
    os.close(there)
    said = read(Path(f"/proc/self/fd/{here}"))
    os.close(here)
    assert len(said) == 1 and said[0][1] is None


def test_a_file_that_is_not_open_or_not_there_has_no_share(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert share_read(path) is None and share_read(tmp_path) is None
    path.write_bytes(bytes(8))
    assert share_read(path) is None
    with path.open("rb", buffering=0) as file:
        file.read(2)
        assert share_read(path) == 0.25


def test_commands_and_rebuilt_books_are_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lowlat.engine.flow.recording.walk._STEP_MS", 0)  # 16 events
    path = tmp_path / "day_message_10.csv"
    path.write_text(ROWS)
    said: Told = []
    options = ReadOptions(progress=lambda text, share: said.append((text, share)))
    reader_of(path).flow(path, options=options)
    made = [(text, share) for text, share in said if text.startswith("commands of ")]
    assert made[-1] == ("commands of 90,000 of 90,000 events made", 1)
    assert [share for _, share in made] == [done / 90_000 for done in range(16, 90_001, 16)]
    said.clear()
    Rebuilding(reader_of(path).events(path, ReadOptions()), None, lambda *told: said.append(told)).run()
    assert said[-1] == ("measuring single events", 1) and said[-2][0].startswith("90,000 events, ")
    assert 0 < (said[0][1] or 0) < 1 == said[-2][1]
