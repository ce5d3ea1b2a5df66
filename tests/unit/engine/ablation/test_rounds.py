"""Verdicts on planted variants, and what ends or shortens an ablation. The runs are simulated: no test needs a quiet
host.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from lowlat.engine.ablation.catalog import BY_NAME, TECHNIQUES, THE_CONTROL, chosen
from lowlat.engine.ablation.effect import effect_of, significance_of
from lowlat.engine.ablation.protocol import VariantAnswer, VariantJob
from lowlat.engine.ablation.run import QUICK, THOROUGH, Effort, Rounds
from lowlat.engine.ablation.technique import Technique, VariantFigures
from lowlat.errors import ExitCode, RunFailedError, UsageError
from lowlat.reports.model.ablation import CONTROL, TechniqueEffect

PLANTED = replace(BY_NAME["pool"], name="planted")
EFFORT = Effort(rounds=14, limit_s=1e9, passes=2, share=0.5)


def nothing(_text: str, _share: float) -> None:
    pass


def simulated(factor: float, seed: int) -> Callable[[VariantJob], VariantAnswer]:
    """A host on which the planted technique multiplies times, which drift, scatter, and are sometimes much longer."""
    chance = random.Random(seed)
    drift = 0.0

    def run(job: VariantJob) -> VariantAnswer:
        nonlocal drift
        drift += chance.gauss(0, 0.01)
        spoiled = 1 + chance.random() if chance.random() < 0.1 else 1.0
        ns = 50 * (1 + drift) * spoiled * chance.lognormvariate(0, 0.03)
        ns *= factor if job.with_it and job.technique == PLANTED.name else 1.0
        return VariantAnswer(figures=VariantFigures(wall_ns=ns, cpu_ns=ns, p50_ns=ns, counters={"instructions": 9.0}))

    return run


def rounds_of(techniques: Sequence[Technique], effort: Effort = EFFORT, seed: int = 1) -> Rounds:
    return Rounds(techniques, effort, seed, time.monotonic())


def verdicts(rounds: Rounds) -> list[TechniqueEffect]:
    return [
        effect_of(
            row.technique,
            row.operations,
            row.pairs,
            row.first,
            step_ns=1.0,
            significance=significance_of(len(BY_NAME)),
            absent=row.absent,
        )
        for row in rounds.rows
    ]


@pytest.mark.parametrize(("factor", "outcome"), [(1.3, "hurts"), (1 / 1.3, "helps")])
@pytest.mark.parametrize("effort", [QUICK, THOROUGH])
def test_a_planted_effect_has_its_verdict(factor: float, outcome: str, effort: Effort) -> None:
    rounds = rounds_of((PLANTED, THE_CONTROL), replace(effort, limit_s=1e9))
    rounds.make(simulated(factor, seed=3), nothing)
    planted, control = verdicts(rounds)
    assert planted.outcome == outcome
    assert planted.decisive is not None and planted.decisive.ratio == pytest.approx(factor, rel=0.12)
    low, high = planted.decisive.interval or (0, 0)
    assert low < factor < high
    assert control.outcome not in ("helps", "hurts")
    assert planted.counters_with == planted.counters_without is not None


def test_the_same_variant_twice_is_never_claimed_to_differ() -> None:
    for seed in range(20):
        rounds = rounds_of((THE_CONTROL,), seed=seed)
        rounds.make(simulated(2.0, seed), nothing)  # the factor is of another technique
        (control,) = verdicts(rounds)
        assert control.outcome in ("no difference seen", "inconclusive"), seed


def test_each_pair_has_both_variants_in_random_order() -> None:
    jobs: list[VariantJob] = []

    def run(job: VariantJob) -> VariantAnswer:
        jobs.append(job)
        return VariantAnswer(figures=VariantFigures(wall_ns=1.0, cpu_ns=1.0))

    rounds = rounds_of((PLANTED, THE_CONTROL))
    rounds.make(run, nothing)
    assert len(jobs) == 2 * 3 * EFFORT.rounds  # the control has two pairs a round
    pairs = [jobs[at : at + 2] for at in range(0, len(jobs), 2)]
    assert all(a.technique == b.technique and a.with_it != b.with_it and a.seed == b.seed for a, b in pairs)
    planted = [pair[0].with_it for pair in pairs if pair[0].technique == "planted"]
    assert planted.count(True) == planted.count(False) == EFFORT.rounds / 2
    assert planted == [first == "with" for first in rounds.rows[0].first]
    assert jobs[0].operations == PLANTED.operations // 2


def test_an_interruption_leaves_whole_rounds() -> None:
    calls, run = 0, simulated(1.3, seed=1)

    def interrupted(job: VariantJob) -> VariantAnswer:
        nonlocal calls
        calls += 1
        if calls == 6 * 5 + 3:  # five rounds of three pairs, two of which are the control's, and a half
            raise KeyboardInterrupt
        return run(job)

    rounds = rounds_of((PLANTED, THE_CONTROL))
    rounds.make(interrupted, nothing)
    assert rounds.interrupted and rounds.made == 5
    assert [len(row.pairs) for row in rounds.rows] == [5, 10]
    assert [len(effect.first) for effect in verdicts(rounds)] == [5, 10]


def test_an_interruption_of_the_first_round_gives_nothing() -> None:
    def interrupted(job: VariantJob) -> VariantAnswer:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rounds_of((PLANTED,)).make(interrupted, nothing)


def test_no_round_begins_that_would_not_end_in_time() -> None:
    rounds = Rounds((PLANTED,), replace(EFFORT, limit_s=10.0), 1, time.monotonic() - 9.0)
    rounds.make(simulated(1.0, seed=1), nothing)
    assert rounds.made == 1 and not rounds.interrupted


def test_what_the_host_cannot_show_is_named_and_asked_once() -> None:
    asked = 0

    def run(job: VariantJob) -> VariantAnswer:
        nonlocal asked
        if job.technique != "planted":
            return VariantAnswer(figures=VariantFigures(wall_ns=1.0, cpu_ns=1.0))
        asked += 1
        return VariantAnswer(absent="there is one CPU; allow two")

    rounds = rounds_of((PLANTED, THE_CONTROL))
    rounds.make(run, nothing)
    planted, control = verdicts(rounds)
    assert (planted.outcome, planted.reason) == (
        "not available",
        "not available here, because there is one CPU; allow two",
    )
    assert (planted.effects, planted.pairs, asked, control.pairs) == ((), 0, 1, 2 * EFFORT.rounds)


def test_a_variant_that_is_not_available_drops_its_pair() -> None:
    def run(job: VariantJob) -> VariantAnswer:
        if job.with_it:
            return VariantAnswer(absent="no huge pages")
        return VariantAnswer(figures=VariantFigures(wall_ns=1.0, cpu_ns=1.0))

    rounds = rounds_of((PLANTED, THE_CONTROL))
    rounds.make(run, nothing)
    assert not any(row.pairs for row in rounds.rows)


def test_a_failed_run_ends_it_with_its_cause() -> None:
    def run(job: VariantJob) -> VariantAnswer:
        return VariantAnswer(failure="its process was killed by SIGSEGV")

    with pytest.raises(RunFailedError, match=r"^planted, with(out)?: its process was killed by SIGSEGV$") as caught:
        rounds_of((PLANTED,)).make(run, nothing)
    assert caught.value.exit_code == ExitCode.NOT_VALID


def test_what_may_be_a_help_is_not_called_no_difference() -> None:
    """A gate passes what does not hurt; a technique without a significant help may still have one."""
    rounds = rounds_of((PLANTED,))
    ratios = iter([0.6, 0.7, 0.8, 0.9, 0.95, *[1.01] * 9])

    def run(job: VariantJob) -> VariantAnswer:
        ns = 100.0 * next(ratios) if job.with_it else 100.0
        return VariantAnswer(figures=VariantFigures(wall_ns=ns, cpu_ns=ns))

    rounds.make(run, nothing)
    (planted,) = verdicts(rounds)
    assert planted.decisive is not None and planted.decisive.verdict == "unchanged"
    assert planted.outcome == "inconclusive" and planted.reason.startswith("the ratio could be as good as 0.")


def test_few_pairs_decide_nothing() -> None:
    rounds = rounds_of((PLANTED,), replace(EFFORT, rounds=3))
    rounds.make(simulated(3.0, seed=1), nothing)
    assert verdicts(rounds)[0].outcome == "inconclusive"


def test_a_host_without_cpu_time_decides_nothing() -> None:
    rounds = rounds_of((PLANTED,))
    rounds.make(lambda _: VariantAnswer(figures=VariantFigures(wall_ns=1.0, cpu_ns=None)), nothing)
    (planted,) = verdicts(rounds)
    assert planted.outcome == "inconclusive" and planted.effects == ()


def test_the_control_is_always_chosen_and_last() -> None:
    assert chosen(None) == (*TECHNIQUES, THE_CONTROL)
    assert [each.name for each in chosen("pool, look-ahead")] == ["look-ahead", "pool", CONTROL]
    assert chosen(CONTROL) == (THE_CONTROL,)


def test_an_unknown_technique_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"^'huge-page' is not one of look-ahead, .*; did you mean huge-pages\?$"):
        chosen("pool,huge-page")
    with pytest.raises(UsageError, match=r"'xyz' is not one of look-ahead, [^;]*$"):
        chosen("xyz")
