"""What a fleet says, as lines and cells for a terminal, Markdown and a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Final

from lowlat import units
from lowlat.reports.compare.gate import THRESHOLD_PERCENT
from lowlat.reports.model.fleet import Z_LIMIT, Fleet, FleetDifference, FleetHost, FleetMetric, FleetValue
from lowlat.reports.terminal.text_lines import join

NOTE: Final = f"* stands out: z-score over {Z_LIMIT:g}, {THRESHOLD_PERCENT:g}% from the median, and not by chance"
"""What the mark in a cell means."""
_GROUPS_DIFFER: Final = 0.1
HEAT_MAX: Final = 2 * Z_LIMIT
"""The z-score of the darkest cell."""
_ORDER: Final = {"slower": 0, "mixed": 1, "faster": 2, "not judged": 3, "like the others": 4}


@dataclass(frozen=True, slots=True)
class FleetCell:
    """A metric of a host: its text, its heat from 0 to 1 if it is worse than the median, and what it says in full."""

    text: str
    heat: float | None
    outlier: str | None
    told: str


def title(fleet: Fleet) -> str:
    """How many hosts, and what ran on them."""
    ran = dict.fromkeys(f"{run.verb} {' '.join(run.options)}".strip() for host in fleet.hosts for run in host.runs)
    return join(
        [
            units.plural(len(fleet.hosts), "host"),
            units.plural(len(fleet.groups), "kind") + " of hardware and kernel" if len(fleet.groups) > 1 else None,
            *ran,
            f"lowlat {fleet.version}",
        ]
    )


def status(fleet: Fleet) -> str | None:
    """What is missing; None if nothing is."""
    if fleet.status == "ok":
        return None
    counted = Counter(run.outcome for host in fleet.hosts for run in host.runs if run.outcome != "measured")
    told = ", ".join(f"{count} {outcome}" for outcome, count in counted.items())
    return f"{fleet.status.upper()}: {told or 'see the reasons'}"


def shown_metrics(fleet: Fleet) -> tuple[FleetMetric, ...]:
    """Metrics that judge a host; those that explain are told with the hosts that they explain."""
    return tuple(metric for metric in fleet.metrics if not metric.explains)


def ranked(fleet: Fleet) -> list[FleetHost]:
    """Hosts that stand out first, the farthest first; then the others by name."""
    scores: dict[str, float] = {}
    for metric in shown_metrics(fleet):
        for value in metric.values:
            scores[value.host] = max(scores.get(value.host, 0.0), abs(value.z or 0.0) if value.outlier else 0.0)
    return sorted(fleet.hosts, key=lambda host: (_ORDER[host.verdict], -scores.get(host.name, 0.0), host.name))


def rows(fleet: Fleet) -> Iterator[tuple[FleetHost, list[FleetCell]]]:
    """A row for each host with a figure, with a cell for each of `shown_metrics`."""
    metrics = shown_metrics(fleet)
    values = {(metric.verb, metric.name, value.host): value for metric in metrics for value in metric.values}
    for host in ranked(fleet):
        found = [(metric, values.get((metric.verb, metric.name, host.name))) for metric in metrics]
        if any(value for _, value in found):
            yield host, [_cell(value, metric) for metric, value in found]


def medians(fleet: Fleet) -> list[str]:
    """The cells of the row of medians."""
    return [shown(metric.median, metric) for metric in shown_metrics(fleet)]


def _cell(value: FleetValue | None, metric: FleetMetric) -> FleetCell:
    if value is None:
        return FleetCell("-", None, None, "not measured")
    z = max((each for each in (value.z, value.group_z) if each is not None), default=0.0)
    text = shown(value.value, metric)
    told = join(
        [
            f"{_times(value.ratio)} the median" if value.ratio is not None else None,
            f"z {value.z:.1f}" if value.z is not None else None,
            f"in its group {value.group_z:.1f}" if value.group_z is not None else None,
            f"p {value.p:.2g}" if value.p is not None else None,
            units.plural(value.runs, "run"),
        ]
    )
    heat = min(z, HEAT_MAX) / HEAT_MAX if z > 0 else None
    return FleetCell(f"{text}{'*' if value.outlier else ''}", heat, value.outlier, told)


def shown(value: float, metric: FleetMetric) -> str:
    """A value with its unit."""
    if metric.unit == "ns":
        return units.time(value)
    if metric.unit == "share":
        return f"{value:.3%}"
    if metric.unit == "per second":
        return units.rate(value)
    return f"{value:,.3g}{' ppm' if metric.unit == 'ppm' else ''}"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}x" if ratio >= 100 else f"{ratio:.3g}x"


def groups(fleet: Fleet) -> Iterator[str]:
    """In what each kind of hardware and kernel differs from the most common one, as a whole: `4 hosts with Example 3, 8
    CPUs, kernel 5.15: p50 1.3x`.
    """
    group_of = {host.name: host.group for host in fleet.hosts}
    medians_of: dict[tuple[str, str], dict[int | None, float]] = {}
    for metric in shown_metrics(fleet):
        values: dict[int | None, list[float]] = {}
        for value in metric.values:
            values.setdefault(group_of.get(value.host), []).append(value.value)
        medians_of[metric.verb, metric.name] = {group: median(own) for group, own in values.items()}
    for index, group in enumerate(fleet.groups[1:], 1):
        ratios = {name: own[index] / own[0] for (_, name), own in medians_of.items() if index in own and own.get(0)}
        told = [f"{name} {_times(ratio)}" for name, ratio in ratios.items() if abs(ratio - 1) >= _GROUPS_DIFFER]
        if told:
            what = ", ".join(f"{name} {text}" for name, text in group.facts.items())
            yield f"{units.plural(group.hosts, 'host')} with {what}: {', '.join(told)} the most common kind"


def verdict(host: FleetHost, fleet: Fleet) -> str:
    """In what a host stands out: `d is slower: p99 2.13x the median`."""
    told = [
        f"{metric.name} {_times(value.ratio)} the median" if value.ratio is not None else metric.name
        for metric in shown_metrics(fleet)
        for value in metric.values
        if value.host == host.name and value.outlier
    ]
    how = "slower in some, faster in others" if host.verdict == "mixed" else host.verdict
    return f"{host.name} is {how}: {', '.join(told)}"


def difference(found: FleetDifference) -> str:
    """A difference in one line."""
    return f"{found.what}: {found.here}; elsewhere {found.elsewhere} ({found.alike} of {found.hosts} hosts like this)"


def summary(fleet: Fleet) -> str:
    """What to take from it, in one line."""
    if len(fleet.outliers) == 1:
        return f"1 of {len(fleet.hosts):,} hosts stands out"
    if fleet.outliers:
        return f"{len(fleet.outliers):,} of {len(fleet.hosts):,} hosts stand out"
    judged = sum(host.verdict == "like the others" for host in fleet.hosts)
    return f"no host stands out among {judged:,}" if judged else "too few hosts with reports to compare: three at least"


def gate(fleet: Fleet) -> str | None:
    """The verdict of the gate; None without rules."""
    if not fleet.gate.rules:
        return None
    rules = ", ".join(fleet.gate.rules)
    return f"gate {rules} {fleet.gate.verdict}" + (f": {'; '.join(fleet.gate.failed)}" if fleet.gate.failed else "")
