"""Readings that other tools get wrong: each look right, reversed, empty or absent where they are not."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from lowlat.probes.clock.counter import CounterSkew
from lowlat.probes.doctor.examination import examine
from lowlat.probes.doctor.examined_host import NOT_CAPTURED, ExaminedHost
from lowlat.probes.doctor.finding import Finding
from lowlat.probes.doctor.live_host import TimeState
from lowlat.probes.doctor.registry import select
from lowlat.probes.host.host_tree import ArchiveTree, explain_os_error
from lowlat.probes.reading import known, not_applicable, unknown
from tests.unit.probes.doctor.hosts import (
    CPU,
    GUEST,
    INTERRUPTS,
    STAT,
    THP,
    TUNED,
    UNTUNED,
    Files,
    finding,
    idle_state,
    per_cpu,
    tree_of,
)


@pytest.fixture
def found(tmp_path: Path) -> Any:
    """Judge one check on a host with some files changed; None as content removes the file."""

    def judge(name: str, base: Any = TUNED, files: dict[str, str | None] | None = None, **live: Any) -> Finding:
        changed = {**base, **(files or {})}
        root = tmp_path / str(len(list(tmp_path.iterdir())))
        tree = tree_of(root, {path: text for path, text in changed.items() if text is not None})
        return finding(tree, name, **live)

    return judge


def without(base: Any, part: str) -> dict[str, str | None]:
    return {path: None for path in base if part in path}


# CPU and power


def test_one_cpu_of_many_decides_about_the_governor(found: Any) -> None:
    one = found("frequency-governor", files={f"{CPU}/cpu3/cpufreq/scaling_governor": "powersave\n"})
    assert (one.status, one.observed) == ("fail", "performance on CPU 0-2, powersave on CPU 3")
    assert one.fix.commands == (f"echo performance > /{CPU}/cpu3/cpufreq/scaling_governor",)
    assert one.fix.undo == (f"echo powersave > /{CPU}/cpu3/cpufreq/scaling_governor",)


def test_an_offline_cpu_that_answers_ebusy_is_left_out() -> None:
    class OneBusy(ArchiveTree):
        def read_bytes(self, path: str) -> bytes:
            if path == f"{CPU}/cpu1/cpufreq/scaling_governor":
                raise OSError(16, os.strerror(16), path)
            return super().read_bytes(path)

    files = {f"{CPU}/online": b"0-1", f"{CPU}/cpu0/cpufreq/scaling_governor": b"performance"}
    host = ExaminedHost(OneBusy("x", files, {}))
    (one,) = examine(host, select(["frequency-governor"])).findings
    assert (one.status, one.observed) == ("pass", "performance")


def test_a_cpu_that_cannot_be_read_is_no_pass() -> None:
    class OneForbidden(ArchiveTree):
        def read_bytes(self, path: str) -> bytes:
            if path == f"{CPU}/cpu1/cpufreq/scaling_governor":
                raise PermissionError(13, os.strerror(13), path)
            return super().read_bytes(path)

    files = {f"{CPU}/online": b"0-1", f"{CPU}/cpu0/cpufreq/scaling_governor": b"performance"}
    (one,) = examine(ExaminedHost(OneForbidden("x", files, {})), select(["frequency-governor"])).findings
    assert one.status == "unknown"
    assert "CPU 1: " in str(one.reason) and "permission denied (needs root" in str(one.reason)


@pytest.mark.parametrize(("text", "status"), [("0", "pass"), ("performance", "pass"), ("128", "warn")])
def test_energy_preference_is_a_name_or_a_number(found: Any, text: str, status: str) -> None:
    assert found("energy-preference", files=per_cpu("cpufreq/energy_performance_preference", text)).status == status


def test_min_perf_pct_of_100_is_a_full_minimum(found: Any) -> None:
    low = per_cpu("cpufreq/scaling_min_freq", "800000")
    assert found("minimum-frequency", files=low).status == "warn"
    assert found("minimum-frequency", files={**low, f"{CPU}/intel_pstate/min_perf_pct": "100\n"}).status == "pass"


@pytest.mark.parametrize(
    ("path", "text", "on"),
    [
        ("intel_pstate/no_turbo", "0", True),
        ("intel_pstate/no_turbo", "1", False),
        ("cpufreq/boost", "1", True),
        ("cpufreq/boost", "0", False),
    ],
)
def test_turbo_is_reversed_in_one_file_and_judged_by_profile(tmp_path: Path, path: str, text: str, on: bool) -> None:
    files = {name: each for name, each in TUNED.items() if "no_turbo" not in name}
    tree = tree_of(tmp_path, {**files, f"{CPU}/{path}": text})
    for purpose, wanted in (("latency", True), ("repeatable-benchmark", False)):
        host = ExaminedHost(tree, purpose=purpose)  # type: ignore[arg-type]
        (one,) = examine(host, select(["turbo"])).findings
        assert one.observed == ("on" if on else "off")
        assert one.status == ("pass" if on == wanted else "info")
        if on != wanted:
            other = "1" if text == "0" else "0"
            assert one.fix is not None and one.fix.commands == (f"echo {other} > /{CPU}/{path}",)
            assert one.fix.undo == (f"echo {text} > /{CPU}/{path}",)


def test_turbo_from_the_register_where_no_driver_has_a_switch(found: Any) -> None:
    gone = without(TUNED, "no_turbo")
    assert found("turbo", files=gone).status == "not applicable"
    disabled = found("turbo", files=gone, **{"msr 0x1a0": known(1 << 38, "MSR 0x1a0")})
    assert (disabled.observed, disabled.status) == ("off", "info")
    assert found("turbo", files=gone, **{"msr 0x1a0": known(0, "MSR 0x1a0")}).observed == "on"


def test_c_states_of_a_guest_do_not_tell_those_of_the_host(found: Any) -> None:
    one = found("c-states", GUEST)
    assert (one.status, one.reason) == ("unknown", "a guest does not see the states of the host")


def test_a_deep_state_that_is_disabled_or_kept_out_by_a_request_passes(found: Any) -> None:
    deep = idle_state(2, "C6", 133, 0)
    assert found("c-states", files=deep, latency_us=2_000_000_000).status == "fail"
    assert found("c-states", files=deep, latency_us=5).status == "pass"
    assert found("c-states", files=idle_state(2, "C6", 133, 1), latency_us=2_000_000_000).status == "pass"


def test_entries_into_deep_states_are_measured(found: Any) -> None:
    later = {f"{CPU}/cpu2/cpuidle/state2/usage": "180\n"}
    one = found("c-states", files=idle_state(2, "C6", 133, 0), latency_us=2_000_000_000, later=later)
    assert [each.text for each in one.measured] == ["80 entries a second into deep states"]


@pytest.mark.parametrize(("value", "status"), [(2_000_000_000, "fail"), (50, "fail"), (10, "pass"), (0, "pass")])
def test_the_request_for_latency_is_none_at_two_billion(found: Any, value: int, status: str) -> None:
    files = idle_state(2, "C6", 133, 0)
    one = found("latency-request", files=files, latency_us=value)
    assert one.status == status
    assert ("no limit" in one.observed) == (value == 2_000_000_000)


def test_the_request_of_a_guest_is_told_and_not_judged(found: Any) -> None:
    assert found("latency-request", GUEST, latency_us=2_000_000_000).status == "info"


def test_a_request_that_only_root_can_read_is_unknown(found: Any) -> None:
    refused = unknown("/dev/cpu_dma_latency", explain_os_error(PermissionError(13, "x"), "/dev/cpu_dma_latency"))
    one = found("latency-request", latency_us=refused)
    assert one.status == "unknown" and "needs root" in one.reason


@pytest.mark.parametrize(("text", "status"), [("0", "info"), ("n/a", "pass"), ("5", "pass"), ("100", "info")])
def test_resume_latency_zero_is_no_limit_and_na_is_zero(found: Any, text: str, status: str) -> None:
    assert found("cpu-latency-request", files=per_cpu("power/pm_qos_resume_latency_us", text)).status == status


@pytest.mark.parametrize(
    ("driver", "polled", "status"),
    [
        ("haltpoll", "200000", "pass"),
        ("haltpoll", "0", "warn"),
        ("none", "200000", "warn"),
        ("intel_idle", "0", "info"),
    ],
)
def test_halt_polling_counts_only_with_its_driver(found: Any, driver: str, polled: str, status: str) -> None:
    files = {
        f"{CPU}/cpuidle/current_driver": driver,
        "sys/module/haltpoll/parameters/guest_halt_poll_ns": polled,
    }
    assert found("guest-halt-polling", GUEST, files).status == status


def test_notsupported_smt_is_off_on_bare_metal_and_unknown_in_a_guest(found: Any) -> None:
    files = {f"{CPU}/smt/control": "notsupported\n"}
    assert found("smt", TUNED, files).status == "pass"
    assert found("smt", GUEST, files).status == "unknown"


def test_siblings_that_are_all_isolated_are_fine(found: Any) -> None:
    on = {f"{CPU}/smt/control": "on\n", f"{CPU}/smt/active": "1\n"}
    together = {f"{CPU}/cpu{cpu}/topology/thread_siblings_list": "2-3\n" for cpu in (2, 3)}
    apart = {f"{CPU}/cpu{cpu}/topology/thread_siblings_list": f"{cpu - 2},{cpu}\n" for cpu in (2, 3)}
    assert found("smt", files={**on, **together}).status == "pass"
    split = found("smt", files={**on, **apart})
    assert (split.status, split.observed) == ("warn", "on, and CPU 0-1 shares a core with an isolated CPU")


def test_throttling_since_boot_is_history_and_its_growth_counts(found: Any) -> None:
    assert found("thermal-throttling").status == "pass"
    later = {f"{CPU}/cpu1/thermal_throttle/package_throttle_count": "9\n"}
    one = found("thermal-throttling", later=later)
    assert (one.status, one.measured[0].text) == ("fail", "2 throttlings in 1 s")


def test_smis_are_counted_by_intel_only(found: Any) -> None:
    amd = {"proc/cpuinfo": "vendor_id : AuthenticAMD\nflags : tsc\n"}
    one = found("smi", files=amd)
    assert one.status == "not applicable" and "perf stat -e ls_smi_rx" in one.reason


def test_mitigations_never_fail(found: Any) -> None:
    one = found("mitigations", files={f"{CPU}/vulnerabilities/mds": "Vulnerable: no microcode\n"})
    assert (one.status, one.observed) == ("info", "0 mitigated, 2 vulnerable; mitigations=off")


def test_cpus_that_differ_by_more_than_a_percent(found: Any) -> None:
    assert found("real-frequency", speeds=(1.5, 1.5, 1.49, 1.5)).status == "pass"
    one = found("real-frequency", speeds=(1.5, 1.5, 1.5, 1.3))
    assert (one.status, one.observed) == ("warn", "CPUs differ by 13.3%")
    assert [each.text for each in one.measured] == ["2.6 GHz on CPU 3, the slowest", "3 GHz on CPU 0, the fastest"]
    assert found("real-frequency", speeds=(0.9,) * 4).observed == "below the base frequency of 2.000 GHz"


# Scheduler and isolation


def test_an_isolated_partition_counts_as_isolation(found: Any) -> None:
    group = "sys/fs/cgroup/fast"
    files = {
        f"{CPU}/isolated": "\n",
        f"{group}/cgroup.procs": "\n",
        f"{group}/cpuset.cpus.partition": "isolated\n",
        f"{group}/cpuset.cpus.effective": "3\n",
    }
    assert found("isolated-cpus", files=files).observed == "CPU 3"
    files[f"{group}/cpuset.cpus.partition"] = "isolated invalid (cpu list is empty)\n"
    assert found("isolated-cpus", files=files).status == "info"
    root = {f"{CPU}/isolated": "\n", "sys/fs/cgroup/cpuset.cpus.isolated": "2\n"}
    assert found("isolated-cpus", files=root).observed == "CPU 2"


def test_absent_nohz_full_is_not_applicable_with_the_timer_measured(found: Any) -> None:
    """The prediction stands beside its measurement."""
    later = {"proc/interrupts": INTERRUPTS.format(nic=5, loc=1250, iso=260)}
    one = found("nohz-full", files={f"{CPU}/nohz_full": None}, later=later)
    assert (one.status, one.owner) == ("not applicable", "the kernel, which is built or booted without it")
    assert [each.text for each in one.measured] == ["250 timer interrupts a second on CPU 2"]


@pytest.mark.parametrize("text", ["(null)\n", "\n", "\0"])
def test_nohz_full_is_empty_in_three_ways(found: Any, text: str) -> None:
    assert found("nohz-full", files={f"{CPU}/nohz_full": text}).observed == "nohz_full is empty"


def test_nohz_full_implies_rcu_offload(found: Any) -> None:
    assert found("rcu-callbacks", files={"proc/cmdline": "nohz_full=2-3\n"}).status == "pass"
    assert found("rcu-callbacks", files={"proc/cmdline": "rcu_nocbs=2\n"}).observed == "not offloaded for CPU 3"
    assert found("rcu-callbacks", files={"proc/cmdline": "rcu_nocbs\n"}).status == "pass"
    beyond = "quiet -- nohz_full=2-3\n"  # what follows is for init
    assert found("rcu-callbacks", files={"proc/cmdline": beyond}).status == "warn"


def test_the_mask_of_one_workqueue_is_enough(found: Any) -> None:
    one = found("workqueues", files={"sys/devices/virtual/workqueue/writeback/cpumask": "f\n"})
    assert (one.status, one.observed) == ("warn", "writeback: mask f has isolated CPUs")
    assert one.fix.commands == ("echo 3 > /sys/devices/virtual/workqueue/writeback/cpumask",)


def test_bound_threads_of_the_kernel_may_stay_and_any_name_is_parsed(found: Any) -> None:
    task: Files = {
        "proc/40/comm": "evil) R 1\n",
        "proc/40/task/41/stat": "41 (evil) R 1 2) S " + " ".join(["0"] * 35) + " 3 0 0\n",
        "proc/40/task/41/status": "VmSize:\t1 kB\nCpus_allowed_list:\t3\n",
    }
    assert found("other-tasks", files=task).observed == "evil) R 1 2 (41) on CPU 3"
    assert found("other-tasks").observed == "none"  # ksoftirqd/2 is there


def test_a_container_sees_its_own_tasks_only(found: Any) -> None:
    one = found("other-tasks", files={".dockerenv": ""})
    assert (one.status, one.reason) == ("unknown", "a container sees its own tasks only")


def test_since_6_12_the_fair_server_takes_time_too(found: Any) -> None:
    new = {"proc/sys/kernel/osrelease": "6.12.1\n"}
    one = found("rt-throttling", files=new)
    assert one.status == "unknown" and "debugfs" in one.reason
    server = {f"sys/kernel/debug/sched/fair_server/cpu{cpu}/runtime": "50000000\n" for cpu in (2, 3)}
    assert found("rt-throttling", files={**new, **server}).observed == "-1, but a fair server takes time on CPU 2-3"
    off = dict.fromkeys(server, "0\n")
    assert found("rt-throttling", files={**new, **off}).status == "pass"


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ({"sys/kernel/realtime": "1\n"}, "pass"),
        ({"proc/version": "Linux version 6.1 #1 SMP PREEMPT_RT Debian\n"}, "pass"),
        ({"proc/version": "Linux version 6.1 #1 SMP PREEMPT Debian\n"}, "pass"),
        ({"proc/version": "Linux version 6.1 #1 SMP Debian\n"}, "warn"),
        ({"proc/cmdline": "quiet\n"}, "unknown"),
        ({"proc/cmdline": "quiet\n", "sys/kernel/debug/sched/preempt": "none voluntary (full)\n"}, "pass"),
        ({"sys/kernel/debug/sched/preempt": "(none) voluntary full\n"}, "warn"),
    ],
)
def test_a_dynamic_kernel_tells_its_model_in_debugfs_only(found: Any, files: Any, status: str) -> None:
    assert found("preemption", files=files).status == status


def test_watchdog_0_turns_both_off(found: Any) -> None:
    on = {"proc/sys/kernel/nmi_watchdog": "1\n", "proc/sys/kernel/watchdog_cpumask": "0-3\n"}
    one = found("watchdogs", files=on)
    assert one.observed == "nmi_watchdog 1; the soft watchdog is on CPU 2-3"
    assert one.fix.commands == ("sysctl -w kernel.nmi_watchdog=0", "sysctl -w kernel.watchdog_cpumask=0-1")
    assert found("watchdogs", files={**on, "proc/sys/kernel/watchdog": "0\n"}).status == "pass"


def test_the_quota_of_any_ancestor_counts(found: Any) -> None:
    parent = {"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "50000 100000\n"}
    one = found("cpu-quota", files={**parent, "sys/fs/cgroup/a/b/cpu.max": "max 100000\n"})
    assert (one.status, one.observed) == ("fail", "50000 us in each 100000 us")


def test_throttled_periods_are_measured(found: Any) -> None:
    later = {"sys/fs/cgroup/user.slice/cpu.stat": "nr_periods 9\nnr_throttled 4\n"}
    assert [each.text for each in found("cpu-quota", later=later).measured] == ["4 throttled periods in 1 s"]


def test_stolen_time_is_of_the_second_and_not_of_the_day(found: Any) -> None:
    assert found("steal", GUEST).status == "pass"
    one = found("steal", GUEST, later={"proc/stat": STAT.format(steal=8)})
    assert (one.status, one.measured[0].text) == ("fail", "30 ms stolen from CPU 0 in 1 s")


def test_a_host_without_pressure_falls_back_to_the_load(found: Any) -> None:
    files = {"proc/pressure/cpu": None, "proc/loadavg": "9.50 1.00 1.00 1/1 1\n"}
    assert found("cpu-pressure", files=files).status == "warn"
    assert found("cpu-pressure", files={"proc/pressure/cpu": None}).status == "unknown"


def test_tracefs_that_is_not_mounted_is_unknown(found: Any) -> None:
    one = found("tracing", files=without(TUNED, "kernel/tracing"))
    assert (one.status, one.reason) == ("unknown", "tracefs is not mounted")
    assert found("tracing", files={"sys/kernel/tracing/set_event": "sched:sched_switch\n"}).status == "warn"


def test_the_configuration_is_packed_or_beside_the_kernel_or_unknown(found: Any, tmp_path: Path) -> None:
    assert found("debug-kernel", files=without(TUNED, "boot/")).status == "unknown"
    tree = tree_of(tmp_path / "packed", {k: v for k, v in TUNED.items() if not k.startswith("boot/")})
    (tmp_path / "packed/proc/config.gz").write_bytes(gzip.compress(b"CONFIG_KASAN=y\nCONFIG_HZ=250\n"))
    assert finding(tree, "debug-kernel").observed == "KASAN; HZ=250"
    (tmp_path / "packed/proc/config.gz").write_bytes(gzip.compress(b"CONFIG_KASAN=y\n" * 9)[:-9])
    assert finding(tree, "debug-kernel").status == "unknown"
    (tmp_path / "packed/proc/config.gz").write_bytes(gzip.compress(b"\0" * (64 << 20)))
    assert finding(tree, "debug-kernel").status == "unknown"


# Interrupts


def test_irqbalance_with_banned_cpus_is_fine(found: Any) -> None:
    running = {"proc/30/comm": "irqbalance\n"}
    assert found("irqbalance", files=running).observed == "running, CPU 2-3 not banned"
    banned = {**running, "etc/default/irqbalance": '#IRQBALANCE_BANNED_CPULIST=0\nIRQBALANCE_BANNED_CPULIST="2-3"\n'}
    assert found("irqbalance", files=banned).status == "pass"
    assert found("irqbalance", files={".dockerenv": ""}).status == "unknown"


def test_the_effective_affinity_wins_over_the_allowed_one(found: Any) -> None:
    wide = {"proc/irq/24/smp_affinity_list": "0-3\n"}
    assert found("irq-affinity", files=wide).status == "pass"
    one = found("irq-affinity", files={**wide, "proc/irq/24/effective_affinity_list": "2\n"})
    assert (one.status, one.observed) == ("fail", "1 of 1: 24 eth1-TxRx-0")
    assert one.fix.commands == ("echo 0-1 > /proc/irq/24/smp_affinity_list",)
    assert one.fix.undo == ("echo 0-3 > /proc/irq/24/smp_affinity_list",)
    assert "EIO" in one.fix.summary


def test_interrupts_are_told_by_source(found: Any) -> None:
    text = INTERRUPTS.format(nic=5, loc=1000, iso=260).replace("10         10          0          0", "10 10 4 0")
    one = found("interrupts", later={"proc/interrupts": text})
    assert (one.status, one.observed) == ("fail", "the timer and 1 other source")
    assert [each.text for each in one.measured] == ["250 timer interrupts a second", "4 RES in 1 s"]


# Memory


@pytest.mark.parametrize(("text", "status"), [("[always] madvise never", "fail"), ("always madvise [never]", "pass")])
def test_the_choice_in_brackets_counts(found: Any, text: str, status: str) -> None:
    assert found("transparent-huge-pages", files={f"{THP}/enabled": text}).status == status


def test_defrag_does_not_matter_without_huge_pages(found: Any) -> None:
    files = {f"{THP}/defrag": "[always] madvise never", f"{THP}/khugepaged/defrag": "1"}
    assert found("thp-defrag", files=files).status == "warn"
    assert found("thp-defrag", files={**files, f"{THP}/enabled": "always madvise [never]"}).status == "pass"


def test_ksm_that_stopped_may_leave_merged_pages(found: Any) -> None:
    assert found("ksm", files={"sys/kernel/mm/ksm/pages_sharing": "9"}).status == "fail"
    assert found("ksm", files={"sys/kernel/mm/ksm/pages_sharing": "9", "sys/kernel/mm/ksm/run": "2"}).status == "pass"


def test_swap_of_the_host_may_be_closed_to_a_container(found: Any) -> None:
    swap = {"proc/swaps": "Filename Type\n/dev/sda2 partition\n"}
    assert found("swap", UNTUNED, swap).status == "fail"
    assert found("swap", UNTUNED, {**swap, "sys/fs/cgroup/user.slice/memory.swap.max": "0\n"}).status == "pass"


def test_a_capability_lifts_the_limit_of_locked_memory(found: Any) -> None:
    assert found("memory-lock-limit", RLIMIT_MEMLOCK=8 << 20).observed == "8,192 KiB"
    capable = {"proc/self/status": "CapEff:\t0000000000004000\nCpus_allowed_list:\t0-3\n"}
    assert found("memory-lock-limit", files=capable, RLIMIT_MEMLOCK=8 << 20).status == "pass"


def test_numa_balancing_of_a_kernel_for_one_node_is_absent(found: Any) -> None:
    assert found("numa-balancing", files={"proc/sys/kernel/numa_balancing": None}).status == "not applicable"


@pytest.mark.parametrize(("node", "status"), [("0", "pass"), ("1", "warn"), ("-1", "unknown")])
def test_a_card_of_node_minus_one_tells_nothing(found: Any, node: str, status: str) -> None:
    files = {"sys/class/net/eth1/device/numa_node": node, "sys/devices/system/node/node1/cpulist": "\n"}
    assert found("node-locality", files=files).status == status


def test_writeback_limits_in_bytes_replace_the_ratios(found: Any) -> None:
    files = {"proc/sys/vm/dirty_bytes": "1000000", "proc/sys/vm/dirty_background_bytes": "100000"}
    ratios = {"proc/sys/vm/dirty_ratio": "0", "proc/sys/vm/dirty_background_ratio": "0"}
    assert found("dirty-writeback", UNTUNED, {**files, **ratios}).status == "pass"


# Clock, network, limits


@pytest.mark.parametrize(
    ("source", "on_metal", "in_guest"),
    [
        ("tsc", "pass", "pass"),
        ("kvm-clock", "fail", "pass"),
        ("hyperv_clocksource_tsc_page", "fail", "pass"),
        ("hpet", "fail", "fail"),
        ("acpi_pm", "fail", "fail"),
        ("arch_sys_counter", "pass", "pass"),
    ],
)
def test_paravirtual_clock_sources_are_good_in_guests(found: Any, source: str, on_metal: str, in_guest: str) -> None:
    files = {"sys/devices/system/clocksource/clocksource0/current_clocksource": source}
    assert found("clock-source", TUNED, files).status == on_metal
    assert found("clock-source", GUEST, files).status == in_guest


def test_a_guest_that_hides_the_flags_is_warned_and_bare_metal_fails(found: Any) -> None:
    assert found("tsc-flags", TUNED, {"proc/cpuinfo": "flags : tsc\n"}).status == "fail"
    assert found("tsc-flags", GUEST, {"proc/cpuinfo": "flags : tsc hypervisor\n"}).status == "warn"


def test_a_library_call_that_costs_a_system_call_is_one(found: Any) -> None:
    assert found("clock-read-cost", vdso_ns=240.0).observed == "a system call"
    assert found("clock-read-cost", vdso_ns=110.0).observed == "slow"


def test_an_offset_within_its_bound_is_no_evidence(found: Any) -> None:
    assert found("tsc-synchronization", skews=(CounterSkew(0, 1, 40.0, 50.0, 9, 0),)).status == "pass"
    assert found("tsc-synchronization", skews=(CounterSkew(0, 1, 60.0, 50.0, 9, 0),)).status == "warn"
    assert found("tsc-synchronization", skews=(CounterSkew(0, 1, 0.0, 50.0, 9, 1),)).status == "warn"


def test_a_log_that_lost_the_boot_is_no_verdict(found: Any) -> None:
    assert found("kernel-clock-verdict", log=("eth0: link up",)).status == "unknown"
    refused = unknown("/dev/kmsg", explain_os_error(PermissionError(1, "x"), "/dev/kmsg"))
    assert found("kernel-clock-verdict", log=refused).status == "unknown"
    apart = found(
        "kernel-clock-verdict", log=("Linux version 6", "tsc: Refined TSC clocksource calibration: 2001.000 MHz")
    )
    assert (apart.status, apart.measured[0].what) == ("warn", "ppm apart from our calibration")


def test_time_of_a_container_is_its_hosts(found: Any) -> None:
    one = found("time-synchronization", files={".dockerenv": ""}, time=TimeState(False, 0.0, 0))
    assert "on the host of the container" in one.fix.summary


def test_a_driver_that_does_not_answer_is_not_applicable(found: Any) -> None:
    refused = not_applicable("ETHTOOL_GCOALESCE of eth1", "the driver does not answer: Operation not supported")
    assert found("interrupt-coalescing", coalescing=refused).status == "not applicable"
    assert found("interrupt-coalescing", files=without(TUNED, "net/eth1")).reason == "no network interface has a device"


def test_root_without_a_budget_is_refused_and_the_cause_named(found: Any) -> None:
    capable = {"proc/self/status": "CapEff:\t0000000000800000\nCpus_allowed_list:\t0-3\n"}
    one = found("real-time-priority", files=capable, fifo=False, RLIMIT_RTPRIO=0)
    assert one.status == "warn" and "no real-time budget (cpu.rt_runtime_us)" in one.observed
    assert found("real-time-priority", RLIMIT_RTPRIO=50).observed == "works up to priority 50"


def test_a_cpu_that_cannot_be_pinned_to(found: Any) -> None:
    one = found("affinity-right", affinity={2: None, 3: "the rest is outside the cpuset"})
    assert (one.status, one.observed) == ("warn", "refused for CPU 3: the rest is outside the cpuset")


def test_py_cpuinfo_may_disagree(found: Any) -> None:
    agrees = {"brand_raw": "Xeon", "flags": ["fpu", "tsc", "constant_tsc", "nonstop_tsc", "vmx", "own"]}
    assert found("processor-identity", cpuinfo=agrees).status == "pass"
    one = found("processor-identity", cpuinfo={"brand_raw": "Pentium", "flags": ["fpu"], "l2_cache_line_size": 1024})
    assert one.status == "info"
    assert "name 'Pentium' by py-cpuinfo, 'Xeon' by the kernel" in one.observed
    assert "4 flags missing in py-cpuinfo: constant_tsc, nonstop_tsc, tsc" in one.observed
    assert "L2 line 1024 B by py-cpuinfo" in one.observed


def test_cache_sizes_of_one_instance_and_of_all_are_both_right(found: Any) -> None:
    cache = {f"{CPU}/cpu{cpu}/cache/index0/{name}": text for cpu in range(4) for name, text in CACHE.items()}
    shared = {f"{CPU}/cpu{cpu}/cache/index0/shared_cpu_list": f"{cpu}\n" for cpu in range(4)}
    for size, status in ((2 << 20, "pass"), (8 << 20, "pass"), (3 << 20, "info")):
        assert found("processor-identity", files={**cache, **shared}, cpuinfo={"l2_cache_size": size}).status == status


CACHE = {"level": "2\n", "type": "Unified\n", "size": "2048K\n", "coherency_line_size": "64\n"}


def test_a_capture_has_no_measurements(tmp_path: Path) -> None:
    host = ExaminedHost(tree_of(tmp_path, GUEST))
    (one,) = examine(host, select(["steal"])).findings
    assert (one.status, one.observed, one.reason) == ("unknown", "0 s since boot", NOT_CAPTURED)
