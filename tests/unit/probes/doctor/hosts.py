"""Synthetic hosts, each the text of its files, and what their running kernels would answer."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

from lowlat.probes.clock.counter import Calibration, CounterSkew, ReadCosts
from lowlat.probes.clock.scale import TickScale
from lowlat.probes.clock.sources import Candidate, CounterFlags
from lowlat.probes.cpu.cpu_sets import Cpus
from lowlat.probes.doctor.counters import CounterWindow
from lowlat.probes.doctor.examination import Examination, examine
from lowlat.probes.doctor.examined_host import ExaminedHost
from lowlat.probes.doctor.finding import Finding
from lowlat.probes.doctor.live_host import CpuSpeed, LiveHost, TimeState
from lowlat.probes.doctor.registry import select
from lowlat.probes.host.host_tree import FolderTree, HostTree
from lowlat.probes.network.ethtool import Coalescing
from lowlat.probes.reading import Reading, known, not_applicable

CPU = "sys/devices/system/cpu"
THP = "sys/kernel/mm/transparent_hugepage"
Files = dict[str, str]

INTERRUPTS = """\
            CPU0       CPU1       CPU2       CPU3
  24:         {nic}          0          0          0  PCI-MSI 327680-edge      eth1-TxRx-0
 LOC:         {loc}       {loc}       {iso}       {iso}   Local timer interrupts
 RES:         10         10          0          0   Rescheduling interrupts
 ERR:          0
"""
SOFTIRQS = """\
                    CPU0       CPU1       CPU2       CPU3
          HI:          0          0          0          0
       TIMER:        {t}          5          0          0
