"""Only one thread at a time may use an engine; a second one gets an error and cannot corrupt the book."""

import sys
import threading

import numpy as np
import pytest

from lowlat.engine import CommandType, Engine, JournaledEngine, command, commands, load_profile, synthetic_flow
from lowlat.engine.matching.native import RELEASE_FROM
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


class OtherThread:
    """A thread that waits for the GIL. Since no thread is forced to give up the GIL while this is open, it only
    progresses when somebody releases the GIL on their own accord."""

    def __enter__(self):
        self.progressed = False
        self._gate = threading.Lock()
        self._gate.acquire()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._interval = sys.getswitchinterval()
        sys.setswitchinterval(3600)
        self._gate.release()
        return self

    def _run(self):
        with self._gate:
            self.progressed = True

    def __exit__(self, *_exception):
        sys.setswitchinterval(self._interval)
        self._thread.join()


def progresses_during(call, most):
    """Whether the other thread progresses during up to `most` calls."""
    with OtherThread() as other:
        for _ in range(most):
            call()
            if other.progressed:
                return True
        return False


FEW, FOR_EVER = 200, 1_000_000_000


def batch_of(count):
    return np.repeat(commands(command(CommandType.CANCEL, 1)), count)


def test_a_small_batch_keeps_the_gil():
    """Threads with small batches would spend more time on handing over the GIL than on executing."""
    engine, small = Engine(), batch_of(RELEASE_FROM - 1)
    assert not progresses_during(lambda: engine.process(small), FEW)


def test_a_large_batch_releases_the_gil():
    engine, large = Engine(), batch_of(RELEASE_FROM)
    assert progresses_during(lambda: engine.process(large), FOR_EVER)


def test_a_journaled_batch_releases_the_gil_whatever_its_size(tmp_path):
    """It waits for the disk."""
    with JournaledEngine.create(tmp_path / "journal") as engine:
        assert progresses_during(lambda: engine.process(batch_of(1)), FOR_EVER)


def test_a_small_batch_that_released_the_gil_would_be_noticed():
    engine, small = Engine(), batch_of(RELEASE_FROM - 1)
    assert progresses_during(lambda: engine.matcher.process(small, 0), FOR_EVER)
