"""Measures the cost of a mapped book for writer and readers: `python tools/measure/mapped_book_speed.py [FOLDER]`.

FOLDER is where the file is mapped, by default /dev/shm. Nanoseconds; 64 levels a side, snapshots of ten.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import timeit
from pathlib import Path

from native_pass import build

from lowlat.engine import Engine, Side
from lowlat.engine.shared_book.directory import MappedBookReader, MappedBookWriter

WHAT = {
    "set_level": "write a level, every one of both sides",
    "publish_changed": "publish from the matcher, a level, all changed",
    "publish_unchanged": "publish from the matcher, a level, none changed",
    "publish_after_one_command": "publish both sides after one command",
    "snapshot_quiet": "snapshot of ten levels a side",
    "snapshot_after_each_update": "the same, right after an update by another core",
    "feed_level": "a level told to the publisher, beside matching",
    "mirror_update": "one level of a mirror of 2,000",
    "mirror_update_and_publish": "the same, and publish both sides",
}


def line(what: str, ns: float) -> None:
    """Print one row of the table."""
    print(f"{what:52}{ns:10.1f} ns")


def from_python(folder: Path) -> None:
    """The same writer and reader through Python, one call each."""
    engine = Engine()
    for n in range(64):
        engine.submit(2 * n + 1, Side.BUY, 5, 999 - n)
        engine.submit(2 * n + 2, Side.SELL, 5, 1001 + n)
    with MappedBookWriter("SPEED", folder=folder) as writer, MappedBookReader("SPEED", folder=folder) as reader:
        writer.publish(engine)
        calls = {
            "Python: publish both sides, none changed": lambda: writer.publish(engine),
            "Python: snapshot of ten levels a side": reader.snapshot,
            "Python: sequence, view of a side, check": lambda: (
                reader.sequence,
                reader.depth(Side.BUY),
                reader.valid(2),
            ),
        }
        for what, call in calls.items():
            line(what, min(timeit.repeat(call, number=20_000, repeat=5)) / 20_000 * 1e9)


def main() -> None:
    """Print the table."""
    where = sys.argv[1] if len(sys.argv) > 1 else "/dev/shm"
    with tempfile.TemporaryDirectory(dir=where) as folder, tempfile.TemporaryDirectory() as built:
        program = build(Path(built), "mapped_book", source="mapped_book.cpp")
        out = subprocess.run([program, folder], check=True, stdout=subprocess.PIPE, text=True).stdout
        figures = dict(row.split() for row in out.splitlines())
        for name, what in WHAT.items():
            line(what, float(figures[name]))
        from_python(Path(folder))


if __name__ == "__main__":
    main()
