"""Frequency limits on the terminal: a row for all CPUs that have the same."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from lowlat import units
from lowlat.probes.reading import Reading
from lowlat.probes.topology import FrequencyPolicy
from lowlat.text import plain_text
from lowlat_cli.views import layout


def frequency_line(reading: Reading[tuple[FrequencyPolicy, ...]]) -> str | Text:
    """Governor and limits where all CPUs have the same; else how many kinds of them there are."""
    if reading.value is None:
        return layout.missing(reading)
    first, *others = reading.value
    if not others:
        return " · ".join((_limits(first.min_hz, first.max_hz), *_words(first)))
    limits = [hz for each in reading.value for hz in (each.min_hz, each.max_hz) if hz is not None]
    governors = sorted({each.governor for each in reading.value if each.governor})
    parts = (
        _limits(min(limits, default=None), max(limits, default=None)),
        ", ".join(governors),
        f"{len(reading.value)} groups of CPUs differ",
    )
    return " · ".join(part for part in parts if part)


def frequencies_view(policies: Sequence[FrequencyPolicy]) -> Table:
    """A row for each group of CPUs: what is allowed now, and what the hardware can."""
    made = layout.table(
        "frequency", "allowed", "hardware", "governor", "preference", "driver", wrap=("frequency", "driver")
    )
    for each in policies:
        made.add_row(
            units.cpus(layout.cpus(each.cpus)),
            _limits(each.min_hz, each.max_hz),
            _limits(each.hardware_min_hz, each.hardware_max_hz),
            *(plain_text(word or "-") for word in (each.governor, each.energy_preference, each.driver)),
        )
    return made


def _words(policy: FrequencyPolicy) -> list[str]:
    preference = f"prefers {policy.energy_preference}" if policy.energy_preference else None
    return [word for word in (policy.governor, preference, policy.driver) if word]


def _limits(least_hz: int | None, most_hz: int | None) -> str:
    least, most = ("?" if hz is None else f"{hz / 1e9:.3f}" for hz in (least_hz, most_hz))
    return f"{least} GHz" if least == most else f"{least}-{most} GHz"
