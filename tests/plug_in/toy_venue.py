"""An example of a third-party package: a reader of its venue's files, and an engine."""

import os
import re
import sys
from pathlib import Path

import numpy as np

from lowlat.engine import Engine, EngineConfig, ExecType, Flow, ReferenceEngine, Side, command, commands
from lowlat.engine.bench.engines import EngineEntry
from lowlat.engine.flow.registry import Reader


def read_toy(path: Path) -> Flow:
    """One order per line: BUY 5 100 buys 5 at 100."""
    rows = [line.split() for line in path.read_text().splitlines()[1:]]
    orders = commands(
        *(
            command(1, number, side=Side[side], quantity=int(quantity), price=int(price))
            for number, (side, quantity, price) in enumerate(rows, start=1)
        )
    )
    return Flow(name=path.name, commands=orders, seeded=0, orders=len(orders), mix={"add": len(orders)})


READER = Reader(name="toy", noun="toy file", sentence="a toy venue's day", read=read_toy, begins=re.compile(rb"TOY\n"))


class ToyEngine:
    """An engine is any object with `process`: commands in, their events out."""

    def __init__(self, settings):
        self._inner = ReferenceEngine.of(settings)

    def process(self, commands):
        return self._inner.process(commands)


class WrongEngine(ToyEngine):
    """Its prices are off by one."""

    def process(self, commands):
        events = np.array(super().process(commands))
        events["price"] += 1
        return events


class Careless(ToyEngine):
    """Leaves garbage to the collector: a cycle for every command."""

    def process(self, commands):
        for _ in range(len(commands)):
            cycle = []
            cycle.append(cycle)
        return super().process(commands)


class Fails:
    """Raises an error of its own."""

    def __init__(self, settings):
        pass

    def process(self, commands):
        raise KeyError("no such order")


class Nothing(ToyEngine):
    """Forgets to return its events."""

    def process(self, commands):
        super().process(commands)


class Leaves(ToyEngine):
    """Ends the process it runs in, as if all were well."""

    def process(self, commands):
        os._exit(0)


class Asks(ToyEngine):
    """Asks its user, who presses Ctrl-C, or ends the program."""

    def process(self, commands):
        raise KeyboardInterrupt


def exiting(settings: EngineConfig) -> Engine:
    """Ends the program instead of making an engine."""
    sys.exit(0)


class Forks(ToyEngine):
    """Comes back from its first call in two processes."""

    has_forked = False

    def process(self, commands):
        if not self.has_forked:
            self.has_forked = True
            if child := os.fork():
                os.waitpid(child, 0)
        return super().process(commands)


def native(settings: EngineConfig) -> Engine:
    """Another name for the native engine."""
    return Engine.of(settings)


TOY = EngineEntry("toy", "the toy engine", ToyEngine, commands=500)
LEAVES = EngineEntry("leaves", "one that ends its process", Leaves)
ASKS = EngineEntry("asks", "one that raises what Ctrl-C does", Asks)
EXITS = EngineEntry("exits", "one that ends the program", exiting, compiled=True)
FORKS = EngineEntry("forks", "one that forks", Forks)
WRONG = EngineEntry("wrong", "one that is wrong", WrongEngine, commands=500)
CARELESS = EngineEntry("careless", "one that makes garbage", Careless, commands=500)
LIMITED = EngineEntry("limited", "limit orders of one symbol", ToyEngine, commands=500, capabilities=frozenset())
FAILS = EngineEntry("fails", "one that raises", Fails)
NOTHING = EngineEntry("nothing", "one that returns nothing", Nothing)
COMPILED = EngineEntry("compiled", "the native one by another name", native, commands=500, compiled=True)
PRETENDER = EngineEntry("pretender", "says that it is compiled, and is not", ToyEngine, compiled=True)
MISNAMED = EngineEntry("other", "not called as its entry point is", ToyEngine)


class PlantedEngine(Engine):
    """From command 200,000 on, one trade in 97 reports a quantity that is one too high.

    Only until 290,000, so that the last events, which the measured passes keep, do not show it.
    """

    def _open(self, settings):
        super()._open(settings)
        self._trades = 0

    def reset(self):
        super().reset()
        self._trades = 0

    def process(self, commands):
        events = np.array(super().process(commands))
        late = (events["sequence"] >= 200_000) & (events["sequence"] < 290_000)
        trades = np.flatnonzero(late & (events["kind"] == ExecType.TRADE))
        events["quantity"][trades[(self._trades + np.arange(len(trades))) % 97 == 0]] += 1
        self._trades += len(trades)
        return events


PLANTED = EngineEntry("planted", "one that errs late", PlantedEngine.of, compiled=True)
