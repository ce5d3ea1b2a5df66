"""Recordings in binary formats, as level-3 events."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import numpy as np

from lowlat.engine.feed.records import OrderAction
from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.flow.readers.itch import file as itch_file
from lowlat.engine.flow.readers.itch import open_itch
from tests.fuzz.parsers.target import Target, written
from tests.itch_by_hand import capture, capture_ng, datagram, linked, packets, prefixed, small_day


def _read_itch(data: bytes, folder: Path) -> None:
    stream = open_itch(written(folder, "day.itch", data), ReadOptions())
    for block in stream.blocks:
        assert (block["symbol"] < len(stream.symbols)).all(), "every event is of a symbol"
        assert np.isin(block["action"], list(OrderAction)).all(), "every event says what happened"


def _itch_seeds() -> list[bytes]:
    day = small_day()
    frames = [linked(datagram(packet)) for packet in packets(day, 4)]
    return [prefixed(day), b"".join(day), capture(frames), capture(frames, order=">"), capture_ng(frames)]


def _plant_itch() -> None:
    """A reader whose own errors are not typed."""
    mock.patch.object(itch_file, "InputError", lambda *words: ValueError(words)).start()


ITCH = Target(
    "itch",
    _read_itch,
    _itch_seeds,
    _plant_itch,
    ("engine/flow/readers/itch/file.py", "engine/flow/readers/itch/framing.py"),
)
