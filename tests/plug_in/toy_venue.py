"""An example of a third-party package: a reader of its venue's files, and an engine."""

import re
from pathlib import Path

import numpy as np

from lowlat.engine import Engine, EngineConfig, ExecType, Flow, MatchingEngine, ReferenceEngine, Side, command, commands
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


class ToyEngine(MatchingEngine):
    """An engine of the same contract, called only through the interface."""

    def _open(self, settings):
        self.settings = settings
        self._inner = ReferenceEngine.of(settings)

    def process(self, commands):
        return self._inner.process(commands)

    def _depth(self, side, levels, symbol):
        return self._inner.depth(side, levels, symbol)

    def _orders(self, symbol):
        return self._inner.orders(symbol)

    def _stops(self, symbol):
        return self._inner.stops(symbol)

    def _indicative(self, symbol):
        return self._inner.indicative(symbol)

    def trades(self):
        return self._inner.trades()

    def drain_trades(self):
        return self._inner.drain_trades()


class WrongEngine(ToyEngine):
    """Its prices are off by one."""

    def process(self, commands):
        events = np.array(super().process(commands))
        events["price"] += 1
        return events


def native(settings: EngineConfig) -> MatchingEngine:
    """Another name for the native engine."""
    return Engine.of(settings)


TOY = EngineEntry("toy", "the toy engine", ToyEngine.of, commands=500)
WRONG = EngineEntry("wrong", "one that is wrong", WrongEngine.of, commands=500)
COMPILED = EngineEntry("compiled", "the native one by another name", native, commands=500, compiled=True)
PRETENDER = EngineEntry("pretender", "says that it is compiled, and is not", ToyEngine.of, compiled=True)
MISNAMED = EngineEntry("other", "not called as its entry point is", ToyEngine.of)


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
