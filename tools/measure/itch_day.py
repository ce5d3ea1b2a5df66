"""Writes a synthetic NASDAQ ITCH 5.0 day: `itch_day.py MESSAGES [--symbols N] [--live N] [--seed N] > day.itch`.

Messages stand behind their lengths, as in Nasdaq's own files. A count may end in k or M. Memory is that of the live
orders; nothing is held back, so it may be piped into a reader.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.itch_day import ItchDay


def count(text: str) -> int:
    """A number such as 8000, 500k or 100M."""
    scale = {"k": 1_000, "M": 1_000_000}.get(text[-1:], 1)
    return int(text.rstrip("kM")) * scale


def main() -> None:
    """Write it to stdout."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("messages", type=count)
    parser.add_argument("--symbols", type=count, default=8_000)
    parser.add_argument("--live", type=count, default=2_000_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for block in ItchDay(asked.messages, asked.symbols, asked.live, asked.seed).blocks():
        sys.stdout.buffer.write(block)


if __name__ == "__main__":
    main()