"""
STAT = "cpu  1 0 1 1 0 0 0 {steal} 0 0\n" + "".join(f"cpu{n} 1 0 1 1 0 0 0 {{steal}} 0 0\n" for n in range(4))
VMSTAT = "nr_free_pages 5\nallocstall_normal {n}\ncompact_stall 0\npgmajfault {n}\nnuma_pages_migrated 0\n"


def per_cpu(name: str, text: str, cpus: int = 4) -> Files:
    """One file for each CPU."""
    return {f"{CPU}/cpu{cpu}/{name}": f"{text}\n" for cpu in range(cpus)}


def idle_state(number: int, name: str, latency: int, disabled: int) -> Files:
    """A sleep state of each CPU."""
    folder = f"cpuidle/state{number}"
    return {
        **per_cpu(f"{folder}/name", name),
        **per_cpu(f"{folder}/latency", str(latency)),
        **per_cpu(f"{folder}/disable", str(disabled)),
        **per_cpu(f"{folder}/usage", "100"),
    }


_COMMON: Files = {
    f"{CPU}/online": "0-3\n",
    f"{CPU}/present": "0-3\n",
    f"{CPU}/possible": "0-3\n",
    "proc/sys/kernel/osrelease": "6.1.0-18-amd64\n",
    "proc/version": "Linux version 6.1.0-18-amd64 (gcc) #1 SMP PREEMPT_DYNAMIC Debian\n",
    "proc/1/comm": "systemd\n",
    "proc/1/status": "Name:\tsystemd\nVmSize:\t 1 kB\nCpus_allowed_list:\t0-1\n",
    "proc/1/task/1/stat": "1 (systemd) S " + " ".join(["0"] * 35) + " 1 0 0\n",
    "proc/1/task/1/status": "Name:\tsystemd\nVmSize:\t 1 kB\nCpus_allowed_list:\t0-1\n",
    "proc/20/comm": "ksoftirqd/2\n",
    "proc/20/task/20/stat": "20 (ksoftirqd/2) S " + " ".join(["0"] * 35) + " 2 0 0\n",
    "proc/20/task/20/status": "Name:\tksoftirqd/2\nCpus_allowed_list:\t2\n",
    "proc/interrupts": INTERRUPTS.format(nic=5, loc=1000, iso=10),
    "proc/softirqs": SOFTIRQS.format(t=5),
    "proc/stat": STAT.format(steal=0),
    "proc/vmstat": VMSTAT.format(n=0),
    "proc/loadavg": "0.00 0.00 0.00 1/100 100\n",
    "proc/self/cgroup": "0::/user.slice\n",
    "proc/self/status": "Name:\tx\nCapEff:\t0000000000000000\nCpus_allowed_list:\t0-3\nMems_allowed_list:\t0\n",
    "proc/self/timerslack_ns": "50000\n",
    "proc/swaps": "Filename\tType\tSize\tUsed\tPriority\n",
    "sys/fs/cgroup/cgroup.controllers": "cpu cpuset\n",
    "sys/fs/cgroup/user.slice/cgroup.procs": "\n",
    "sys/fs/cgroup/user.slice/cpu.max": "max 100000\n",
    "sys/fs/cgroup/user.slice/cpu.stat": "usage_usec 5\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n",
    "sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
    "sys/devices/system/clocksource/clocksource0/available_clocksource": "tsc hpet acpi_pm\n",
    "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "0\n",
    "sys/kernel/mm/ksm/pages_sharing": "0\n",
}
_CPUINFO = "".join(
    f"processor\t: {cpu}\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon\n"
    "flags\t\t: fpu tsc constant_tsc nonstop_tsc{more}\n\n"
    for cpu in range(4)
)
_METAL: Files = {
    **_COMMON,
    "proc/cpuinfo": _CPUINFO.format(more=" vmx"),
    **per_cpu("cpufreq/cpuinfo_max_freq", "3500000"),
    **per_cpu("cpufreq/scaling_max_freq", "3500000"),
    **per_cpu("thermal_throttle/core_throttle_count", "7"),
    **per_cpu("thermal_throttle/package_throttle_count", "7"),
    **{f"{CPU}/cpu{cpu}/topology/thread_siblings_list": f"{cpu}\n" for cpu in range(4)},
    **{f"{CPU}/cpu{cpu}/node0/cpulist": "0-3\n" for cpu in range(4)},
    "sys/devices/system/node/node0/cpulist": "0-3\n",
    "sys/class/net/eth1/device/numa_node": "0\n",
    "sys/class/net/eth1/device/msi_irqs/24": "msi\n",
    "proc/irq/24/smp_affinity_list": "0\n",
    "proc/irq/24/effective_affinity_list": "0\n",
}

TUNED: MappingProxyType[str, str] = MappingProxyType(
    {
        **_METAL,
        "proc/cmdline": "isolcpus=managed_irq,2-3 nohz_full=2-3 rcu_nocbs=2-3 preempt=full skew_tick=1 tsc=reliable "
        "rcupdate.rcu_normal_after_boot=1 rcutree.nohz_full_patience_delay=1000 pcie_aspm=off mitigations=off\n",
        f"{CPU}/isolated": "2-3\n",
        f"{CPU}/nohz_full": "2-3\n",
        **per_cpu("cpufreq/scaling_governor", "performance"),
        **per_cpu("cpufreq/energy_performance_preference", "performance"),
        **per_cpu("power/energy_perf_bias", "0"),
        **per_cpu("cpufreq/scaling_min_freq", "3500000"),
        **per_cpu("power/pm_qos_resume_latency_us", "n/a"),
        f"{CPU}/intel_pstate/no_turbo": "0\n",
        **idle_state(0, "POLL", 0, 0),
        **idle_state(1, "C1", 2, 0),
        **idle_state(2, "C6", 133, 1),
        f"{CPU}/smt/active": "0\n",
        f"{CPU}/smt/control": "off\n",
        f"{CPU}/vulnerabilities/meltdown": "Vulnerable\n",
        "sys/firmware/acpi/platform_profile": "performance\n",
        "sys/devices/virtual/workqueue/cpumask": "3\n",
        "sys/devices/virtual/workqueue/writeback/cpumask": "3\n",
        "proc/sys/kernel/sched_rt_runtime_us": "-1\n",
        "proc/sys/kernel/nmi_watchdog": "0\n",
        "proc/sys/kernel/watchdog": "1\n",
        "proc/sys/kernel/watchdog_cpumask": "0-1\n",
        "proc/sys/kernel/timer_migration": "0\n",
        "proc/sys/kernel/sched_autogroup_enabled": "0\n",
        "proc/sys/kernel/bpf_stats_enabled": "0\n",
        "proc/sys/kernel/sched_schedstats": "0\n",
        "proc/sys/kernel/task_delayacct": "0\n",
        "proc/sys/kernel/numa_balancing": "0\n",
        "proc/sys/kernel/perf_event_paranoid": "1\n",
        "proc/sys/vm/stat_interval": "120\n",
        "proc/sys/vm/swappiness": "10\n",
        "proc/sys/vm/zone_reclaim_mode": "0\n",
        "proc/sys/vm/compaction_proactiveness": "0\n",
        "proc/sys/vm/compact_unevictable_allowed": "0\n",
        "proc/sys/vm/dirty_background_ratio": "3\n",
        "proc/sys/vm/dirty_ratio": "10\n",
        "proc/sys/net/core/busy_poll": "50\n",
        "proc/sys/net/core/busy_read": "50\n",
        "proc/sys/net/ipv4/tcp_slow_start_after_idle": "0\n",
        "proc/pressure/cpu": "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n",
        "proc/irq/default_smp_affinity": "3\n",
        "sys/kernel/tracing/current_tracer": "nop\n",
        "sys/kernel/tracing/set_event": "\n",
        "boot/config-6.1.0-18-amd64": "CONFIG_HZ=1000\n# CONFIG_KASAN is not set\n",
        "sys/devices/system/machinecheck/machinecheck0/check_interval": "0\n",
        "sys/class/net/eth1/queues/rx-0/rps_cpus": "0\n",
        "sys/class/net/eth1/queues/tx-0/xps_cpus": "3\n",
        "sys/class/net/eth1/device/power/control": "on\n",
        "sys/module/pcie_aspm/parameters/policy": "default [performance] powersave\n",
        f"{THP}/enabled": "always [madvise] never\n",
        f"{THP}/defrag": "always defer defer+madvise [madvise] never\n",
        f"{THP}/khugepaged/defrag": "0\n",
        "sys/kernel/mm/ksm/run": "0\n",
        "dev/cpu/0/msr": "\n",
        "sys/fs/resctrl/schemata": "L3:0=ff\n",
    }
)
UNTUNED: MappingProxyType[str, str] = MappingProxyType(
    {
        **_METAL,
        "proc/cmdline": "quiet\n",
        f"{CPU}/isolated": "\n",
        f"{CPU}/nohz_full": "(null)\n",
        **per_cpu("cpufreq/scaling_governor", "powersave"),
        **per_cpu("cpufreq/energy_performance_preference", "balance_performance"),
        **per_cpu("power/energy_perf_bias", "6"),
        **per_cpu("cpufreq/scaling_min_freq", "800000"),
        **per_cpu("power/pm_qos_resume_latency_us", "0"),
        f"{CPU}/intel_pstate/no_turbo": "1\n",
        **idle_state(0, "POLL", 0, 0),
        **idle_state(1, "C1", 2, 0),
        **idle_state(2, "C6", 133, 0),
        **{f"{CPU}/cpu{cpu}/topology/thread_siblings_list": f"{cpu % 2},{cpu % 2 + 2}\n" for cpu in range(4)},
        f"{CPU}/smt/active": "1\n",
        f"{CPU}/smt/control": "on\n",
        f"{CPU}/vulnerabilities/meltdown": "Mitigation: PTI\n",
        "sys/firmware/acpi/platform_profile": "balanced\n",
        "sys/devices/virtual/workqueue/cpumask": "f\n",
        "sys/devices/virtual/workqueue/writeback/cpumask": "f\n",
        "proc/sys/kernel/sched_rt_runtime_us": "950000\n",
        "proc/sys/kernel/nmi_watchdog": "1\n",
        "proc/sys/kernel/watchdog": "1\n",
        "proc/sys/kernel/watchdog_cpumask": "0-3\n",
        "proc/sys/kernel/timer_migration": "1\n",
        "proc/sys/kernel/sched_autogroup_enabled": "1\n",
        "proc/sys/kernel/bpf_stats_enabled": "1\n",
        "proc/sys/kernel/sched_schedstats": "1\n",
        "proc/sys/kernel/task_delayacct": "0\n",
        "proc/sys/kernel/numa_balancing": "1\n",
        "proc/sys/kernel/perf_event_paranoid": "2\n",
        "proc/sys/vm/stat_interval": "1\n",
        "proc/sys/vm/swappiness": "60\n",
        "proc/sys/vm/zone_reclaim_mode": "1\n",
        "proc/sys/vm/compaction_proactiveness": "20\n",
        "proc/sys/vm/compact_unevictable_allowed": "1\n",
        "proc/sys/vm/dirty_background_ratio": "10\n",
        "proc/sys/vm/dirty_ratio": "20\n",
        "proc/sys/net/core/busy_poll": "0\n",
        "proc/sys/net/core/busy_read": "0\n",
        "proc/sys/net/ipv4/tcp_slow_start_after_idle": "1\n",
        "proc/pressure/cpu": "some avg10=7.31 avg60=0.00 avg300=0.00 total=5\n",
        "proc/irq/default_smp_affinity": "f\n",
        "proc/30/comm": "irqbalance\n",
        "proc/30/task/30/stat": "30 (irqbalance) S " + " ".join(["0"] * 35) + " 3 0 0\n",
        "proc/30/task/30/status": "Name:\tirqbalance\nVmSize:\t 1 kB\nCpus_allowed_list:\t0-3\n",
        "proc/swaps": "Filename\tType\tSize\tUsed\tPriority\n/dev/sda2 partition 100 0 -2\n",
        "sys/kernel/debug/sched/preempt": "none (voluntary) full\n",
        "sys/kernel/tracing/current_tracer": "function\n",
        "boot/config-6.1.0-18-amd64": "CONFIG_HZ=250\nCONFIG_PROVE_LOCKING=y\n",
        "sys/devices/system/machinecheck/machinecheck0/check_interval": "300\n",
        "sys/class/net/eth1/queues/rx-0/rps_cpus": "f\n",
        "sys/class/net/eth1/device/power/control": "auto\n",
        "sys/module/pcie_aspm/parameters/policy": "[default] performance powersave\n",
        f"{THP}/enabled": "[always] madvise never\n",
        f"{THP}/defrag": "[always] defer defer+madvise madvise never\n",
        f"{THP}/khugepaged/defrag": "1\n",
        "sys/kernel/mm/ksm/run": "1\n",
    }
)
UNTUNED_ANSWERS: MappingProxyType[str, Any] = MappingProxyType(
    {
        "RLIMIT_MEMLOCK": 65536,
        "RLIMIT_RTPRIO": 0,
        "fifo": False,
        "speeds": (1.5, 1.5, 1.2, 0.9),
        "vdso_ns": 240.0,
        "skews": (CounterSkew(0, 1, 900.0, 50.0, 100, 3),),
        "time": TimeState(False, 0.0, 16_000_000),
        "log": ("Linux version 6.1", "tsc: Marking TSC unstable due to check_tsc_sync_source failed"),
        "latency_us": 2_000_000_000,
        "resolution_ns": 4e6,
        "coalescing": Coalescing(50, True),
        "merging": (True, True),
        "cpuinfo": {"brand_raw": "Xeon", "l2_cache_line_size": 1024},
    }
)
"""What the running kernel of an untuned host answers."""
UNTUNED_LATER: MappingProxyType[str, str] = MappingProxyType(
    {
        "proc/interrupts": INTERRUPTS.format(nic=900, loc=1250, iso=260),
        "proc/vmstat": VMSTAT.format(n=3),
        f"{CPU}/cpu2/thermal_throttle/core_throttle_count": "9\n",
        f"{CPU}/cpu2/cpuidle/state2/usage": "180\n",
    }
)
"""Its counters a second later."""
GUEST: MappingProxyType[str, str] = MappingProxyType(
    {
        **_COMMON,
        "proc/cpuinfo": _CPUINFO.format(more=" hypervisor tsc_known_freq"),
        "proc/cmdline": "quiet\n",
        "lowlat/facts.json": '{"hypervisor_signature": "KVMKVMKVM"}',
        f"{CPU}/isolated": "\n",
        f"{CPU}/cpuidle/current_driver": "haltpoll\n",
        "sys/module/haltpoll/parameters/guest_halt_poll_ns": "0\n",
        **idle_state(0, "POLL", 0, 0),
        **idle_state(1, "haltpoll", 1, 0),
        f"{CPU}/smt/active": "0\n",
        f"{CPU}/smt/control": "notsupported\n",
        "sys/bus/virtio/drivers/virtio_balloon/virtio0/x": "\n",
        "sys/class/net/eth0/device/numa_node": "-1\n",
        "proc/stat": STAT.format(steal=5),
        f"{THP}/enabled": "always [madvise] never\n",
    }
)
CONTAINER: MappingProxyType[str, str] = MappingProxyType(
    {
        **{
            path: text
            for path, text in UNTUNED.items()
            if not path.startswith(("sys/kernel/debug", "sys/kernel/tracing"))
        },
        ".dockerenv": "",
        "proc/30/comm": "python3\n",
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/cpu.max": "150000 100000\n",
        "sys/fs/cgroup/cpu.stat": "usage_usec 5\nnr_periods 9\nnr_throttled 2\nthrottled_usec 7\n",
        "sys/fs/cgroup/cpu.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n",
    }
)


def tree_of(root: Path, files: Any) -> FolderTree:
    """Write the files of a host."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return FolderTree(root)


