"""Only one thread at a time may use an engine; a second one gets an error and cannot corrupt the book."""

import threading

import numpy as np
import pytest

from lowlat.engine import Engine, load_profile, synthetic_flow
from lowlat.errors import BusyError, LowlatError


def test_a_second_thread_is_refused_while_the_first_executes():
    flow = synthetic_flow(load_profile("steady"), 2_000_000, 1)
    engine = Engine(orders=flow.orders)
    first = threading.Thread(target=engine.process, args=(flow.commands,))
    refused = 0
    first.start()
    while first.is_alive():
        try:
            engine.best()
        except BusyError as error:
            assert "another thread is using this engine" in str(error)
            refused += 1
    first.join()
    assert refused
    assert isinstance(BusyError(), LowlatError)
    engine.check_invariants()
    assert engine.counters.commands == len(flow.commands)


def test_engines_of_their_own_run_side_by_side_and_agree():
    flow = synthetic_flow(load_profile("sweep"), 200_000, 1)
    results = [np.empty(0)] * 4

    def run(at):
        results[at] = Engine(orders=flow.orders).process(flow.commands)

    threads = [threading.Thread(target=run, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results[1:]:
        assert np.array_equal(result, results[0])


def test_one_engine_handed_from_thread_to_thread():
    flow = synthetic_flow(load_profile("steady"), 40_000, 1)
    engine, alone = Engine(orders=flow.orders), Engine(orders=flow.orders)
    parts = np.array_split(np.arange(len(flow.commands)), 4)
    events = []
    for part in parts:
        thread = threading.Thread(
            target=lambda part=part: events.append(engine.process(flow.commands[part[0] : part[-1] + 1]))
        )
        thread.start()
        thread.join()
    assert np.array_equal(np.concatenate(events), alone.process(flow.commands))


def test_the_error_is_usable_without_a_message():
    with pytest.raises(LowlatError):
        raise BusyError
