"""Detects guests and containers, where the hypervisor or host decides much of what the kernel shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from lowlat.probes.host.host_tree import LIVE, HostTree
from lowlat.probes.reading import Reading, known

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

_RUNTIME_MOUNT = re.compile(r"(?:\S+ ){4}(/|/etc/host(s|name)|/etc/resolv\.conf|/dev/termination-log|/proc/\w+) ")
"""A line of `/proc/self/mountinfo` by its fifth field, the mount point."""

_MOUNT_OWNERS = (
    (re.compile(r"/kubelet/pods/"), "Kubernetes"),
    (re.compile(r"/docker/(containers|overlay2)/"), "Docker"),
    (re.compile(r"/containerd/"), "containerd"),
    (re.compile(r"/containers/storage/|/libpod/"), "Podman"),
    (re.compile(r"sysboxfs"), "Sysbox"),
    (re.compile(r"lxcfs"), "LXC"),
)
"""Whose folders a container's own files come from; a pod's are Kubernetes's, whichever runtime started it."""

_RENTS_BARE_METAL = frozenset(("Amazon EC2", "Google Compute Engine", "Alibaba Cloud", "OpenStack"))
"""Clouds whose firmware has the same names on whole machines as on virtual ones."""

_METAL = re.compile(r"\.metal(-[0-9]+xl)?$|-metal$")
"""Product names of whole machines: m7i.metal-48xl on EC2, c3-highmem-192-metal on GCE."""

_GVISOR_BUILT = "Sun Jan 10 15:06:54 PST 2016"

XEN_CONTROL_DOMAIN = "Xen dom0"


@dataclass(frozen=True, slots=True)
class Virtualization:
    """What stands between the kernel and the hardware, and between the process and the kernel.

    A reading with no value means that no sign was found, which `reason` words: not that there is none.
    """

    hypervisor: Annotated[Reading[str], Meta(description="Between the kernel and the hardware, e.g. KVM")]
    container: Annotated[Reading[str], Meta(description="Between the process and the kernel, e.g. Docker")]

    @property
    def guest_view(self) -> bool:
        """Whether a hypervisor was found, which may run CPUs anywhere and invent what they share."""
        return self.hypervisor.value is not None

    @property
    def text(self) -> str:
        """One line: "KVM guest, Docker container", or "bare metal as far as can be seen"."""
        parts = []
        if self.hypervisor.value == XEN_CONTROL_DOMAIN:
            parts.append("Xen control domain (dom0)")
        elif self.hypervisor.value is not None:
            parts.append(f"{self.hypervisor.value} guest")
        if self.container.value is not None:
            parts.append(f"{self.container.value} container")
        return ", ".join(parts) or "bare metal as far as can be seen"


def virtualization(tree: HostTree = LIVE) -> Virtualization:
    """Look for a hypervisor and a container."""
    return Virtualization(_hypervisor(tree), _container(tree))


def _hypervisor(tree: HostTree) -> Reading[str]:
    for find in (_xen_control_domain, _from_cpuid, _from_dmi, _from_sys_hypervisor, _from_device_tree, _from_cpu_flag):
        found = find(tree)
        if found is not None:
            return found
    files = ("sys/class/dmi/id/product_name", "sys/hypervisor/type", "proc/cpuinfo")
    sources = "CPUID, DMI, /sys/hypervisor, device tree, /proc/cpuinfo"
    return tree.absence(sources, "no hypervisor detected", *files)


def _xen_control_domain(tree: HostTree) -> Reading[str] | None:
    """Xen's first domain has the hardware's devices, but Xen schedules its CPUs; CPUID looks as in any guest."""
    path = "proc/xen/capabilities"
    if "control_d" not in (tree.text(path) or ""):
        return None
    return known(XEN_CONTROL_DOMAIN, f"read from /{path}: it has control_d")


def _from_cpuid(tree: HostTree) -> Reading[str] | None:
    signature = tree.fact("hypervisor_signature")  # in a snapshot, that of the captured host
    if not signature:
        return None
    return known(_SIGNATURES.get(signature, signature), f"CPUID leaf 0x40000000 says {signature!r}")


def _from_dmi(tree: HostTree) -> Reading[str] | None:
    for name in ("product_name", "sys_vendor", "board_vendor", "bios_vendor"):
        path = f"sys/class/dmi/id/{name}"
        text = tree.text(path) or ""
        for part, hypervisor in _DMI:
            if part in text and not (hypervisor in _RENTS_BARE_METAL and _is_bare_metal(tree)):
                return known(hypervisor, f"read from /{path}: {text!r}")
    return None


