"""A profile fitted to a flow: written and read back it is the same, and what it generates resembles the flow."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import msgspec
import numpy as np
import pytest

from lowlat.engine import Instrument, load_profile, profile_names, synthetic_flow
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.profile import ArrivalProcess, Mix, Profile
from lowlat.engine.flow.quantiles import Quantiles
from lowlat.engine.flow.records import LifeEnd
from lowlat.engine.flow.statistics.arrivals import arrival_statistics
from lowlat.engine.flow.statistics.arrivals_fit import CountVariance, fit_arrivals, fit_kernels
from lowlat.engine.flow.statistics.check import CheckedFigure, compare_flows
from lowlat.engine.flow.statistics.distribution import Distribution
from lowlat.engine.flow.statistics.fit import Fit, fit_profile
from lowlat.engine.flow.statistics.measure import FlowStatistics, flow_statistics
from lowlat.engine.flow.statistics.profile_text import profile_text
from lowlat.engine.flow.statistics.refine import refined
from lowlat.engine.matching.records import CommandType
from lowlat.errors import UsageError

COMMANDS = 100_000  # of 30,000, the spreads of two seeds are nearly as far apart as a poor fit


@pytest.fixture(scope="module")
def steady() -> FlowStatistics:
    return flow_statistics(synthetic_flow(load_profile("steady"), COMMANDS, seed=1))


@pytest.fixture(scope="module")
def equity() -> FlowStatistics:
    return flow_statistics(synthetic_flow(load_profile("equity"), COMMANDS, seed=1))


def written(profile: Profile, folder: Path, *comments: str) -> Profile:
    """The profile as it is read back from its file."""
    file = folder / f"{profile.name}.toml"
    file.write_text(profile_text(profile, comments), encoding="utf-8")
    return load_profile(str(file))


# -- writing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_reads_back_as_it_was_written(name: str, tmp_path: Path) -> None:
    profile = load_profile(name)
    assert written(profile, tmp_path, "one comment", "two\nlines = 1") == profile


def test_any_text_reads_back(tmp_path: Path) -> None:
    profile = Profile(name="odd", description='"quoted" \\ \t \x7f é 😀 # no comment', mix=Mix(add=1))
    assert written(profile, tmp_path) == profile


def test_a_writer_that_drops_a_key_is_noticed(tmp_path: Path) -> None:
    profile = load_profile("burst")
    file = tmp_path / "burst.toml"
    file.write_text(profile_text(profile).replace("live_orders", "#"), encoding="utf-8")
    assert load_profile(str(file)) == profile  # burst has the default
    file.write_text(profile_text(profile).replace("cancel =", "replace ="), encoding="utf-8")
    assert load_profile(str(file)) != profile


# -- fitting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["steady", "equity", "futures", "cancel-storm", "many-symbols", "all-kinds"])
def test_a_fitted_profile_reads_back_as_it_was_fitted(name: str, tmp_path: Path) -> None:
    fit = fit_profile(flow_statistics(synthetic_flow(load_profile(name), COMMANDS, seed=2)), "mine")
    assert written(fit.profile, tmp_path, *fit.notes) == fit.profile


def test_what_is_fitted_generates_what_it_was_fitted_to(equity: FlowStatistics) -> None:
    fit = refined(fit_profile(equity), equity)
    again = flow_statistics(synthetic_flow(fit.profile, COMMANDS, seed=9))
    poor = {figure.figure for figure in compare_flows(equity, again) if figure.verdict == "poor"}
    assert not poor - {"share that a reduce takes, percent"}


def test_another_profile_is_told_apart(equity: FlowStatistics, steady: FlowStatistics) -> None:
    figures = {figure.figure: figure for figure in compare_flows(equity, steady)}
    assert figures["cancels that remove their level"].verdict == "poor"
    assert figures["lifetime of canceled orders, commands"].verdict == "poor"
    assert figures["symbols"].verdict == "good"
    assert sum(figure.verdict == "poor" for figure in figures.values()) > 10


def test_a_flow_fits_itself(steady: FlowStatistics) -> None:
    assert {figure.verdict for figure in compare_flows(steady, steady)} <= {"good", "unknown"}


def test_the_refined_profile_is_no_further_away(equity: FlowStatistics) -> None:
    def distance(fit: Fit) -> float:
        made = flow_statistics(synthetic_flow(fit.profile, COMMANDS, seed=1))
        return sum(figure.distance or 0 for figure in compare_flows(equity, made) if figure.measure != "ratio")

    fit = fit_profile(equity)
    better = refined(fit, equity)
    assert distance(better) <= distance(fit)
    assert better.notes[-1].startswith("refined by generating: lifetimes at the touch times ")


def test_shares_of_the_mix_are_fitted(steady: FlowStatistics) -> None:
    mix = fit_profile(steady).profile.mix
    assert (mix.add, mix.cancel, mix.take) == pytest.approx((5_000, 4_000, 1_000), rel=0.05)
    assert sum(msgspec.structs.astuple(mix)) == pytest.approx(10_000, abs=3)


def test_symbols_and_their_activity_are_fitted() -> None:
    many = msgspec.structs.replace(load_profile("many-symbols"), symbols=50, live_orders=2_000, zipf_exponent=0.7)
    fit = fit_profile(flow_statistics(synthetic_flow(many, COMMANDS, seed=1)))
    assert fit.profile.symbols == 50 and fit.profile.zipf_exponent == pytest.approx(0.7, abs=0.05)
    assert "all symbols are fitted together; their activity follows zipf_exponent" in fit.notes


def test_no_row_of_the_file_shows_a_single_order(equity: FlowStatistics) -> None:
    profile = fit_profile(equity).profile
    assert profile.quantity.resting and profile.quantity.aggressive and profile.placement
    assert min(orders_by_row(profile.quantity.resting, equity["add_quantity"], 1)) >= 10
    assert min(orders_by_row(profile.quantity.aggressive, equity["small_aggressive_quantity"], 1)) >= 10
    assert min(orders_by_row(profile.placement.behind_ticks, equity["add_distance"], 1)) >= 10
    every_size = tuple((int(value), 1e-6 * value) for value in equity["add_quantity"].values)
    assert min(orders_by_row(every_size, equity["add_quantity"], 1)) == 1


def orders_by_row(rows: Quantiles, samples: Distribution, least: int) -> list[int]:
    """How many samples each row stands for. One whose share does not grow has none of its own, and leaves those that
    are there to the next; the last one also stands for what is above it.
    """
    grown = [value for (value, share), (_, before) in zip(rows, ((0, 0.0), *rows), strict=False) if share > before]
    shares = [samples.share(low + 1, high) or 0 for low, high in itertools.pairwise([least - 1, *grown[:-1], 10**9])]
    return [round(share * samples.total) for share in shares]


# -- what a flow lacks -----------------------------------------------------------------------------------------------


def only(*kinds: CommandType, count: int = 2_000) -> FlowStatistics:
    """The statistics of the commands of steady that have these kinds; the rest never happened."""
    flow = synthetic_flow(load_profile("steady"), 3 * count, seed=1)
    kept = flow.measured[np.isin(flow.measured["kind"], kinds)][:count]
    commands = np.concatenate([flow.commands[: flow.seeded], kept])
    return flow_statistics(Flow("part", commands, flow.seeded, orders=50_000, mix={}, instruments=(Instrument(),)))


def test_a_short_flow_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^the flow is too short to fit: 999 commands, of which .* 1,000 and 200$"):
        fit_profile(flow_statistics(synthetic_flow(load_profile("steady"), 999, seed=1)))


def test_a_flow_without_adds_is_refused() -> None:
    with pytest.raises(UsageError, match=r"commands, of which 0 add an order that rests"):
        fit_profile(only(CommandType.CANCEL))


def test_a_flow_without_cancels_is_fitted_without_lifetimes(tmp_path: Path) -> None:
    fit = fit_profile(only(CommandType.LIMIT), "part")
    assert fit.profile.lifetime == () and fit.profile.mix.cancel == 0
    assert "the flow has no cancels: [[lifetime]] is left out" in fit.notes
    assert written(fit.profile, tmp_path) == fit.profile


def test_a_flow_without_trades_is_fitted_without_aggressive_orders() -> None:
    flow = synthetic_flow(Profile(name="calm", mix=Mix(add=50, cancel=50)), 3_000, seed=1)
    fit = fit_profile(flow_statistics(flow))
    assert fit.profile.aggressive is None and fit.profile.quantity.aggressive is None
    assert "nothing traded on entry: sizes of aggressive orders are not fitted" in fit.notes
    assert refined(fit, flow_statistics(flow)).profile.mix == fit.profile.mix


def test_a_flow_without_times_is_fitted_without_arrivals(steady: FlowStatistics) -> None:
    fit = fit_profile(steady)
    assert fit.profile.arrivals is None
    assert "the flow has no arrival times: [arrivals] is left out, and a run is a closed loop" in fit.notes


def test_what_a_mix_cannot_say_is_named() -> None:
    notes = fit_profile(flow_statistics(synthetic_flow(load_profile("all-kinds"), COMMANDS, seed=1))).notes
    assert any(note.startswith("participants are not fitted, so orders do not meet their own: ") for note in notes)
    (terms,) = (note for note in notes if note.startswith("only the share of these is fitted, not their terms: "))
    assert "iceberg" in terms and "trailing_stop" in terms and "add" not in terms.partition(": ")[2].split(", ")


def test_orders_that_are_never_canceled_have_lifetimes_without_an_end(equity: FlowStatistics, tmp_path: Path) -> None:
    lives = equity.lives.copy()
    lives["end"][lives["distance"] > 20] = LifeEnd.FILLED
    fit = fit_profile(dataclasses.replace(equity, lives=lives), "mine")
    first, *_, last = fit.profile.lifetime
    assert (first.commands[-1][1] > 0.9, last.commands) == (True, ((1, 0.0),))
    assert written(fit.profile, tmp_path) == fit.profile


# -- arrivals --------------------------------------------------------------------------------------------------------


def test_variance_of_one_kernel_is_the_closed_form() -> None:
    """A. G. Hawkes 1971: with branching n and delay d, at rate 1, the Fano factor in a window w is
    1 + n (2 - n) / (1 - n)^2 (1 - (1 - exp(-b w)) / (b w)), with b = (1 - n) / d.
    """
    n, delay = 0.7, 0.5
    windows = np.geomspace(0.01, 1_000, 11)
    b = (1 - n) / delay
    expected = 1 + n * (2 - n) / (1 - n) ** 2 * (1 - (1 - np.exp(-b * windows)) / (b * windows))
    found = CountVariance(np.array([delay]), windows).fano(np.array([n]))
    assert found == pytest.approx(expected, rel=0.01)


def test_kernels_are_found_again() -> None:
    windows = np.geomspace(0.003, 3_000, 25)
    decays = np.array([0.003, 0.3, 30.0])
    fano = CountVariance(decays, windows).fano(np.array([0.3, 0.2, 0.3]))
    fitted = np.array(fit_kernels(windows, fano))
    assert CountVariance(fitted[:, 1], windows).fano(fitted[:, 0]) == pytest.approx(fano, rel=0.05)
    assert fitted[:, 0].sum() == pytest.approx(0.8, abs=0.02)


def test_independent_arrivals_are_fitted_as_such() -> None:
    spacings = np.random.default_rng(1).exponential(1e6, 100_000)
    statistics = arrival_statistics(np.cumsum(spacings).astype(np.int64))
    assert statistics is not None
    due = fit_arrivals(statistics)
    assert (due.process, due.kernels) == ("poisson", None)


# -- verdicts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "distance", "values", "verdict"),
    [
        ("share", 0.1, (0.2, 0.3), "good"),
        ("share", 0.1001, (0.2, 0.3001), "poor"),
        ("distribution", 0.4, (1, 1), "poor"),
        ("ratio", 1.5, (3, 2), "good"),
        ("ratio", 1.51, (3.02, 2), "poor"),
        ("share", None, (0.5, None), "poor"),
        ("ratio", None, (None, None), "unknown"),
    ],
)
def test_verdicts(
    measure: str, distance: float | None, values: tuple[float | None, float | None], verdict: str
) -> None:
    figure = CheckedFigure(figure="x", measure=measure, flow=values[0], profile=values[1], distance=distance)  # type: ignore[arg-type]
    assert figure.verdict == verdict


def test_arrivals_of_a_profile_are_not_lost_in_its_file(tmp_path: Path) -> None:
    due = ArrivalProcess(process="long-memory", rate=25, kernels=((0.1875, 0.0003), (0.5, 300.0)))
    profile = Profile(name="slow", mix=Mix(add=1), arrivals=due)
    assert written(profile, tmp_path).arrivals == due