class SyntheticLive(LiveHost):
    """A running host that answers what it is told; without a word, as a tuned one."""

    def __init__(self, **answers: Any) -> None:
        super().__init__()
        self.answers = answers

    def _answer(self, name: str, default: Any) -> Any:
        found = self.answers.get(name, default)
        return found if isinstance(found, Reading) else known(found, name)

    def limit(self, name: str) -> Reading[int]:
        return self._answer(name, -1)

    def try_fifo(self) -> Reading[bool]:
        return self._answer("fifo", True)

    def try_affinity(self, cpus: Any) -> Reading[dict[int, str | None]]:
        return self._answer("affinity", dict.fromkeys(cpus))

    def usable(self) -> Cpus:
        return (0, 1, 2, 3)

    def speeds(self, cpus: Cpus) -> Reading[tuple[CpuSpeed, ...]]:
        each = self.answers.get("speeds", (1.5,) * len(cpus))
        return known(tuple(CpuSpeed(cpu, ratio, ratio * 2e9) for cpu, ratio in zip(cpus, each, strict=True)), "speeds")

    @property
    def calibration(self) -> Reading[Calibration]:  # type: ignore[override]
        return known(calibration(self.answers.get("vdso_ns", 20.0)), "calibration")

    @property
    def skews(self) -> Reading[tuple[CounterSkew, ...]]:  # type: ignore[override]
        return self._answer("skews", (CounterSkew(0, 1, 3.0, 50.0, 100, 0),))

    def time_state(self) -> Reading[TimeState]:
        return self._answer("time", TimeState(True, 1.5, 200))

    def log(self) -> Reading[tuple[str, ...]]:
        return self._answer("log", ("Linux version 6.1", "tsc: Refined TSC clocksource calibration: 2000.000 MHz"))

    def latency_request_us(self) -> Reading[int]:
        return self._answer("latency_us", 0)

    def register(self, cpu: int, register: int) -> Reading[int]:
        return self._answer(f"msr {register:#x}", not_applicable("msr", "/dev/cpu/0/msr does not exist"))

    def clock_resolution_ns(self) -> float:
        return float(self.answers.get("resolution_ns", 1.0))

    def coalescing(self, card: str) -> Reading[Coalescing]:
        return self._answer("coalescing", Coalescing(0, False))

    def merging(self, card: str) -> Reading[tuple[bool, bool]]:
        return self._answer("merging", (False, False))

    def link_settings(self, card: str) -> Reading[str]:
        return self._answer("link", "rx ring 64 of 4096, EEE off")

    def cpuinfo(self) -> Reading[dict[str, Any]]:
        return self._answer("cpuinfo", {"brand_raw": "Xeon"})


