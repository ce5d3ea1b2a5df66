"""A verdict follows from its figures: each of the three conditions for a regression can prevent it on its own."""

from __future__ import annotations

import pytest

from lowlat.errors import UsageError
from lowlat.reports.compare.gate import (
    Rule,
    check_rules,
    check_significance,
    default_rules,
    gate_of,
    judge,
    parse_rule,
    rule_of,
)
from lowlat.reports.model.comparison import Metric

P99 = Metric(name="p99", measure="service", op="all")
CANCEL = Metric(name="p99", measure="service", op="cancel")
THROUGHPUT = Metric(name="throughput", measure=None, op=None)
WALL = Metric(name="wall", measure=None, op=None)


def verdict(base: list[float], head: list[float], *, metric: Metric = P99, limit: float = 10, floor: float = 10) -> str:
    return judge(metric, base, head, threshold_percent=limit, floor=floor, gates=True).verdict


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
    ],
)
def test_rules_read_as_people_write_them(text: str, rule: Rule) -> None:
    assert parse_rule(text) == rule
    assert parse_rule(str(rule)) == rule


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


def test_p50_and_p99_gate_unless_told_and_the_elapsed_time_of_commands() -> None:
    assert [str(rule) for rule in default_rules([P99, THROUGHPUT])] == ["p50=10%", "p99=10%"]
    assert [str(rule) for rule in default_rules([WALL])] == ["wall=10%"]


def test_a_regression_takes_all_three_tests() -> None:
    """Every run slower by 20%, by 20 ns; then by less, with less certainty, and within the clock's resolution."""
    base = [100.0, 101, 99, 100, 102, 98, 100, 101]
    slower = [value * 1.2 for value in base]
    assert verdict(base, slower) == "regressed"
    assert verdict(base, slower, limit=25) == "unchanged"
    assert verdict(base, [*base[:5], *(value * 4 for value in base[5:])]) == "inconclusive"
    assert verdict(base, slower, floor=19.9) == "regressed"
    assert verdict(base, slower, floor=20) == "inconclusive"
    assert verdict(base, slower, floor=30) == "unchanged"


def test_a_threshold_is_passed_only_beyond_it() -> None:
    base = [100.0] * 8
    assert verdict(base, [125.0] * 8, limit=25) == "unchanged"
    assert verdict(base, [126.0] * 8, limit=25) == "regressed"


def test_faster_is_improved_and_of_throughput_more_is() -> None:
    base, more = [100.0 + i for i in range(8)], [150.0 + i for i in range(8)]
    assert verdict(more, base) == "improved"
    assert verdict(base, more, metric=THROUGHPUT, floor=0) == "improved"
    assert verdict(more, base, metric=THROUGHPUT, floor=0) == "regressed"


def test_throughput_may_fall_by_as_much_as_its_threshold_says() -> None:
    """From 100 to 80 it falls by 20%."""
    assert verdict([100.0] * 8, [80.0] * 8, metric=THROUGHPUT, limit=20, floor=0) == "unchanged"
    assert verdict([100.0] * 8, [79.0] * 8, metric=THROUGHPUT, limit=20, floor=0) == "regressed"


@pytest.mark.parametrize("runs", [(3, 10), (10, 3)])
def test_fewer_than_four_runs_a_side_conclude_nothing(runs: tuple[int, int]) -> None:
    judged = judge(P99, [100.0] * runs[0], [200.0] * runs[1], threshold_percent=10, floor=1, gates=True)
    assert (judged.verdict, judged.reason) == ("inconclusive", "fewer than 4 runs per side")
    assert verdict([100.0] * 4, [200.0] * 4) == "regressed"


@pytest.mark.parametrize("runs", [5, 10])
def test_a_look_at_a_lower_level_needs_a_lower_p_and_has_a_wider_interval(runs: int) -> None:
    """Of 5 and 5 runs, the most extreme ranks have p = 2/252 = 0.0079; of 10 and 10, 2/184,756."""
    base = [100.0 + index for index in range(runs)]
    slower = [value * 1.5 for value in base]
    at = {
        level: judge(P99, base, slower, threshold_percent=10, floor=0, gates=True, significance=level)
        for level in (0.05, 0.005)
    }
    assert at[0.05].verdict == "regressed"
    assert at[0.005].verdict == ("regressed" if runs == 10 else "inconclusive")
    assert at[0.05].interval is not None
    if runs == 5:
        assert at[0.005].interval is None and "too few runs" in at[0.005].reason
    else:
        wide, narrow = at[0.005].interval, at[0.05].interval
        assert wide is not None and wide[0] < narrow[0] and narrow[1] < wide[1]


@pytest.mark.parametrize("level", [0, -0.1, 0.51, float("nan")])
def test_a_level_that_is_none_is_refused(level: float) -> None:
    with pytest.raises(UsageError, match=r"significance .* is not above 0 and at most 0.5"):
        check_significance(level)


def test_unchanged_is_said_only_where_a_regression_is_ruled_out() -> None:
    calm, wild = [100.0, 101, 102, 103, 104, 105], [80.0, 90, 100, 110, 120, 130]
    assert verdict(calm, calm) == "unchanged"
    judged = judge(P99, wild, wild, threshold_percent=10, floor=1, gates=True)
    assert judged.verdict == "inconclusive" and judged.interval and judged.interval[1] > 1.1
    assert judged.reason == f"the ratio could be as bad as {judged.interval[1]:.3g}; use more or quieter runs"


def test_what_the_clock_cannot_tell_apart_is_unchanged_and_says_so() -> None:
    """40 or 50 ns with a clock of 10 ns: 25% more, and one step."""
    judged = judge(P99, [40.0, 40, 40, 50] * 2, [40.0, 50, 50, 50] * 2, threshold_percent=10, floor=10, gates=True)
    assert (judged.verdict, judged.reason) == ("unchanged", "within the clock's resolution of 10 ns")


def test_a_base_of_zero_has_no_ratio_and_still_a_verdict() -> None:
    judged = judge(P99, [0.0] * 8, [500.0] * 8, threshold_percent=10, floor=10, gates=True)
    assert (judged.verdict, judged.ratio, judged.interval) == ("regressed", None, None)
    assert verdict([0.0] * 8, [0.0] * 8) == "unchanged"
    assert verdict([0.0] * 8, [5.0] * 8) == "unchanged"


def test_the_gate_fails_by_gated_metrics_only() -> None:
    slow = judge(P99, [100.0] * 8, [200.0] * 8, threshold_percent=10, floor=1, gates=True)
    advice = judge(CANCEL, [100.0] * 8, [200.0] * 8, threshold_percent=10, floor=1, gates=False)
    unclear = judge(CANCEL, [100.0] * 3, [100.0] * 3, threshold_percent=10, floor=1, gates=True)
    fine = judge(P99, [100.0] * 8, [100.0] * 8, threshold_percent=10, floor=1, gates=True)
    assert gate_of([fine, advice], ()).verdict == "passed"
    assert gate_of([fine, unclear], ()).verdict == "inconclusive"
    failed = gate_of([slow, unclear], [parse_rule("p99=10%")])
    assert (failed.verdict, failed.rules, failed.failed) == ("failed", ("p99=10%",), ("p99 service all",))
    assert failed.inconclusive == ("p99 service cancel",)
