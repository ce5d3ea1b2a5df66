"""The text of a kernel, as any host may print it: nothing is refused, and all of it becomes a document.

An input is a host's files, each behind a line `== PATH`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final
from unittest import mock

from lowlat import documents
from lowlat.fleet.host_facts import differing_facts
from lowlat.probes.clock.sources import counter_flags
from lowlat.probes.cpu import cpu_sets
from lowlat.probes.cpu.affinity import allowed_cpus
from lowlat.probes.cpu.cpulist import parse_cpu_list
from lowlat.probes.doctor import counters as doctor_counters
from lowlat.probes.doctor.check import Check, judge
from lowlat.probes.doctor.counters import CounterWindow
from lowlat.probes.doctor.examination import examine
from lowlat.probes.doctor.examined_host import ExaminedHost
from lowlat.probes.doctor.registry import all_checks
from lowlat.probes.host.facts import host_facts
from lowlat.probes.host.host_tree import ArchiveTree, clean_text
from lowlat.probes.host.recording import folders_of, record_host
from lowlat.probes.host.redaction import Redaction
from lowlat.probes.memory.available import available_memory
from lowlat.probes.memory.process_memory import huge_pages_of_process
from lowlat.probes.memory.smaps import huge_page_bytes
from lowlat.probes.os_noise import NoiseWatch
from lowlat.probes.topology import read_topology
from lowlat.probes.topology.document import TopologyDocument
from tests.fuzz.parsers.target import Target

_CPU: Final = "sys/devices/system/cpu"
_MARK: Final = b"== "


def _files(data: bytes) -> dict[str, bytes]:
    """The content of each file by its path."""
    parts = (part.partition(b"\n") for part in (b"\n" + data).split(b"\n" + _MARK)[1:])
    return {path.decode("utf-8", "replace").strip("/"): text + b"\n" for path, _, text in parts}


def _tree(data: bytes) -> ArchiveTree:
    return ArchiveTree("host", _files(data), {})


def _input(files: dict[str, str]) -> bytes:
    return b"\n".join(_MARK + f"{path}\n{text.strip()}".encode() for path, text in files.items())


# -- host ------------------------------------------------------------------------------------------------------------

_HOST: Final = {
    "proc/cpuinfo": "processor : 0\nmodel name : Some CPU\nflags : fpu tsc constant_tsc hypervisor\nmicrocode : 0x2a",
    "proc/cmdline": "root=/dev/vda isolcpus=1 nohz_full=1 quiet",
    "proc/stat": "cpu 9 0 3 900 1 0 0 7 0 0\ncpu0 5 0 2 400 1 0 0 7 0 0",
    "proc/meminfo": "MemTotal: 65536 kB\nMemAvailable: 4096 kB\nHugePages_Total: 2\nHugepagesize: 2048 kB",
    "proc/loadavg": "0.10 0.20 0.30 1/99 1234",
    "proc/interrupts": "  CPU0 CPU1\n 36: 9 0 PCI-MSI 5-edge virtio1-req.0\nLOC: 77 88 Local timer interrupts\nERR: 0",
    "proc/irq/36/smp_affinity_list": "0-1",
    "proc/irq/default_smp_affinity": "3",
    "proc/self/status": "CapEff:\t000001ffffffffff\nCpus_allowed_list:\t0-1\nMems_allowed_list:\t0",
    "proc/self/cgroup": "0::/user.slice",
    "proc/self/smaps": "7f00-7fff rw-p 0 00:00 0\nSize: 4 kB\nAnonHugePages: 2048 kB",
    "proc/self/smaps_rollup": "7f00-7fff ---p\nAnonHugePages: 2048 kB",
    "proc/sys/kernel/osrelease": "6.12.0-1-amd64",
    "proc/sys/kernel/hostname": "trader-7",
    "proc/sys/kernel/watchdog": "1",
    "proc/sys/vm/dirty_ratio": "20",
    "proc/sys/vm/dirty_background_ratio": "10",
    "proc/sys/net/core/busy_read": "50",
    "proc/pressure/cpu": "some avg10=0.12 avg60=0.00 avg300=0.00 total=5",
    "proc/swaps": "Filename Type Size Used Priority\n/dev/vdb partition 8 0 -2",
    "proc/7/comm": "irqbalance",
    "proc/7/task/7/stat": "7 (a (b) c) S " + "1 " * 34 + "1 0 0",
    f"{_CPU}/online": "0-1",
    f"{_CPU}/possible": "0-3",
    f"{_CPU}/isolated": "1",
    f"{_CPU}/nohz_full": "1",
    f"{_CPU}/smt/control": "on",
    f"{_CPU}/vulnerabilities/meltdown": "Mitigation: PTI",
    f"{_CPU}/cpu0/topology/core_cpus": "3",
    f"{_CPU}/cpu0/topology/package_cpus_list": "0-1",
    f"{_CPU}/cpu0/topology/physical_package_id": "0",
    f"{_CPU}/cpu0/cache/index0/level": "1",
    f"{_CPU}/cpu0/cache/index0/type": "Data",
    f"{_CPU}/cpu0/cache/index0/size": "32K",
    f"{_CPU}/cpu0/cache/index0/shared_cpu_map": "3",
    f"{_CPU}/cpu0/cpufreq/scaling_governor": "powersave",
    f"{_CPU}/cpu0/cpufreq/scaling_cur_freq": "2400000",
    f"{_CPU}/cpu0/cpuidle/state1/name": "C1",
    f"{_CPU}/cpu0/cpuidle/state1/latency": "133",
    "sys/devices/system/node/online": "0",
    "sys/devices/system/node/node0/cpulist": "0-1",
    "sys/devices/system/node/node0/distance": "10 21",
    "sys/devices/system/node/node0/meminfo": "Node 0 MemTotal: 65536 kB\nNode 0 MemFree: 4096 kB",
    "sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
    "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "2",
    "sys/fs/cgroup/cgroup.controllers": "cpu cpuset",
    "sys/fs/cgroup/cpu.max": "max 100000",
    "sys/fs/cgroup/user.slice/cpu.max": "50000 100000",
    "sys/fs/cgroup/user.slice/cpu.stat": "nr_periods 9\nnr_throttled 2\nthrottled_usec 900",
    "sys/fs/cgroup/user.slice/memory.max": "1073741824",
    "sys/fs/cgroup/user.slice/memory.current": "4096",
    "sys/fs/cgroup/user.slice/cpuset.cpus.effective": "0-1",
    "sys/class/net/eth0/device/numa_node": "0",
    "sys/class/net/eth0/device/msi_irqs/36": "msix",
    "sys/class/net/eth0/queues/rx-0/rps_cpus": "00000003",
    "sys/class/dmi/id/sys_vendor": "QEMU",
    "sys/class/dmi/id/product_serial": "SN-1234",
    "lowlat/facts.json": '{"hypervisor_signature": "KVMKVMKVM", "affinity": "0-1"}',
}


def _read_host(data: bytes, _folder: Path) -> None:
    """One in two records, those of even length, is without what says whose host it is."""
    tree = _tree(data)
    found = TopologyDocument.of(read_topology(tree))
    host = ExaminedHost(tree, chosen=(1,))
    for document in (found, host_facts(tree), examine(host, all_checks())):
        json.loads(documents.text(document))
    for name, text in differing_facts(tree).items():
        assert name and text, "a fact has a name and a text"
    for read in (available_memory, huge_pages_of_process, counter_flags, allowed_cpus):
        read(tree)
    huge_page_bytes([0x7F80], tree)
    record = record_host(tree, None if len(data) % 2 else Redaction(tree))
    again = TopologyDocument.of(read_topology(ArchiveTree("host", record.files, {}, folders_of(record))))
    assert again == found or not len(data) % 2, "a record of the host gives the same topology"


def _plant_host() -> None:
    """A reader that takes every list of CPUs for one."""
    believing = mock.Mock(side_effect=lambda text: parse_cpu_list(text, allow_empty=True))
    mock.patch.object(cpu_sets, "cpus_of_list", believing).start()


HOST = Target(
    "host",
    _read_host,
    lambda: [_input(_HOST)],
    _plant_host,
    (
        "probes/host/facts.py",
        "probes/host/cgroup.py",
        "probes/host/recording.py",
        "probes/host/virtualization.py",
        "probes/cpu/cpu_sets.py",
        "probes/topology/interrupts.py",
        "probes/topology/nodes.py",
        "probes/memory/smaps.py",
        "probes/memory/available.py",
    ),
    (),
)

# -- counters --------------------------------------------------------------------------------------------------------

_COUNTED: Final = {
    "proc/interrupts": _HOST["proc/interrupts"],
    "proc/softirqs": "     CPU0 CPU1\nTIMER: 5 6\nSCHED: 7 8",
    "proc/stat": "cpu 9 0 3 900 1 0 0 7 0 0\ncpu0 5 0 2 400 1 0 0 7 0 0\ncpu1 5 0 2 400 1 0 0 7 0 0",
    "proc/vmstat": "pgmajfault 5\ncompact_stall 0\nallocstall_normal 1\nnuma_pages_migrated 0",
    "proc/thread-self/sched": "bench (7, #threads: 1)\nse.nr_migrations : 3\nnr_switches : 9",
    "proc/thread-self/schedstat": "900 7 3",
    "proc/self/cgroup": "0::/user.slice",
    "sys/fs/cgroup/user.slice/cpu.stat": "nr_periods 9\nnr_throttled 2\nthrottled_usec 900",
    "sys/fs/cgroup/user.slice/cpu.max": "50000 100000",
    f"{_CPU}/online": "0-1",
    f"{_CPU}/isolated": "1",
    f"{_CPU}/cpu1/cpuidle/state3/name": "C6",
    f"{_CPU}/cpu1/cpuidle/state3/latency": "133",
    f"{_CPU}/cpu1/cpuidle/state3/usage": "99",
}
_COUNTING: Final = [
    check for checks in all_checks().values() for check in checks if type(check).counters is not Check.counters
]


def _read_counters(data: bytes, _folder: Path) -> None:
    """The files are those at the end of the second; at its beginning they are the seed's."""
    before, after = _tree(_input(_COUNTED)), _tree(data)
    texts = [{path: clean_text(text) for path, text in _files(each).items()} for each in (_input(_COUNTED), data)]
    host = ExaminedHost(after, chosen=(0, 1), counters=CounterWindow(texts[0], texts[1], 1.0))
    for check in _COUNTING:
        json.loads(documents.text(judge(check, "counters", host)))
    watch = NoiseWatch(1, before)
    watch.start()
    watch._tree = after
    noise = watch.stop()
    assert all(isinstance(why, str) for why in noise.reasons), "what disturbed is said in words"


def _plant_counters() -> None:
    """A reader that takes every count for a number."""
    mock.patch.object(doctor_counters, "parse_integer", int).start()


COUNTERS = Target(
    "counters",
    _read_counters,
    lambda: [_input(_COUNTED)],
    _plant_counters,
    ("probes/doctor/counters.py", "probes/os_noise.py", "probes/doctor/interrupts.py", "probes/doctor/cpu_time.py"),
    (),
)
