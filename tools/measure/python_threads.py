"""When `Engine.process` should release the GIL: `python tools/measure/python_threads.py [PASSES]`.

Executes the same flow in batches, on one thread and on two at once with an engine each, with the GIL held during each
batch and with it released. Million commands per second over all threads, the best of many short interleaved passes:
another load on the host only slows one down. Releasing pays from the batch size at which two threads are faster
with it than one thread is.
"""

from __future__ import annotations

import sys
import threading
import time

from lowlat.engine.flow.profile import load_profile
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.matching.native import RELEASE_FROM, Engine
from lowlat.engine.matching.records import Commands

BATCHES = (10, 30, 100, 200, 300, 500, 700, 1_000, 2_000, 5_000, 10_000)
COMMANDS = 20_000
CASES = [(threads, release) for threads in (1, 2) for release in (False, True)]


def wall_s(flow: Commands, engines: list[Engine], batch: int, release: bool) -> float:
    """From the first thread's start to the last one's end; each has an engine of its own."""
    ready = threading.Barrier(len(engines))
    release_from = 0 if release else batch + 1
    batches = [flow[start : start + batch] for start in range(0, len(flow), batch)]
    moments: list[float] = []

    def work(engine: Engine) -> None:
        engine.reset()
        process = engine.matcher.process
        ready.wait()
        moments.append(time.perf_counter())
        for commands in batches:
            process(commands, release_from)
        moments.append(time.perf_counter())

    threads = [threading.Thread(target=work, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(moments) - min(moments)


def main() -> None:
    """Print the table."""
    passes = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    flow = synthetic_flow(load_profile("steady"), COMMANDS, 1)
    engines = [Engine(orders=flow.orders) for _ in range(2)]
    print(f"million commands/s; the GIL is released from {RELEASE_FROM:,} commands on")
    print(f"{'batch':>8}" + "".join(f"{f'{n} thr. ' + ('released' if r else 'held'):>17}" for n, r in CASES))
    for batch in BATCHES:
        best = dict.fromkeys(CASES, float("inf"))
        for _ in range(passes):
            for threads, release in CASES:
                taken = wall_s(flow.commands, engines[:threads], batch, release)
                best[threads, release] = min(best[threads, release], taken)
        rates = [threads * len(flow.commands) / best[threads, release] / 1e6 for threads, release in CASES]
        print(f"{batch:8,}" + "".join(f"{rate:17.2f}" for rate in rates), flush=True)


if __name__ == "__main__":
    main()