def _is_bare_metal(tree: HostTree) -> bool:
    """Whether a cloud's machine is a whole one: by its product name, else by the flag that every x86 guest has."""
    if _METAL.search(tree.text("sys/class/dmi/id/product_name") or ""):
        return True
    flags = _cpu_flags(tree)
    return flags is not None and "hypervisor" not in flags


def _from_sys_hypervisor(tree: HostTree) -> Reading[str] | None:
    text = tree.text("sys/hypervisor/type")
    return known(text.capitalize(), "read from /sys/hypervisor/type") if text else None


def _from_device_tree(tree: HostTree) -> Reading[str] | None:
    path = "sys/firmware/devicetree/base/hypervisor/compatible"
    text = tree.text(path)
    if not text:
        return None
    return known("KVM" if "kvm" in text else "Xen" if "xen" in text else text, f"read from /{path}: {text!r}")


def _from_cpu_flag(tree: HostTree) -> Reading[str] | None:
    if "hypervisor" in (_cpu_flags(tree) or ()):
        return known("unnamed hypervisor", "flag hypervisor in /proc/cpuinfo")
    if re.search(r"^vendor_id.*User Mode Linux$", tree.text("proc/cpuinfo") or "", re.MULTILINE):
        return known("User Mode Linux", "vendor_id in /proc/cpuinfo")
    return None


def _cpu_flags(tree: HostTree) -> list[str] | None:
    """The first processor's flags; None where the kernel prints none, as on Arm."""
    match = re.search(r"^flags\s*:(.*)$", tree.text("proc/cpuinfo") or "", re.MULTILINE)
    return None if match is None else match[1].split()


def _container(tree: HostTree) -> Reading[str]:
    for find in (_gvisor, _from_files, _from_environment, _from_cgroup, _from_mounts, _wsl):
        found = find(tree)
        if found is not None:
            return found
    sources = "/run/systemd/container, /.dockerenv, /proc/1/cgroup, /proc/self/mountinfo"
    files = ("run/systemd/container", "proc/1/cgroup", "proc/self/mountinfo")
    return tree.absence(sources, "no container detected", *files)


def _gvisor(tree: HostTree) -> Reading[str] | None:
    """gVisor's kernel is a program, whose build date is always the same."""
    text = tree.text("proc/version") or ""
    return known("gVisor", "read from /proc/version: its build date is gVisor's") if _GVISOR_BUILT in text else None


def _from_files(tree: HostTree) -> Reading[str] | None:
    text = tree.text("run/systemd/container")
    if text:
        return known(text, "read from /run/systemd/container")
    for path, name in ((".dockerenv", "Docker"), ("run/.containerenv", "Podman")):
        if tree.exists(path):
            return known(name, f"/{path} exists")
    return None


def _from_environment(tree: HostTree) -> Reading[str] | None:
    """What the container's manager tells the first process (systemd's container interface)."""
    name = re.search(r"^container=(.+)$", container_environment(tree.zero_separated("proc/1/environ")), re.MULTILINE)
    return None if name is None else known(name[1], "read from /proc/1/environ")


def container_environment(variables: str) -> str:
    """Of the variables of the first process, a line each, those that tell of a container."""
    return "\n".join(line for line in variables.splitlines() if line.startswith("container="))


def _from_cgroup(tree: HostTree) -> Reading[str] | None:
    for path in ("proc/1/cgroup", "proc/self/cgroup"):
        text = tree.text(path) or ""
        for pattern, name in _CGROUP_OWNERS:
            if pattern.search(text):
                return known(name, f"read from /{path}")
    return None


def _from_mounts(tree: HostTree) -> Reading[str] | None:
    """By what is mounted over the container's own files: with cgroup version 2, its group is merely `/`."""
    path = "proc/self/mountinfo"
    lines = container_mounts(tree.text(path) or "")
    for pattern, name in _MOUNT_OWNERS:
        if pattern.search(lines):
            return known(name, f"read from /{path}")
    return None


def container_mounts(mountinfo: str) -> str:
    """Of the mounts, those that a container's runtime makes: its root, its own files, and files of `/proc`."""
    return "\n".join(line for line in mountinfo.splitlines() if _RUNTIME_MOUNT.match(line))


def _wsl(tree: HostTree) -> Reading[str] | None:
    version = tree.text("proc/sys/kernel/osrelease") or ""
    return known("WSL", "read from /proc/sys/kernel/osrelease") if "microsoft" in version.lower() else None
