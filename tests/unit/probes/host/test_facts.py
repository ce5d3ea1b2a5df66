"""Host facts appear beside every figure: a missing fact says so, and never looks like a good one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lowlat.documents import values
from lowlat.probes.host.facts import host_facts
from lowlat.probes.host.host_tree import FolderTree
from lowlat.probes.host.virtualization import virtualization
from lowlat.probes.reading import Reading, known, not_applicable, unknown
from tests.effort import effort, start_interpreter


def tree_of(root: Path, files: dict[str, str | bytes]) -> FolderTree:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return FolderTree(root)


SERVER: dict[str, str | bytes] = {
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: Xeon 8592\nflags\t\t: fpu tsc\nprocessor\t: 1\n",
    "proc/cmdline": "root=/dev/sda1 isolcpus=1 nohz_full=1\n",
    "proc/meminfo": "MemTotal:       16 kB\nMemFree: 8 kB\n",
    "proc/loadavg": "0.50 1.00 2.00 1/234 5678\n",
    "proc/stat": "cpu  10 0 20 60 0 0 0 10 0 0\ncpu0 10 0 20 60 0 0 0 10 0 0\n",
    "proc/sys/kernel/osrelease": "6.12.0\n",
    "proc/self/status": "Name:\tbash\nCpus_allowed_list:\t0-1\n",
    "sys/devices/system/cpu/online": "0-1\n",
    "sys/devices/system/cpu/present": "0-1\n",
    "sys/devices/system/cpu/isolated": "1\n",
    "sys/devices/system/cpu/nohz_full": b"(null)\n\0",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "powersave\n",
    "sys/devices/system/cpu/intel_pstate/no_turbo": "1\n",
    "sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
}


def test_bare_metal_server(tmp_path: Path) -> None:
    facts = host_facts(tree_of(tmp_path, SERVER))
    assert facts.cpu_brand.value == "Xeon 8592"
    assert facts.logical_cpus.value == 2
    assert facts.allowed_cpus == (0, 1)
    assert facts.kernel_release.value == "6.12.0"
    assert facts.kernel_cmdline.value == "root=/dev/sda1 isolcpus=1 nohz_full=1"
    assert facts.governor.value == "performance, powersave"
    assert facts.turbo.value is False
    assert facts.isolated_cpus.value == (1,)
    assert facts.nohz_full_cpus.value == ()
    assert facts.clocksource.value == "tsc"
    assert facts.steal_percent.value == 10.0
    assert facts.load_average.value == (0.5, 1.0, 2.0)
    assert facts.memory_total_bytes.value == 16 * 1024
    assert facts.transparent_huge_pages.value == "madvise"
    assert facts.virtualization.text == "bare metal as far as can be seen"


def test_host_that_shows_nothing_gives_reasons_not_values(tmp_path: Path) -> None:
    facts = host_facts(FolderTree(tmp_path))
    document = values(facts)
    for name, fact in document.items():
        if isinstance(fact, dict) and "status" in fact:
            assert fact["value"] is None, name
            assert fact["reason"], name
    assert facts.turbo.text == (
        "not available here, because the kernel shows no switch for it (in a guest, the host has it)"
    )
    assert facts.nohz_full_cpus.status == "not applicable"
    json.dumps(document, allow_nan=False)


def arm_cores(*cores: tuple[str, str]) -> str:
    return "\n".join(
        f"processor : {number}\nCPU implementer : {maker}\nCPU part : {part}\n"
        for number, (maker, part) in enumerate(cores)
    )


@pytest.mark.parametrize(
    ("cores", "brand"),
    [
        ([("0x41", "0xd40")] * 2, "Arm Neoverse-V1"),
        ([("0x41", "0xd05")] * 2 + [("0x41", "0xd0b")] * 2, "Arm Cortex-A55, Arm Cortex-A76"),
        ([("0xc0", "0xac3")], "Ampere Ampere-1"),
        ([("0x41", "0x001")], "Arm implementer 0x41 part 0x001"),  # 0x46 0x001 is Fujitsu's
        ([("0x41", "²")], "Arm implementer 0x41 part ²"),
        ([("", "9" * 5_000)], "Arm implementer ? part " + "9" * 5_000),
    ],
)
def test_arm_has_the_names_of_its_cores(tmp_path: Path, cores: list[tuple[str, str]], brand: str) -> None:
    tree = tree_of(tmp_path, {"proc/cpuinfo": arm_cores(*cores)})
    assert host_facts(tree).cpu_brand.value == brand


def test_boost_file_counts_the_other_way(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, {"sys/devices/system/cpu/cpufreq/boost": "1\n"})
    assert host_facts(tree).turbo.value is True


def test_garbled_files_are_unknown(tmp_path: Path) -> None:
    tree = tree_of(
        tmp_path,
        {
            "sys/devices/system/cpu/isolated": "3-1",
            "proc/loadavg": "high",
            "proc/meminfo": "",
            "proc/stat": "cpu 1 2 3",
        },
    )
    facts = host_facts(tree)
    assert facts.isolated_cpus.status == "unknown"
    assert "'3-1' is not a CPU list" in str(facts.isolated_cpus.reason)
    assert facts.load_average.status == "unknown"
    assert facts.memory_total_bytes.status == "unknown"
    assert facts.steal_percent.value is None


POD_MOUNTS = """\
1234 1 0:120 / / rw,relatime master:1 - overlay overlay rw
1250 1234 259:1 /var/lib/kubelet/pods/0f/etc-hosts /etc/hosts rw - ext4 /dev/nvme0n1p1 rw
"""
HOST_MOUNTS = """\
25 1 259:1 / / rw,relatime - ext4 /dev/nvme0n1p1 rw
88 25 0:120 / /run/containerd/io.containerd.runtime.v2.task/k8s.io/1/rootfs rw - overlay overlay rw
89 25 0:121 / /var/lib/docker/overlay2/2/merged rw - overlay overlay rw,upperdir=/var/lib/docker/overlay2/2/diff
90 25 0:122 / /var/lib/lxcfs rw - fuse.lxcfs lxcfs rw
91 25 259:1 /var/lib/kubelet/pods/0f/volumes/x /var/lib/kubelet/pods/0f/volume-subpaths/x rw - ext4 /dev/nvme0n1p1 rw
"""
"""A host that runs containers has their mounts too, at other places."""


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({"sys/class/dmi/id/product_name": "KVM Virtual\n"}, "KVM guest"),
        ({"sys/class/dmi/id/sys_vendor": "Amazon EC2\n"}, "Amazon EC2 guest"),
        (
            {"sys/class/dmi/id/product_name": "m7i.metal\n", "sys/class/dmi/id/sys_vendor": "Amazon EC2\n"},
            "bare metal as far as can be seen",
        ),
        ({"sys/hypervisor/type": "xen\n"}, "Xen guest"),
        (
            {
                "sys/hypervisor/type": "xen\n",
                "proc/xen/capabilities": "control_d\n",
                "lowlat/facts.json": '{"hypervisor_signature": "XenVMMXenVMM"}',
            },
            "Xen control domain (dom0)",
        ),
        ({"lowlat/facts.json": '{"hypervisor_signature": "XenVMMXenVMM"}'}, "Xen guest"),
        (
            {"sys/class/dmi/id/product_name": "r8i.metal-48xl\n", "sys/class/dmi/id/sys_vendor": "Amazon EC2\n"},
            "bare metal as far as can be seen",
        ),
        (
            {"sys/class/dmi/id/product_name": "Google Compute Engine\n", "proc/cpuinfo": "flags\t: fpu tsc\n"},
            "bare metal as far as can be seen",
        ),
        (
            {"sys/class/dmi/id/product_name": "Google Compute Engine\n", "proc/cpuinfo": "flags : hypervisor\n"},
            "Google Compute Engine guest",
        ),
        # Some hypervisors hide the flag, but no one sells a machine named QEMU.
        ({"sys/class/dmi/id/sys_vendor": "QEMU\n", "proc/cpuinfo": "flags\t: fpu tsc\n"}, "QEMU guest"),
        ({"sys/firmware/devicetree/base/hypervisor/compatible": b"linux,kvm\0"}, "KVM guest"),
        ({"proc/cpuinfo": "flags\t: fpu hypervisor\n"}, "unnamed hypervisor guest"),
        ({"proc/1/cgroup": "0::/kubepods.slice/pod1\n"}, "Kubernetes container"),
        ({"proc/1/cgroup": "1:cpu:/docker/0123\n"}, "Docker container"),
        ({"run/systemd/container": "lxc\n"}, "lxc container"),
        ({"proc/1/environ": b"PATH=/bin\0container=lxc\0X=\0"}, "lxc container"),
        ({"proc/1/environ": b"PATH=/bin\0not_container=lxc\0"}, "bare metal as far as can be seen"),
        (
            {"proc/version": "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016\n", ".dockerenv": ""},
            "gVisor container",
        ),
        ({"proc/self/mountinfo": POD_MOUNTS}, "Kubernetes container"),
        (
            {"proc/self/mountinfo": "9 8 0:1 / / rw - overlay overlay rw,upperdir=/var/lib/containerd/io.x/1/fs\n"},
            "containerd container",
        ),
        (
            {"proc/self/mountinfo": "9 8 0:1 / /proc/uptime rw - fuse.lxcfs lxcfs rw\n"},
            "LXC container",
        ),
        ({"proc/self/mountinfo": HOST_MOUNTS}, "bare metal as far as can be seen"),
    ],
)
def test_virtualization(tmp_path: Path, files: dict[str, str | bytes], text: str) -> None:
    assert virtualization(tree_of(tmp_path, files)).text == text


def test_live_facts_cost_less_than_a_process() -> None:
    host_facts()
    ten_times = 10
    assert effort(lambda: [host_facts() for _ in range(ten_times)], start_interpreter) < ten_times


def test_three_states_of_a_reading() -> None:
    assert known(0, "file").status == "known"
    assert unknown("file", "permission denied").status == "unknown"
    assert not_applicable("file", "no such knob").status == "not applicable"
    assert known(0, "file").text == "0"
    assert unknown("file", "x").text == "not available here, because x"


def test_json_form_of_probe_data() -> None:
    reading: Reading[tuple[int, ...]] = known((1, 2), "file")
    assert values(reading) == {"status": "known", "value": [1, 2], "source": "file"}
    assert values({2: frozenset({3, 1})}) == {"2": [1, 3]}
    with pytest.raises(TypeError, match="object has no JSON form"):
        values(object())
