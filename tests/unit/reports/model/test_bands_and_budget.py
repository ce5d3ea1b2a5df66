"""Bands and budget classes name a number: each boundary is tested from both sides."""

from __future__ import annotations

import numpy as np
import pytest

from lowlat.errors import NotValidError
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.model.bands import NAMES, bands
from lowlat.reports.model.budget import REFERENCE_NS, Measured, budget, budget_class
from lowlat.reports.model.report import BudgetPart
from lowlat.reports.model.results import Band


def bands_of(*values: int) -> tuple[Band, ...]:
    recorder = Recorder()
    recorder.record_many(np.array(values, dtype=np.int64))
    return bands(Histogram.from_native(recorder))


def test_one_sample_in_each_band() -> None:
    found = bands_of(50_000, 300_000, 700_000, 2_000_000, 9_000_000)
    assert [band.name for band in found] == list(NAMES)
    assert [band.count for band in found] == [1, 1, 1, 1, 1]
    assert [band.share for band in found] == [0.2] * 5


def test_bands_touch_and_say_where() -> None:
    """The bucket of 100,000 ns is 99,968 to 100,031: it counts as below, and the band says so."""
    found = bands_of(1)
    assert found[0].from_ns == 0
    assert found[0].below_ns == found[1].from_ns == 100_032
    assert [a.below_ns for a in found[:-1]] == [b.from_ns for b in found[1:]]
    assert found[-1].below_ns is None
    for band, nominal in zip(found[1:], (100_000, 500_000, 1_000_000, 5_000_000), strict=True):
        assert nominal <= band.from_ns <= nominal * (1 + 1 / 1024)


@pytest.mark.parametrize("index", range(4))
def test_a_band_holds_exactly_the_values_it_names(index: int) -> None:
    edge = bands_of(1)[index].below_ns
    assert edge is not None
    assert bands_of(edge - 1)[index].count == 1
    assert bands_of(edge)[index + 1].count == 1


def test_no_samples_have_no_shares() -> None:
    with pytest.raises(NotValidError, match="empty histogram has no shares"):
        bands(Histogram.from_native(Recorder()))


def test_reference_is_400_microseconds_in_four_stages() -> None:
    assert REFERENCE_NS == {
        "network": 50_000,
        "application": 200_000,
        "operating system": 100_000,
        "NIC": 50_000,
    }
    assert budget({})[-1].reference_ns == 400_000


def test_what_was_not_measured_has_a_reason_and_no_number() -> None:
    stages = budget({"application": Measured(181, "p99 of service time")})
    measured = {row.stage: row.measured_ns for row in stages}
    assert measured == {
        "network": None,
        "application": 181,
        "operating system": None,
        "NIC": None,
        "total": None,
    }
    assert all(row.basis for row in stages)


@pytest.mark.parametrize("lost", ["application", "operating system"])
def test_a_stage_of_the_host_that_timed_out_names_no_class(lost: str) -> None:
    """Otherwise the class would improve as the host gets worse: 4 of 100 messages in time would read HFT."""
    measured = {"application": Measured(181, ""), "operating system": Measured(9_000, "")}
    found = budget_class(budget(measured))
    assert found is not None
    assert (found.name, found.total_ns, found.leaves_out) == ("HFT", 9_181, ("network", "NIC"))
    assert budget_class(budget(measured | {lost: Measured(None, "4 of 100 messages arrived in time")})) is None


def test_a_total_of_all_stages_leaves_nothing_out() -> None:
    stages = budget({name: Measured(10, "") for name in REFERENCE_NS})
    found = budget_class(stages)
    assert stages[-1].measured_ns == 40
    assert found is not None
    assert (found.total_ns, found.leaves_out) == (40, ())


def test_a_stage_that_could_not_be_measured_says_why_and_keeps_its_parts() -> None:
    """Parts are added neither to the stage nor to the total."""
    part = BudgetPart(name="wake-up", p50_ns=5, p99_ns=7, samples=100, basis="futex")
    stages = budget({"application": Measured(10, ""), "operating system": Measured(None, "no loopback", (part,))})
    kernel = stages[2]
    assert (kernel.measured_ns, kernel.basis, kernel.parts) == (None, "no loopback", (part,))
    assert stages[-1].measured_ns is None


def test_nothing_measured_names_no_class() -> None:
    assert budget_class(budget({})) is None


@pytest.mark.parametrize(
    ("total_ns", "name"),
    [
        (0, "HFT"),
        (99_999, "HFT"),
        (100_000, "professional"),
        (999_999, "professional"),
        (1_000_000, "retail"),
        (9_999_999, "retail"),
        (10_000_000, "mobile"),
        (99_999_999, "mobile"),
        (100_000_000, "none"),
    ],
)
def test_a_class_ends_below_its_limit(total_ns: int, name: str) -> None:
    found = budget_class(budget({"application": Measured(total_ns, ""), "operating system": Measured(0, "")}))
    assert found is not None
    assert found.name == name
