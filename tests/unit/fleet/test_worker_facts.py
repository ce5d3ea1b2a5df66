"""Workers of other versions are refused and named; hosts are told apart."""

from __future__ import annotations

from typing import Any

import pytest

from lowlat.fleet.worker_facts import RefusedWorker, WorkerFacts, facts_of, hosts_of, too_small, versions


def told(**changed: Any) -> dict[str, Any]:
    facts = {"host_name": "a", "boot_id": "1", "cpus": 2, "memory_limit_bytes": None, "time": 100.5, "threads": 3}
    return {**facts, "versions": versions(), **changed}


def test_a_worker_like_ours_takes_part() -> None:
    found = facts_of("tcp://a:1", told(), 100.0, 101.0)
    assert isinstance(found, WorkerFacts)
    assert (found.host_name, found.cpus, found.threads, found.clock_ahead_s) == ("a", 2, 3, 0)


def test_one_that_joins_later_has_to_have_the_memory_of_the_others() -> None:
    found = facts_of("tcp://a:1", told(memory_limit_bytes=3 << 20), 100.0, 101.0)
    assert isinstance(found, WorkerFacts)
    assert too_small(found, 1 << 20) is None
    refused = too_small(found, (1 << 20) + 1)
    assert refused is not None
    assert refused.why == "it joined with 1.00 MiB for a task, and others have 1.00 MiB"


@pytest.mark.parametrize("name", ["lowlat", "numpy", "Python"])
def test_a_worker_of_another_version_is_refused(name: str) -> None:
    found = facts_of("tcp://a:1", told(versions=versions() | {name: "0.0.1"}), 100.0, 101.0)
    assert isinstance(found, RefusedWorker)
    assert f"it has {name} 0.0.1; here is {name} {versions()[name]}" in found.why
    assert found.host_name == "a"


@pytest.mark.parametrize("without", [{}, {"versions": None}, {"versions": {}}])
def test_a_worker_that_does_not_tell_its_versions_is_refused(without: dict[str, Any]) -> None:
    answer = {key: value for key, value in told().items() if key != "versions"} | without
    found = facts_of("tcp://a:1", answer, 100.0, 101.0)
    assert isinstance(found, RefusedWorker)
    assert "lowlat of an unknown version" in found.why


@pytest.mark.parametrize(("time", "ahead_s"), [(99.0, -1.0), (103.0, 2.0), (100.0, 0.0), (101.0, 0.0)])
def test_a_clock_differs_by_what_the_answer_cannot_have_taken(time: float, ahead_s: float) -> None:
    found = facts_of("tcp://a:1", told(time=time), 100.0, 101.0)
    assert isinstance(found, WorkerFacts)
    assert found.clock_ahead_s == ahead_s


def test_hosts_and_namesakes() -> None:
    def worker(address: str, name: str, boot: str) -> WorkerFacts:
        return WorkerFacts(address, name, boot, 1, None, {})

    found = hosts_of([worker("4", "b", "y"), worker("2", "a", "x"), worker("1", "a", "x"), worker("3", "b", "z")])
    assert [(host.name, host.boot_id, [each.address for each in host.workers]) for host in found] == [
        ("a", "x", ["1", "2"]),
        ("b", "y", ["4"]),
        ("b#2", "z", ["3"]),
    ]
    assert found[0].address == "1"
