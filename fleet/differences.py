"""What a host that stands out has, or does, that most others do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lowlat.reports.model.fleet import Z_LIMIT, FleetDifference, FleetMetric, FleetValue, Outlier
from lowlat.reports.terminal.fleet_lines import shown

RARE: Final = 0.5
"""What more than this share of the others has too is no difference."""
SHOWN_MAX: Final = 12
_SAME_TIME_SHARE: Final = 0.001
"""A share of time below this explains nothing."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The value of each host in each metric, to find it again."""

    values: Mapping[tuple[str, str, str], FleetValue]

    @staticmethod
    def of(metrics: Sequence[FleetMetric]) -> Marks:
        """Those of all metrics."""
        return Marks({(each.verb, each.name, value.host): value for each in metrics for value in each.values})

    def value(self, host: str, metric: FleetMetric) -> FleetValue | None:
        """That of a host; None if it has none."""
        return self.values.get((metric.verb, metric.name, host))

    def outlier(self, host: str, metric: FleetMetric) -> Outlier | None:
        """Whether the host stands out in the metric."""
        found = self.value(host, metric)
        return found.outlier if found else None


def differences_of(
    name: str,
    facts: Mapping[str, Mapping[str, str]],
    findings: Mapping[str, Mapping[str, str]],
    metrics: Sequence[FleetMetric],
    marks: Marks,
) -> tuple[FleetDifference, ...]:
    """What is different: first causes that were measured, the most telling first, then facts and findings, the rarest
    first.
    """
    measured = sorted(_measured(name, metrics, marks), key=lambda found: -found[0])
    told = [*_told(name, facts), *_told(name, findings, "doctor: ", _status)]
    told.sort(key=lambda each: (each.alike / each.hosts, each.what))
    return (*(each for _, each in measured), *told)[:SHOWN_MAX]


def _measured(name: str, metrics: Sequence[FleetMetric], marks: Marks) -> Iterator[tuple[float, FleetDifference]]:
    """Causes in which the host stands out, each with its distance. A rank test of so few runs cannot clear them."""
    for metric in metrics:
        value = marks.value(name, metric)
        if not metric.explains or value is None or (score := farthest(value)) < Z_LIMIT:
            continue
        if metric.unit == "share" and value.value - metric.median < _SAME_TIME_SHARE:
            continue
        alike = sum(farthest(each) >= Z_LIMIT for each in metric.values)
        yield (
            score,
            FleetDifference(
                what=f"{metric.verb}: {metric.name}",
                here=shown(value.value, metric),
                elsewhere=shown(metric.median, metric),
                alike=alike,
                hosts=len(metric.values),
            ),
        )


def farthest(value: FleetValue) -> float:
    """The larger of its z-scores; 0 without any."""
    return max((each for each in (value.z, value.group_z) if each is not None), default=0.0)


def _status(finding: str) -> str:
    """Of doctor's findings the status counts: figures such as a load are never quite equal."""
    return finding.partition(":")[0]


def _told(
    name: str, texts: Mapping[str, Mapping[str, str]], prefix: str = "", key: Callable[[str], str] = str
) -> Iterator[FleetDifference]:
    """What the host tells, and most others that tell it do not have. Texts of one `key` are alike."""
    for what, here in texts[name].items():
        told = Counter(key(each[what]) for each in texts.values() if what in each)
        hosts = told.total()
        other = next((each for each, _ in told.most_common() if each != key(here)), None)
        if other is not None and told[key(here)] - 1 <= RARE * (hosts - 1) and told[other] >= told[key(here)]:
            usual = next(each[what] for each in texts.values() if what in each and key(each[what]) == other)
            yield FleetDifference(
                what=f"{prefix}{what}", here=here, elsewhere=usual, alike=told[key(here)], hosts=hosts
            )
