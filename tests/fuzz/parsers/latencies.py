"""The latencies that other programs print: lines, NDJSON, CSV. The first byte chooses among them."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

from lowlat.reports.model.results import Series
from lowlat.reports.recording import text_reader
from lowlat.reports.recording.layout import Layout
from tests.fuzz.parsers.target import Target

LAYOUTS = (
    Layout(),
    Layout(unit="us", ignore_others=True, skip=1),
    Layout(column="ns"),
    Layout(field="ns", ignore_others=True),
)


def _series(layout: Layout, text: bytes, block: int) -> tuple[Series, ...]:
    blocks = (text[start : start + block] for start in range(0, len(text), block))
    return layout.read(blocks)[1].recorder.series()


def _read(data: bytes, _folder: Path) -> None:
    layout, text = LAYOUTS[data[0] % len(LAYOUTS)] if data else Layout(), data[1:]
    whole = _series(layout, text, len(text) or 1)
    assert _series(layout, text, 7) == whole, "the borders of blocks do not matter"


def _seeds() -> list[bytes]:
    return [
        b"\0" + b"12\n3.5\r\n1e3",
        b"\0" + b'{"op": "a", "ns": 12}\n{"ns": 3.5, "op": "b"}\n',
        b"\1" + b"12\nhello\n0.25\n7\n",
        b"\2" + b'op,ns\na,12\n"b ""c""",3.5\n',
        b"\3" + b'banner\n{"ns": 12}\n{}\n',
    ]


def _plant() -> None:
    """Takes every line without a latency for a number."""
    mock.patch.object(
        text_reader, "number_problem", lambda text, _unit: "negative" if float(text) < 0 else None
    ).start()


LATENCIES = Target(
    "latencies",
    _read,
    _seeds,
    _plant,
    ("reports/recording/text_reader.py", "reports/recording/row_reader.py", "reports/recording/recorder.py"),
)
