"""Independent tests: the suite and the campaigns of the PyPI package tracebook-conformance.

For each event, the outcome, the trades and the whole resting book, including queues, must equal those of the package's
own matching engine. Cases that its suites leave out (self-trade prevention under load, odd input) are checked the same
way. Engines with a known fault must be rejected.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tracebook.conformance import (
    ConformanceConfig,
    copy_bundled_conformance_suite,
    get_campaign_profile,
    load_conformance_suite,
    run_campaign,
    run_conformance,
    run_conformance_suite,
)
from tracebook.core.order import SelfTradePolicy
from tracebook.events import MarketEvent

from lowlat.engine import Engine
from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.reference.engine import ReferenceEngine
from tests.conformance.in_process import candidate
from tests.property import broken_engines
from tests.waiting import PATIENCE_S

TRACES = int(os.environ.get("LOWLAT_CAMPAIGN_TRACES", "5"))
"""Of a campaign, 200 events each; `make test-slow` asks for 50, `make conformance` for 200."""
TOOL = [sys.executable, "-P", "-m", "tracebook.conformance.cli"]
ADAPTER = [sys.executable, "-P", str(Path(__file__).with_name("adapter.py"))]
SUITE = "tracebook-conformance-v2"


def judged(*arguments: object) -> int:
    """Run the package's own command on the adapter as a program; return its exit code, 1 for a difference."""
    command = [*TOOL, *map(str, arguments[:-1]), "--timeout", "120", "--candidate", *ADAPTER, str(arguments[-1])]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False).returncode


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    copy_bundled_conformance_suite(tmp_path / "suite", suite_version="v2")
    return tmp_path / "suite"


@pytest.mark.slow
def test_the_suite_through_its_own_command(suite: Path, tmp_path: Path) -> None:
    code = judged("suite", suite, "--output", tmp_path / "found.json", "lowlat.engine:Engine")
    found = json.loads((tmp_path / "found.json").read_text())
    assert [case["name"] for case in found["cases"] if not case["report"]["conformant"]] == []
    assert (code, found["suite_id"], found["case_count"], found["conformant_cases"]) == (0, SUITE, 9, 9)
    assert found["candidate_engine"]["name"] == "lowlat Engine"


