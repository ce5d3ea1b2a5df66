"""Another thread may write to the array of a batch while it executes: each command is then what was checked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import PATIENCE_S

MEDDLED = """
import sys, threading
from pathlib import Path
import numpy as np
from lowlat.engine import *

flow = synthetic_flow(load_profile("many-symbols"), 300_000, 1)
batch = flow.commands.copy()
noise = np.random.default_rng(1).integers(0, 256, (256, batch.nbytes // 4), dtype=np.uint8)
over = threading.Event()

def meddle():
    raw, n = batch.view(np.uint8).reshape(-1), 0
    while not over.is_set():
        n += 1
        if n % 2:
            part = noise[n % 256]
            raw[(n % 4) * part.size :][: part.size] = part
        else:
            batch[:] = flow.commands

def run(engine):
    for _ in range(6):
        events = engine.process(batch)
        assert len(np.unique(events["sequence"])) == len(batch)
    return engine

settings = dict(orders=flow.orders, trades=1_000)
thread = threading.Thread(target=meddle)
thread.start()
try:
    if sys.argv[1] == "plain":
        engine = run(Engine(flow.instruments, **settings))
    else:
        path = Path(sys.argv[2])
        with JournaledEngine.create(path, flow.instruments, sync=SyncPolicy.NONE, **settings) as engine:
            run(engine)
finally:
    over.set()
    thread.join()
engine.check_invariants()
if sys.argv[1] != "plain":
    with JournaledEngine.recover(path) as back:
        back.check_invariants()
        assert back.counters.commands == engine.counters.commands == 6 * len(batch)
        assert back.counters.trades == engine.counters.trades
        for symbol in range(0, len(flow.instruments), 50):
            assert np.array_equal(back.orders(symbol), engine.orders(symbol))
print("same")
"""


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["plain", "journaled"])
def test_an_array_that_another_thread_writes_to_harms_neither_books_nor_journal(engine: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", MEDDLED, engine, str(tmp_path / "journal")],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "same\n"), done.stderr
