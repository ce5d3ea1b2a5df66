"""Gates read as people write them, and cover exactly the metrics that they name."""

from __future__ import annotations

import pytest

from lowlat.errors import UsageError
from lowlat.reports.compare.gate import (
    Rule,
    check_rules,
    default_rules,
    gate_of,
    parse_rule,
    rule_of,
)
from lowlat.reports.compare.verdict import judge
from lowlat.reports.model.comparison import Metric

P99 = Metric(name="p99", measure="service", op="all")
CANCEL = Metric(name="p99", measure="service", op="cancel")
THROUGHPUT = Metric(name="throughput", measure=None, op=None)
CPU = Metric(name="cpu", measure=None, op=None)
WALL = Metric(name="wall", measure=None, op=None)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("p99=10%", Rule("p99", None, "all", 10)),
        ("p99.9=2.5%", Rule("p99.9", None, "all", 2.5)),
        (" max=0% ", Rule("max", None, "all", 0)),
        ("p99:response=10%", Rule("p99", "response", "all", 10)),
        ("p99:response:limit=10%", Rule("p99", "response", "limit", 10)),
        ("p99::limit=10%", Rule("p99", None, "limit", 10)),
        ("p50:service:*=5%", Rule("p50", "service", "*", 5)),
        ("p50:stage:matched=5%", Rule("p50", "stage:matched", "all", 5)),
        ("p50:stage:matched:add=5%", Rule("p50", "stage:matched", "add", 5)),
        ("throughput=5%", Rule("throughput", None, None, 5)),
        ("wall=5%", Rule("wall", None, None, 5)),
        ("cpu=5%", Rule("cpu", None, None, 5)),
        ("mean=5%", Rule("mean", None, "all", 5)),
        ("mean:service:cancel=5%", Rule("mean", "service", "cancel", 5)),
        ("mean::*=5%", Rule("mean", None, "*", 5)),
    ],
)
def test_rules_read_as_people_write_them(text: str, rule: Rule) -> None:
    assert parse_rule(text) == rule
    assert parse_rule(str(rule)) == rule


def test_a_rule_is_written_with_all_its_digits() -> None:
    """Who reads a document parses the text again: a seventh digit that is lost is another threshold."""
    assert str(parse_rule("p99=1234.567%")) == "p99=1234.567%"
    for thousandths in range(0, 10_000_000, 9_973):
        rule = parse_rule(f"p99={thousandths / 1_000:.3f}%")
        assert (rule.percent, parse_rule(str(rule))) == (thousandths / 1_000, rule)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a valid gate"),
        ("p99", "is not a valid gate"),
        ("p99=10", "is not a valid gate"),
        ("p99=-10%", "is not a valid gate"),
        ("p99=nan%", "is not a valid gate"),
        ("p99=1e9%", "is not a valid gate"),
        ("p99=99999%", "is not a valid gate"),
        ("=10%", "is not a valid gate"),
        ("p98=10%", "gates 'p98', but gates apply to p50, p90"),
        ("median=10%", "gates 'median'"),
        ("p99:=10%", "has nothing after a colon"),
        ("p99:service:=10%", "has nothing after a colon"),
        ("p99:stage:=10%", "has nothing after a colon"),
        ("throughput:service=10%", "throughput has no measures"),
        ("cpu:service=10%", "cpu has no measures or operations; write cpu=10%"),
        ("throughput=100%", "cannot fall by more than 100%"),
    ],
)
def test_other_texts_are_no_rules(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_rule(text)


def test_the_rule_that_names_an_operation_goes_before_one_for_each() -> None:
    rules = (parse_rule("p99::*=5%"), parse_rule("p99::cancel=50%"))
    check_rules(rules, [P99, CANCEL], "service")
    assert (rule_of(CANCEL, rules, "service"), rule_of(P99, rules, "service")) == (rules[1], rules[0])
    assert rule_of(THROUGHPUT, rules, "service") is None


def test_a_rule_without_a_measure_is_about_the_main_one() -> None:
    response = Metric(name="p99", measure="response", op="all")
    rules = (parse_rule("p99=10%"),)
    assert rule_of(response, rules, "response") and rule_of(P99, rules, "response") is None


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["p99:response=10%"], "gate p99:response=10% matches nothing that both sides have; available: service:all, "),
        (["p50=10%"], "gate p50=10% matches nothing"),
        (["p99=10%", "p99=20%"], "gates p99=10% and p99=20% both apply to p99 service all"),
        (["p99=10%", "p99:service=20%"], "gates p99=10% and p99:service=20% both apply to p99 service all"),
        (["p99::*=10%", "p99:service:*=20%"], "both apply to p99 service all"),
    ],
)
def test_rules_about_nothing_and_two_about_the_same_are_refused(texts: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("*", r"\*")):
        check_rules([parse_rule(text) for text in texts], [P99, CANCEL, THROUGHPUT], "service")


def test_p50_p99_and_cpu_time_gate_unless_told_and_the_elapsed_time_of_commands() -> None:
    assert [str(rule) for rule in default_rules([P99, THROUGHPUT, CPU])] == ["p50=10%", "p99=10%", "cpu=10%"]
    assert [str(rule) for rule in default_rules([P99, THROUGHPUT])] == ["p50=10%", "p99=10%"]
    assert [str(rule) for rule in default_rules([WALL])] == ["wall=10%"]


def test_the_gate_fails_by_gated_metrics_only() -> None:
    slow = judge(P99, [100.0] * 8, [200.0] * 8, threshold_percent=10, gates=True)
    advice = judge(CANCEL, [100.0] * 8, [200.0] * 8, threshold_percent=10, gates=False)
    unclear = judge(CANCEL, [100.0] * 3, [100.0] * 3, threshold_percent=10, gates=True)
    fine = judge(P99, [100.0] * 8, [100.0] * 8, threshold_percent=10, gates=True)
    assert gate_of([fine, advice], ()).verdict == "passed"
    assert gate_of([fine, unclear], ()).verdict == "inconclusive"
    failed = gate_of([slow, unclear], [parse_rule("p99=10%")])
    assert (failed.verdict, failed.rules, failed.failed) == ("failed", ("p99=10%",), ("p99 service all",))
    assert failed.inconclusive == ("p99 service cancel",)