@pytest.mark.scaled
@pytest.mark.parametrize("profile", ["fifo-limit-v1", "fifo-full-v1", "fifo-partial-fill-v1"])
@pytest.mark.parametrize("seed", [1337, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_campaigns(profile: str, seed: int) -> None:
    held(run_campaign(candidate(Engine), profile, seed=seed, traces=TRACES, events_per_trace=200), TRACES)


@pytest.mark.scaled
@pytest.mark.parametrize("policy", [SelfTradePolicy.CANCEL_RESTING, SelfTradePolicy.CANCEL_INCOMING])
def test_campaigns_with_self_trade_prevention(policy: SelfTradePolicy) -> None:
    """The four owners of the generator meet all the time; its own profiles let them trade."""
    config = ConformanceConfig(self_trade_policy=policy)
    profile = dataclasses.replace(get_campaign_profile("fifo-full-v1"), name="fifo-full-owners", config=config)
    held(run_campaign(candidate(Engine), profile, seed=1, traces=TRACES, events_per_trace=200), TRACES)


def held(result: Any, traces: int) -> None:
    """No difference, over traces that cover everything the profile names."""
    assert result.failure is None, result.failure and json.dumps(result.failure.minimization.to_dict(), indent=1)
    assert len(result.traces) == traces
    assert result.semantic_coverage.uncovered_capabilities == ()


@pytest.mark.parametrize("policy", SelfTradePolicy)
@pytest.mark.parametrize("algorithm", ["fifo", "pro_rata"])
@pytest.mark.parametrize("make", [Engine, ReferenceEngine])
def test_what_the_suites_leave_out(make: type[MatchingEngine], algorithm: str, policy: SelfTradePolicy) -> None:
    """Odd prices, quantities and owners, reused ids, failing replacements: what the adapter translates."""
    config = ConformanceConfig(algorithm, 0.05, policy)
    report = run_conformance(odd_events(), candidate(make), config=config)
    assert report.divergence is None, report.divergence
    assert report.compared_events == len(odd_events())


def odd_events() -> list[MarketEvent]:
    """For a tick of 0.05; in pro-rata books every share is a whole number of lots."""
    return [
        new("A", 1, "SELL", -3, 1),  # below the band; the book is there all the same
        new("A", 1, "SELL", 10.02, 2.5, owner=0),
        new("A", 1, "SELL", 0.001, 1),  # the id counts before the price
        new("A", 2, "SELL", 9.98, 2.5, owner=-1),  # both at 10.00
        new("A", 3, "SELL", 10, -1),
        new("A", 3, "BUY", 10, 7, "FOK", owner=0),
        new("A", 4, "BUY", 10, 1, owner=0),  # its own order stands first; 0 is an owner, -1 is none
        event("reduce", "A", 2, quantity=100),
        event("reduce", "A", 2, quantity=0.5),
        event("reduce", "A", 77, quantity=0.5),
        event("cancel", "B", 1),  # no such book
        new("B", 1, "BUY", 5, 2, owner=7),
        new("B", 2, "BUY", 5, 2, owner=8),
        event("replace", "B", 2, price=0.02),  # refused; of the last in its queue, see the adapter
        event("replace", "B", 1, quantity=-1),
        event("replace", "B", 9, quantity=-1),  # there is none: that counts before the quantity
        new("B", 3, "SELL", 5, 1, "IOC", owner=9),
        event("replace", "B", 1, price=5.01),  # the same tick: to the back
        new("B", 4, "BUY", 5, 2, owner=9),
        new("B", 5, "BUY", 4.95, 1 / 4096, owner=9),  # the last of twelve halvings
        new("B", 6, "SELL", None, 0.5, "MARKET", owner=9),
        event("replace", "B", 2, price=4.95, quantity=3),
        new("B", 7, "SELL", 5.05, 4, owner=9),
        event("replace", "B", 2, price=5.05),  # through the touch
        new("B", 8, "SELL", 7, 1, owner=9),
        event("cancel", "B", 8),
        new("B", 8, "SELL", 7, 1.0001, owner=-1),  # its id is free again
        new("B", 9, "BUY", None, 99, "MARKET", owner=-1),
        event("clear", "B"),
        event("clear", "C"),
        event("clear", "B"),
        new("B", 8, "SELL", 7, 1, owner=9),
    ]


def new(
    symbol: str, order_id: int, side: str, price: float | None, quantity: float, kind: str = "LIMIT", owner: int = -1
) -> MarketEvent:
    given = {"side": side, "order_type": kind, "price": price, "quantity": quantity, "owner": owner}
    return event("new", symbol, order_id, **given)


def event(op: str, symbol: str, order_id: int | None = None, **given: Any) -> MarketEvent:
    return MarketEvent.from_mapping({"op": op, "symbol": symbol, "order_id": order_id, **given})


def test_the_reference_engine_passes_the_suite_too(suite: Path) -> None:
    found = run_conformance_suite(load_conformance_suite(suite), candidate(ReferenceEngine))
    assert (found["case_count"], found["conformant_cases"]) == (9, 9)


@pytest.mark.parametrize(
    ("fault", "failure_class"),
    [
        (broken_engines.LastInFirstOut, "execution drift"),
        (broken_engines.TakerPriced, "execution drift"),
        (broken_engines.OneOrderOnly, "execution drift"),
        (broken_engines.FokTradesInPart, "execution drift"),
        (broken_engines.ReduceLosesPlace, "book-state drift"),
        (broken_engines.ReplaceKeepsPlace, "book-state drift"),
        (broken_engines.DuplicateIdReplaces, "book-state drift"),
    ],
)
def test_a_campaign_rejects_engines_with_a_fault(fault: type[MatchingEngine], failure_class: str) -> None:
    result = run_campaign(candidate(fault), "fifo-full-v1", traces=5, events_per_trace=200, max_minimize_runs=1)
    assert result.failure is not None and result.failure.failure_class == failure_class


@pytest.mark.slow
def test_its_own_command_rejects_last_in_first_out(suite: Path, tmp_path: Path) -> None:
    fault = "tests.property.broken_engines:LastInFirstOut"
    assert judged("suite", suite, "--output", tmp_path / "found.json", fault) == 1
    found = json.loads((tmp_path / "found.json").read_text())
    failed = [case["name"] for case in found["cases"] if not case["report"]["conformant"]]
    assert "fifo-lifecycle" in failed and "order-instructions" not in failed
    campaign = ["campaign", "--traces", 1, "--max-minimize-runs", 1, "--output-dir", tmp_path / "campaign"]
    assert judged(*campaign, fault) == 1
    assert (tmp_path / "campaign" / "reduced.jsonl").is_file()
