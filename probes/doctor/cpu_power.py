"""Does each CPU run at its full frequency, all the time?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lowlat import units
from lowlat.probes.cpu.cpu_sets import CPU_FOLDER
from lowlat.probes.doctor.check import Check
from lowlat.probes.doctor.examined_host import ExaminedHost, PerCpu, absent
from lowlat.probes.doctor.finding import MeasuredFigure
from lowlat.probes.doctor.judgment import Judgment, bad, by_hand, good, together, unclear, write
from lowlat.probes.doctor.knobs import CpuFileCheck
from lowlat.probes.doctor.live_host import CpuSpeed
from lowlat.probes.host.host_tree import parse_integer
from lowlat.probes.reading import Reading, known, not_applicable

_MISC_ENABLE: Final = 0x1A0
_TURBO_OFF_BIT: Final = 38
"""IA32_MISC_ENABLE: turbo mode disable (Intel SDM vol. 4)."""
SPEED_SPREAD_MAX: Final = 0.01
"""Share by which the frequencies of CPUs may differ."""


class FrequencyGovernor(CpuFileCheck):
    """Who chooses the frequency."""

    id = "frequency-governor"
    title = "frequency governor"
    severity = "fail"
    threshold = "performance on every CPU"
    consequence = "the frequency rises only after tens to hundreds of microseconds of work"
    owner = "hardware"
    file = "cpufreq/scaling_governor"
    set_to = "performance"
    usual_command = "cpupower frequency-set -g performance"

    def is_good(self, value: str) -> bool:
        """Only this one never lowers the frequency."""
        return value == "performance"


class EnergyPreference(CpuFileCheck):
    """What a processor that manages its own frequency prefers."""

    id = "energy-preference"
    title = "energy performance preference"
    severity = "warn"
    threshold = "performance, or 0, on every CPU"
    consequence = "a processor that manages itself (HWP, CPPC) saves energy whatever the governor"
    owner = "hardware"
    file = "cpufreq/energy_performance_preference"
    set_to = "performance"

    def is_good(self, value: str) -> bool:
        """The name, or the number that means the same."""
        return value in ("performance", "0")


class EnergyBias(CpuFileCheck):
    """The older preference of Intel processors."""

    id = "energy-bias"
    title = "energy performance bias"
    severity = "warn"
    threshold = "0 on every CPU"
    consequence = "the processor saves energy"
    owner = "hardware"
    file = "power/energy_perf_bias"
    set_to = "0"
    usual_command = "x86_energy_perf_policy performance"

    def is_good(self, value: str) -> bool:
        """0 is performance, 15 is power."""
        return value in ("0", "performance")


class MinFrequency(Check[PerCpu]):
    """Whether the frequency may drop between bursts."""

    id = "minimum-frequency"
    title = "minimum frequency"
    severity = "warn"
    threshold = "the maximum on every CPU"
    consequence = "the frequency drops between bursts"
    owner = "hardware"

    _minimum = "cpufreq/scaling_min_freq"

    def read(self, host: ExaminedHost) -> Reading[PerCpu]:
        """The lower limit of each CPU, in kHz."""
        return host.per_cpu(self._minimum)

    def advise(self, value: PerCpu, host: ExaminedHost) -> Judgment:
        """The lower limit is to be the upper one; for repeatable figures, the upper one may be a lower one too."""
        percent = host.tree.integer(f"{CPU_FOLDER}/intel_pstate/min_perf_pct")
        if percent == 100:
            return good("intel_pstate/min_perf_pct is 100")
        wrong: dict[str, tuple[str, str]] = {}
        unknown_maximum = False
        for cpu, text in value.values.items():
            folder = f"{CPU_FOLDER}/cpu{cpu}/cpufreq"
            most = host.tree.integer(f"{folder}/cpuinfo_max_freq")
            least, limit = parse_integer(text), host.tree.integer(f"{folder}/scaling_max_freq")
            if most is None or least is None:
                unknown_maximum = True
            elif least < most and not (host.purpose == "repeatable-benchmark" and least == limit):
                wrong[f"{folder}/scaling_min_freq"] = (text, str(most))
        shown = PerCpu({cpu: _khz(text) for cpu, text in value.values.items()}, {}).text
        if wrong:
            fix = together(write(path, most, found) for path, (found, most) in wrong.items())
            return bad(shown, fix)
        gap = value.gap or ("cpuinfo_max_freq is missing or no number" if unknown_maximum else None)
        return unclear(shown, gap) if gap else good(shown)


def _khz(text: str) -> str:
    number = parse_integer(text)
    return text[:40] if number is None else units.frequency(number * 1e3)


@dataclass(frozen=True, slots=True)
class TurboSwitch:
    """Whether turbo is on, and the file that switches it; None for a register."""

    on: bool
    path: str | None = None
    value_on: str = ""


class Turbo(Check[TurboSwitch]):
    """Whether frequencies above the base are allowed."""

    id = "turbo"
    title = "turbo"
    severity = "info"
    threshold = "on for latency; off for repeatable benchmarks"
    consequence = "off costs speed; on, the frequency changes when neighbors wake"
    owner = "hardware"

    def read(self, host: ExaminedHost) -> Reading[TurboSwitch]:
        """The switch of the driver; without one, the register of Intel processors, if it can be read."""
        for path, value_on in ((f"{CPU_FOLDER}/intel_pstate/no_turbo", "0"), (f"{CPU_FOLDER}/cpufreq/boost", "1")):
            text = host.tree.text(path)
            if text in ("0", "1"):
                return known(TurboSwitch(text == value_on, path, value_on), f"read from /{path}")
        if host.live is not None and not host.is_guest and _vendor(host) == "GenuineIntel":
            register = host.live.register(0, _MISC_ENABLE)
            if register.value is not None:
                return known(TurboSwitch(not register.value >> _TURBO_OFF_BIT & 1), register.source)
        source = f"read from /{CPU_FOLDER}/intel_pstate/no_turbo, /{CPU_FOLDER}/cpufreq/boost"
        return not_applicable(source, "the kernel shows no switch for it")

    def advise(self, value: TurboSwitch, host: ExaminedHost) -> Judgment:
        """What is good depends on the profile."""
        wanted = host.purpose == "latency"
        text = "on" if value.on else "off"
        if value.on == wanted:
            return good(text)
        if value.path is None:
            return bad(text, by_hand(f"turn it {'on' if wanted else 'off'} in the firmware"))
        other = "1" if value.value_on == "0" else "0"
        to, found = (value.value_on, other) if wanted else (other, value.value_on)
        return bad(text, write(value.path, to, found))


def _vendor(host: ExaminedHost) -> str | None:
    for line in (host.tree.text("proc/cpuinfo") or "").splitlines():
        if line.startswith("vendor_id"):
            return line.partition(":")[2].strip()
    return None


class ThermalThrottling(Check[PerCpu]):
    """Whether heat or power limits slow the processor down."""

    id = "thermal-throttling"
    title = "thermal throttling"
    severity = "fail"
    threshold = "no throttling while counters are compared"
    consequence = "a slow-down that no program sees"
    owner = "hardware"

    _names = ("core_throttle_count", "package_throttle_count")

    def counters(self, host: ExaminedHost) -> tuple[str, ...]:
        """Both counts of each CPU."""
        return tuple(_throttle_path(cpu, name) for cpu in host.online for name in self._names)

    def read(self, host: ExaminedHost) -> Reading[PerCpu]:
        """The count of each core since boot."""
        return host.per_cpu("thermal_throttle/core_throttle_count")

    def advise(self, value: PerCpu, host: ExaminedHost) -> Judgment:
        """The count since boot is history; its growth counts."""
        since_boot = sum(number for text in value.values.values() if (number := parse_integer(text)))
        history = f"{since_boot:,} since boot"
        window = host.window(_throttle_path(next(iter(value.values)), self._names[0]))
        if window.value is None:
            return unclear(history, window.reason or "")
        grown = sum(window.value.difference(path).value or 0 for path in self.counters(host))
        measured = MeasuredFigure(grown, f"throttlings in {window.value.seconds:.2g} s")
        return bad(history, by_hand("cooling, or a higher power limit"), measured) if grown else good(history, measured)


def _throttle_path(cpu: int, name: str) -> str:
    return f"{CPU_FOLDER}/cpu{cpu}/thermal_throttle/{name}"


class RealFrequency(Check[tuple[CpuSpeed, ...]]):
    """How fast the CPUs run, whatever the files say."""

    id = "real-frequency"
    title = "real frequency"
    severity = "warn"
    threshold = "equal on all CPUs within 1%, and at least the base frequency"
    consequence = "some CPUs are slower than others, or than they should be"

    def read(self, host: ExaminedHost) -> Reading[tuple[CpuSpeed, ...]]:
        """Measure each CPU that this process may use."""
        live = host.on_live()
        if live.value is None:
            return absent(live)
        usable = set(live.value.usable())
        return live.value.speeds(tuple(cpu for cpu in host.online if cpu in usable))

    def advise(self, value: tuple[CpuSpeed, ...], host: ExaminedHost) -> Judgment:
        """Compare with each other, and with the base frequency: that of the kernel, else that of the counter."""
        slowest = min(value, key=lambda each: each.frequency_hz)
        fastest = max(value, key=lambda each: each.frequency_hz)
        measured = [MeasuredFigure(round(slowest.frequency_hz / 1e9, 3), f"GHz on CPU {slowest.cpu}, the slowest")]
        if len(value) > 1:
            measured.append(
                MeasuredFigure(round(fastest.frequency_hz / 1e9, 3), f"GHz on CPU {fastest.cpu}, the fastest")
            )
        spread = 1 - slowest.frequency_hz / fastest.frequency_hz
        base_khz = host.tree.integer(f"{CPU_FOLDER}/cpu{slowest.cpu}/cpufreq/base_frequency")
        base_hz = base_khz * 1e3 if base_khz else slowest.frequency_hz / slowest.cycles_per_tick
        fix = by_hand("see the governor, the C-states, turbo and throttling above")
        if slowest.frequency_hz < base_hz * (1 - SPEED_SPREAD_MAX):
            return bad(f"below the base frequency of {units.frequency(base_hz)}", fix, *measured)
        if spread > SPEED_SPREAD_MAX:
            return bad(f"CPUs differ by {spread:.1%}", fix, *measured)
        return good("equal" if len(value) > 1 else "one CPU", *measured)


class PlatformProfile(Check[dict[str, str]]):
    """What the firmware and the part outside the cores are set to."""

    id = "platform-profile"
    title = "platform profile and uncore frequency"
    severity = "info"
    threshold = "performance; lowest uncore frequency equal to the highest"
    consequence = "latency of the last cache and of memory rises by a fifth to a third"
    owner = "hardware"

    profile = "sys/firmware/acpi/platform_profile"
    uncore = f"{CPU_FOLDER}/intel_uncore_frequency"

    def read(self, host: ExaminedHost) -> Reading[dict[str, str]]:
        """The profile, and the limits of each uncore."""
        paths = [self.profile]
        for name in host.tree.names(self.uncore)[:256]:
            paths += [f"{self.uncore}/{name}/min_freq_khz", f"{self.uncore}/{name}/max_freq_khz"]
        found = {path: text for path in paths if (text := host.tree.text(path))}
        source = f"read from /{self.profile} and /{self.uncore}"
        return known(found, source) if found else not_applicable(source, "neither exists")

    def advise(self, value: dict[str, str], host: ExaminedHost) -> Judgment:
        """Both are to be at their maximum."""
        profile = value.get(self.profile)
        wrong = (
            [] if profile in (None, "performance") else [(f"profile {profile}", self.profile, "performance", profile)]
        )
        for path, text in value.items():
            most = value.get(path.replace("min_freq", "max_freq"))
            if path.endswith("min_freq_khz") and most is not None and text != most:
                wrong.append((f"uncore from {_khz(text)} to {_khz(most)}", path, most, text))
        if wrong:
            fix = together(write(path, to, str(found)) for _, path, to, found in wrong)
            return bad("; ".join(dict.fromkeys(text for text, *_ in wrong)), fix)
        return good("performance" if profile else "uncore at its maximum")


CHECKS: Final = (
    FrequencyGovernor(),
    EnergyPreference(),
    EnergyBias(),
    MinFrequency(),
    Turbo(),
    ThermalThrottling(),
    RealFrequency(),
    PlatformProfile(),
)
