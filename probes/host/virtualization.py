"""Detects guests and containers, where the hypervisor or host decides much of what the kernel shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from lowlat.probes.host.host_tree import LIVE, HostTree
from lowlat.probes.reading import Reading, known, not_applicable

_SIGNATURES = {
    "KVMKVMKVM": "KVM",
    "Linux KVM Hv": "KVM",
    "VMwareVMware": "VMware",
    "Microsoft Hv": "Hyper-V",
    "XenVMMXenVMM": "Xen",
    "bhyve bhyve": "bhyve",
    "BHyVE BHyVE": "bhyve",
    "TCGTCGTCGTCG": "QEMU without KVM",
    "prl hyperv": "Parallels",
    "VBoxVBoxVBox": "VirtualBox",
    "ACRNACRNACRN": "ACRN",
    "JAILHOUSE": "Jailhouse",
}
"""CPUID leaf 0x40000000, as systemd-detect-virt knows them."""

_DMI = (
    ("Firecracker", "Firecracker"),
    ("Amazon EC2", "Amazon EC2"),
    ("Google Compute Engine", "Google Compute Engine"),
    ("Virtual Machine", "Hyper-V"),
    ("VMware", "VMware"),
    ("VirtualBox", "VirtualBox"),
    ("innotek", "VirtualBox"),
    ("QEMU", "QEMU"),
    ("KVM", "KVM"),
    ("Xen", "Xen"),
    ("OpenStack", "OpenStack"),
    ("Alibaba Cloud", "Alibaba Cloud"),
    ("Parallels", "Parallels"),
)
"""What the vendor or product name of a virtual machine's firmware contains."""

_CGROUP_OWNERS = (
    (re.compile(r"/kubepods[./]"), "Kubernetes"),
    (re.compile(r"[/-]docker[-/]"), "Docker"),
    (re.compile(r"/libpod[-_]"), "Podman"),
    (re.compile(r"/(lxc|lxc\.payload)[./]"), "LXC"),
    (re.compile(r"/(containerd|cri-containerd)[-/:]"), "containerd"),
)


@dataclass(frozen=True, slots=True)
class Virtualization:
    """What stands between the kernel and the hardware, and between the process and the kernel.

    A reading with no value means that no sign was found, which `reason` words: not that there is none.
    """

    hypervisor: Annotated[Reading[str], Meta(description="Between the kernel and the hardware, e.g. KVM")]
    container: Annotated[Reading[str], Meta(description="Between the process and the kernel, e.g. Docker")]

    @property
    def text(self) -> str:
        """One line: "KVM guest, Docker container", or "bare metal as far as can be seen"."""
        parts = []
        if self.hypervisor.value is not None:
            parts.append(f"{self.hypervisor.value} guest")
        if self.container.value is not None:
            parts.append(f"{self.container.value} container")
        return ", ".join(parts) or "bare metal as far as can be seen"


def virtualization(tree: HostTree = LIVE) -> Virtualization:
    """Look for a hypervisor and a container."""
    return Virtualization(_hypervisor(tree), _container(tree))


def _hypervisor(tree: HostTree) -> Reading[str]:
    for find in (_from_cpuid, _from_dmi, _from_sys_hypervisor, _from_device_tree, _from_cpu_flag):
        found = find(tree)
        if found is not None:
            return found
    return not_applicable("CPUID, DMI, /sys/hypervisor, device tree, /proc/cpuinfo", "no hypervisor detected")


def _from_cpuid(tree: HostTree) -> Reading[str] | None:
    signature = tree.fact("hypervisor_signature")  # in a snapshot, that of the captured host
    if not signature:
        return None
    return known(_SIGNATURES.get(signature, signature), f"CPUID leaf 0x40000000 says {signature!r}")


def _from_dmi(tree: HostTree) -> Reading[str] | None:
    for name in ("product_name", "sys_vendor", "board_vendor", "bios_vendor"):
        path = f"sys/class/dmi/id/{name}"
        text = tree.text(path) or ""
        if name == "product_name" and text.endswith(".metal"):
            return None  # EC2 bare metal: the vendor name alone would suggest a guest
        for part, hypervisor in _DMI:
            if part in text:
                return known(hypervisor, f"read from /{path}: {text!r}")
    return None


def _from_sys_hypervisor(tree: HostTree) -> Reading[str] | None:
    text = tree.text("sys/hypervisor/type")
    if not text or "control_d" in (tree.text("proc/xen/capabilities") or ""):
        return None  # Xen's control domain owns the hardware
    return known(text.capitalize(), "read from /sys/hypervisor/type")


def _from_device_tree(tree: HostTree) -> Reading[str] | None:
    path = "sys/firmware/devicetree/base/hypervisor/compatible"
    text = tree.text(path)
    if not text:
        return None
    return known("KVM" if "kvm" in text else "Xen" if "xen" in text else text, f"read from /{path}: {text!r}")


def _from_cpu_flag(tree: HostTree) -> Reading[str] | None:
    for line in (tree.text("proc/cpuinfo") or "").splitlines():
        if line.startswith("flags") and "hypervisor" in line.split():
            return known("unnamed hypervisor", "flag hypervisor in /proc/cpuinfo")
        if line.startswith("vendor_id") and line.endswith("User Mode Linux"):
            return known("User Mode Linux", "vendor_id in /proc/cpuinfo")
    return None


def _container(tree: HostTree) -> Reading[str]:
    text = tree.text("run/systemd/container")
    if text:
        return known(text, "read from /run/systemd/container")
    for path, name in ((".dockerenv", "Docker"), ("run/.containerenv", "Podman")):
        if tree.exists(path):
            return known(name, f"/{path} exists")
    for path in ("proc/1/cgroup", "proc/self/cgroup"):
        text = tree.text(path) or ""
        for pattern, name in _CGROUP_OWNERS:
            if pattern.search(text):
                return known(name, f"read from /{path}")
    version = tree.text("proc/sys/kernel/osrelease") or ""
    if "microsoft" in version.lower():
        return known("WSL", "read from /proc/sys/kernel/osrelease")
    return not_applicable("/run/systemd/container, /.dockerenv, /proc/1/cgroup", "no container detected")
