"""The host that was made slow is the one that is named, with what is different there. An analysis that names another
one, or none, is shown to fail.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from lowlat import documents
from lowlat.errors import UsageError
from lowlat.fleet import analysis
from lowlat.fleet.gate import parse_fleet_rule
from lowlat.fleet.store import KeptRun
from lowlat.reports.model.fleet import Fleet, FleetValue
from lowlat.reports.terminal import fleet_lines
from tests.fleet_by_hand import FACTS, doctor_bytes, jitter_bytes, kept, report_bytes

HOSTS = ("a", "b", "c", "d", "e")
PERCENTS = (98, 100, 101, 99, 102)


def fleet_of(runs: Sequence[KeptRun], *rules: str, interrupted: bool = False) -> Fleet:
    found = analysis.fleet_of(runs, [parse_fleet_rule(rule) for rule in rules], ("lowlat",), interrupted=interrupted)
    document = json.loads(documents.text(found))
    jsonschema.Draft202012Validator(documents.published("lowlat.fleet/1", closed=True)).validate(document)
    return found


def benched(**percents: int) -> list[KeptRun]:
    """A run of each host, those named with other latencies."""
    usual = dict(zip(HOSTS, PERCENTS, strict=True))
    return [kept(host, report_bytes(percent)) for host, percent in (usual | percents).items()]


def check_slow_host_is_named(slow: str) -> None:
    """The oracle: the slow host, it alone, as slower, by its own figures; with the facts that are its own."""
    runs = benched(**{slow: 200})
    runs = [
        replace(run, record=replace(run.record, facts=FACTS | {"microcode": "0x11"}))
        if run.record.host == slow
        else run
        for run in runs
    ]
    found = fleet_of(runs)
    assert [(host.name, host.verdict) for host in found.outliers] == [(slow, "slower")]
    (p99,) = [metric for metric in found.metrics if metric.name == "p99"]
    assert p99.values[0].host == slow
    assert p99.values[0].outlier == "worse"
    assert (p99.values[0].z or 0) > 3.5
    assert p99.values[0].ratio == pytest.approx(2, rel=0.1)
    (difference,) = found.outliers[0].differences
    assert (difference.what, difference.here, difference.elsewhere) == ("microcode", "0x11", "0x2a")
    assert (difference.alike, difference.hosts) == (1, 5)


@pytest.mark.parametrize("slow", ["a", "c", "e"])
def test_the_slow_host_is_named(slow: str) -> None:
    check_slow_host_is_named(slow)


def another_host(value: FleetValue) -> FleetValue:
    return replace(value, host=HOSTS[(HOSTS.index(value.host) + 1) % len(HOSTS)])


@pytest.mark.parametrize(
    "broken",
    [
        another_host,
        lambda value: replace(value, outlier=None),
        lambda value: replace(value, outlier=value.outlier and "better"),
        lambda value: replace(value, outlier="worse"),
        lambda value: replace(value, z=0.0),
    ],
    ids=["names the next one", "names none", "calls it faster", "names all", "no distance"],
)
def test_a_broken_analysis_is_found(
    broken: Callable[[FleetValue], FleetValue], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = analysis._metric

    def wrong(*arguments: Any) -> Any:
        metric = right(*arguments)
        return replace(metric, values=tuple(map(broken, metric.values)))

    monkeypatch.setattr(analysis, "_metric", wrong)
    with pytest.raises(AssertionError):
        check_slow_host_is_named("c")


def test_a_fleet_of_like_hosts_has_no_outlier() -> None:
    found = fleet_of(benched())
    assert (found.status, found.outliers) == ("ok", ())
    assert {host.verdict for host in found.hosts} == {"like the others"}


def test_a_fast_host_is_faster() -> None:
    (host,) = fleet_of(benched(b=50)).outliers
    assert (host.name, host.verdict) == ("b", "faster")


def test_two_hosts_are_not_judged() -> None:
    found = fleet_of([kept("a", report_bytes(100)), kept("b", report_bytes(200))])
    assert [host.verdict for host in found.hosts] == ["not judged"] * 2


def test_the_cause_that_jitter_found_is_told_first() -> None:
    runs = benched(c=200)
    runs += [kept(host, jitter_bytes(40_000 if host == "c" else 0), "jitter") for host in HOSTS]
    runs += [kept(host, doctor_bytes({"turbo": "fail" if host == "c" else "pass"}), "doctor") for host in HOSTS]
    (host,) = fleet_of(runs).outliers
    assert host.name == "c"
    assert [difference.what for difference in host.differences] == ["jitter: lost to: another thread", "doctor: turbo"]
    assert host.differences[0].here == "4.000%"
    assert host.differences[0].elsewhere == "0.000%"
    assert host.differences[1].here == "fail: something"


def test_what_half_of_the_others_have_too_is_no_cause() -> None:
    facts = {host: FACTS | {"governor": "powersave" if host in "abc" else "performance"} for host in HOSTS}
    runs = [replace(run, record=replace(run.record, facts=facts[run.record.host])) for run in benched(c=200)]
    assert fleet_of(runs).outliers[0].differences == ()


def test_hardware_of_its_own_is_a_group_of_its_own() -> None:
    """Old and new hosts: each is compared with its like, so that the slow one among the old ones is found."""
    old = {f"old-{number}": 300 + number for number in range(4)} | {"old-slow": 600}
    runs = [
        kept(host, report_bytes(percent), facts=FACTS | {"processor": "Example 3"}) for host, percent in old.items()
    ]
    runs += [kept(f"new-{number}", report_bytes(100 + number)) for number in range(5)]
    found = fleet_of(runs)
    assert [(group.hosts, group.facts["processor"]) for group in found.groups] == [(5, "Example 9"), (5, "Example 3")]
    (host,) = found.outliers
    assert (host.name, host.verdict) == ("old-slow", "slower")
    (line,) = fleet_lines.groups(found)
    assert line.startswith("5 hosts with processor Example 3, CPUs 8, machine Example R1, kernel 6.12: p50 ")
    assert float(line.partition(": p50 ")[2].partition("x")[0]) == pytest.approx(2.95, rel=0.1)


def test_hosts_without_a_report_are_named_and_do_not_stop_the_rest() -> None:
    runs = benched(c=200)
    runs += [
        kept("f", None, outcome="busy", reason="lowlat bench (process 7)"),
        kept("g", None, outcome="lost", reason="its worker was lost", facts={}),
        kept("h", b'{"schema": "lowlat.report/1"}'),
        kept("i", b"[" * 100_000),
    ]
    found = fleet_of(runs)
    assert [host.name for host in found.outliers] == ["c"]
    assert found.status == "incomplete"
    assert found.status_reasons[:2] == ("f: bench busy: lowlat bench (process 7)", "g: bench lost: its worker was lost")
    assert [reason[:8] for reason in found.status_reasons[2:]] == ["h: bench", "i: bench"]
    assert {host.name: host.group for host in found.hosts}["g"] is None


def test_an_interrupted_fleet_is_marked() -> None:
    found = fleet_of([*benched(), kept("f", None, outcome="canceled")], interrupted=True)
    assert found.status == "interrupted"
    assert found.status_reasons == ("interrupted by Ctrl-C", "f: bench canceled")


def test_other_options_are_other_work() -> None:
    found = fleet_of([*benched(), kept("f", report_bytes(200), options=("-n", "5"))])
    assert "f" not in {value.host for metric in found.metrics for value in metric.values}
    assert any("1 host ran with other options" in warning for warning in found.warnings)


def test_one_kernel_and_wrong_clocks_are_warned_of() -> None:
    runs = [
        kept("a", report_bytes(100), boot_id="same"),
        kept("b", report_bytes(100), boot_id="same"),
        kept("c", report_bytes(100), clock_ahead_s=-7.25),
    ]
    warnings = fleet_of(runs).warnings
    assert any("one kernel runs a, b" in warning for warning in warnings)
    assert any("c: its clock is 7.2 s behind ours" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("rule", "failed"),
    [("p99=50%", ["c"]), ("p99=150%", []), ("throughput=30%", ["c"]), ("throughput=70%", [])],
)
def test_the_gate_is_on_the_median_of_the_fleet(rule: str, failed: list[str]) -> None:
    gate = fleet_of(benched(c=200), rule).gate
    assert [line.partition(":")[0] for line in gate.failed] == failed
    assert gate.verdict == ("failed" if failed else "passed")


@pytest.mark.parametrize("text", ["p99", "p99=", "p99=-1%", "p99=ten%", "=10%", "p99=10", "p99=1e3%", "p99=99999%"])
def test_what_is_no_gate(text: str) -> None:
    with pytest.raises(UsageError, match="not a valid gate"):
        parse_fleet_rule(text)


def test_a_gate_on_what_was_not_measured_says_what_was() -> None:
    with pytest.raises(UsageError, match=r"matches no metric of the fleet; available: p50, p99"):
        fleet_of(benched(), "p98=1%")