def calibration(vdso_ns: float) -> Calibration:
    """A counter of 2 GHz."""
    absent = not_applicable("here", "no")
    return Calibration(
        frequency_hz=2e9,
        uncertainty_ppm=0.0,
        source="measured",
        clock_source="rdtsc",
        scale=TickScale.of_frequency(2e9),
        frequency_monotonic_hz=2e9,
        window_s=0.05,
        points=3,
        bracket_ns=30.0,
        cpu=None,
        candidates=(Candidate("measured", known(2e9, "measured")),),
        flags=CounterFlags(absent, absent, absent, absent),
        costs=ReadCosts(8.0, 10.0, absent, vdso_ns, known(250.0, "call")),
        step_ticks=1.0,
        step_ns=0.5,
        smallest_difference_ticks=1,
        backward_reads=0,
        skews=absent,
        slew=absent,
        kernel_clocksource=absent,
        steps_ns=(),
        warnings=(),
        notes=(),
    )


def counters(tree: HostTree, later: Files | None = None, names: tuple[str, ...] = ()) -> CounterWindow:
    """The counters of a host that stands still, except for the files given; those of some checks, or of all."""
    groups = select(names).values()
    host = ExaminedHost(tree, live=SyntheticLive())
    paths = {path for checks in groups for check in checks for path in check.counters(host)}
    before = {path: text for path in paths if (text := tree.text(path)) is not None}
    return CounterWindow(before, {**before, **{path: text.strip() for path, text in (later or {}).items()}}, 1.0)


def examined(tree: HostTree, *names: str, later: Files | None = None, chosen: Cpus = (), **answers: Any) -> Examination:
    """The examination of a running synthetic host."""
    live = SyntheticLive(**answers)
    host = ExaminedHost(tree, chosen=chosen, live=live, counters=counters(tree, later))
    return examine(host, select(names))


def finding(tree: HostTree, name: str, later: Files | None = None, chosen: Cpus = (), **answers: Any) -> Finding:
    """What one check finds on a running synthetic host."""
    found = examined(tree, name, later=later, chosen=chosen, **answers).findings
    assert len(found) == 1, found
    return found[0]
