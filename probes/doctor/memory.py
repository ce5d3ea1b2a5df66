"""Can a touch of memory take longer than the memory itself: pages merged, moved, swapped, or not there yet?"""

from __future__ import annotations

from typing import Final

from lowlat import units
from lowlat.probes.doctor.check import Check
from lowlat.probes.doctor.counters import CounterWindow
from lowlat.probes.doctor.examined_host import ExaminedHost
from lowlat.probes.doctor.finding import MeasuredFigure
from lowlat.probes.doctor.judgment import Judgment, bad, by_hand, good, note, sysctl, together, unclear, write
from lowlat.probes.doctor.knobs import FileCheck, NumberCheck, SysctlCheck, choice
from lowlat.probes.host.cgroup import memory_groups
from lowlat.probes.reading import Reading, known, not_applicable
from lowlat.text import is_digits

_THP: Final = "sys/kernel/mm/transparent_hugepage"
SWAPPINESS_MAX: Final = 10
VMSTAT: Final = "proc/vmstat"


class Thp(FileCheck):
    """Whether the kernel makes huge pages of any memory by itself."""

    id = "transparent-huge-pages"
    title = "transparent huge pages"
    severity = "fail"
    threshold = "never or madvise"
    consequence = "khugepaged and compaction stall threads for milliseconds"
    path = f"{_THP}/enabled"

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """With madvise, only programs that ask for them get some."""
        chosen = choice(value)
        if chosen in ("never", "madvise"):
            return good(chosen)
        if chosen != "always":
            return unclear(value[:40], f"/{self.path} selects nothing that is known")
        return bad(chosen, write(self.path, "madvise", chosen))


class ThpDefrag(FileCheck):
    """Whether a page fault waits until memory is compacted."""

    id = "thp-defrag"
    title = "defragmentation for huge pages"
    severity = "warn"
    threshold = "defrag never, defer or madvise; khugepaged/defrag 0"
    consequence = "a page fault compacts memory itself"
    path = f"{_THP}/defrag"

    daemon = f"{_THP}/khugepaged/defrag"

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """The daemon's own switch counts only if there are transparent huge pages at all."""
        chosen, daemon = choice(value), host.tree.text(self.daemon)
        never = choice(host.tree.text(f"{_THP}/enabled") or "") == "never"
        fixes, found = [], []
        if chosen is None:
            return unclear(value[:40], f"/{self.path} selects nothing")
        if chosen not in ("never", "defer", "madvise", "defer+madvise") and not never:
            found.append(f"defrag {chosen[:20]}")
            fixes.append(write(self.path, "madvise", chosen))
        if daemon not in (None, "0") and not never:
            found.append(f"khugepaged/defrag {str(daemon)[:20]}")
            fixes.append(write(self.daemon, "0", str(daemon)))
        if found:
            return bad("; ".join(found), together(fixes))
        if daemon is None and not never:
            return unclear(chosen, f"/{self.daemon} cannot be read")
        return good(f"{chosen}, khugepaged/defrag {daemon or 'off, as there are no huge pages'}")


class Ksm(NumberCheck):
    """Whether equal pages are merged."""

    id = "ksm"
    title = "kernel samepage merging"
    severity = "fail"
    threshold = "0, or 2: nothing is merged"
    consequence = "a write to a merged page faults and copies it"
    path = "sys/kernel/mm/ksm/run"
    set_to = "2"

    def is_good(self, number: int, host: ExaminedHost) -> bool:
        """2 stops it and unmerges all pages; 0 stops it and leaves them merged."""
        return number == 2 or (number == 0 and not (host.tree.integer("sys/kernel/mm/ksm/pages_sharing") or 0))


class NumaBalancing(SysctlCheck):
    """Whether the kernel moves pages between nodes by itself."""

    id = "numa-balancing"
    title = "NUMA balancing"
    severity = "fail"
    threshold = "0"
    consequence = "page faults that only ask who uses a page, and pages that move"
    sysctl = "kernel.numa_balancing"
    set_to = "0"

    def is_good(self, number: int, host: ExaminedHost) -> bool:
        """Off."""
        return number == 0


class Swap(Check[str]):
    """Whether memory can leave for a disk."""

    id = "swap"
    title = "swap"
    severity = "fail"
    threshold = f"no swap; else swappiness at most {SWAPPINESS_MAX}, zswap off, and memory locked"
    consequence = "a page fault that reads from disk takes milliseconds"

    swappiness = "proc/sys/vm/swappiness"

    def read(self, host: ExaminedHost) -> Reading[str]:
        """The list of areas in use; its first line is a heading."""
        return host.tree.reading("proc/swaps")

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """A container may be kept out of the host's swap."""
        areas = [line.split()[0] for line in value.splitlines()[1:] if line.split()]
        if not areas:
            return good("none")
        for folder in memory_groups(host.tree):
            if host.tree.text(f"{folder}/memory.swap.max") == "0":
                return good("none for this control group: memory.swap.max is 0")
        swappiness = host.tree.integer(self.swappiness)
        zswap = host.tree.text("sys/module/zswap/parameters/enabled")
        more = f" and {len(areas) - 1} more" if len(areas) > 1 else ""
        tendency = "unknown" if swappiness is None else str(swappiness)
        shown = f"{areas[0][:40]}{more}, swappiness {tendency}"
        fix = by_hand("swapoff -a, and mlockall() in the program")
        if zswap in ("Y", "1"):
            return bad(f"{shown}, zswap", fix)
        if swappiness is not None and swappiness <= SWAPPINESS_MAX:
            return bad(shown, fix, status="warn")
        found = host.tree.text(self.swappiness)
        return bad(shown, together([fix, sysctl("vm.swappiness", "10", found)]) if found else fix)


class MlockRight(Check[int]):
    """Whether this process may lock its memory."""

    id = "memory-lock-limit"
    title = "right to lock memory"
    severity = "fail"
    threshold = "RLIMIT_MEMLOCK unlimited, or CAP_IPC_LOCK"
    consequence = "mlockall fails, and pages fault later"

    capability = 14

    def read(self, host: ExaminedHost) -> Reading[int]:
        """The limit, in bytes; -1 is none."""
        live = host.on_live()
        return Reading(None, live.source, live.reason) if live.value is None else live.value.limit("RLIMIT_MEMLOCK")

    def advise(self, value: int, host: ExaminedHost) -> Judgment:
        """The capability lifts the limit."""
        shown = "unlimited" if value == -1 else f"{value / 1024:,.0f} KiB"
        if value == -1:
            return good(shown)
        if host.has_capability(self.capability):
            return good(f"{shown}, and CAP_IPC_LOCK")
        return bad(shown, by_hand("memlock in limits.conf, LimitMEMLOCK=infinity, or --ulimit memlock=-1"))


class ZoneReclaim(SysctlCheck):
    """Whether a full node is cleared before another one is used."""

    id = "zone-reclaim"
    title = "zone reclaim"
    severity = "warn"
    threshold = "0"
    consequence = "an allocation stalls until memory of its node is free"
    sysctl = "vm.zone_reclaim_mode"
    set_to = "0"

    def is_good(self, number: int, host: ExaminedHost) -> bool:
        """Off."""
        return number == 0


class ProactiveCompaction(SysctlCheck):
    """Whether memory is compacted before anyone asks."""

    id = "compaction"
    title = "proactive compaction"
    severity = "warn"
    threshold = "compaction_proactiveness 0, compact_unevictable_allowed 0"
    consequence = "kcompactd moves pages: a touch of a locked page faults"
    sysctl = "vm.compaction_proactiveness"
    set_to = "0"

    locked = "proc/sys/vm/compact_unevictable_allowed"

    def is_good(self, number: int, host: ExaminedHost) -> bool:
        """Off."""
        return number == 0

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """Both are to be 0."""
        first, locked = super().advise(value, host), host.tree.text(self.locked)
        shown = f"{first.observed} / {locked or 'unknown'}"
        if locked is None and first.status == "pass":
            return unclear(shown, f"/{self.locked} cannot be read")
        if locked in (None, "0"):
            return Judgment(shown, first.status, first.fix, reason=first.reason)
        fixes = [*([first.fix] if first.fix else []), sysctl("vm.compact_unevictable_allowed", "0", str(locked))]
        return bad(shown, together(fixes))


class ReservedHugePages(Check[dict[str, str]]):
    """How many huge pages are reserved."""

    id = "huge-pages"
    title = "huge pages reserved"
    severity = "info"
    threshold = "as many as the program needs, on its node"
    consequence = "misses of the TLB"

    nodes = "sys/devices/system/node"

    def read(self, host: ExaminedHost) -> Reading[dict[str, str]]:
        """The reserved pages of each node and size; without nodes, of the host."""
        nodes = [name for name in host.tree.names(self.nodes) if name.startswith("node") and is_digits(name[4:])]
        found: dict[str, str] = {}
        for folder in (*(f"{self.nodes}/{name}/hugepages" for name in nodes[:1024]), "sys/kernel/mm/hugepages"):
            if found and folder == "sys/kernel/mm/hugepages":
                break  # the sum of the nodes
            for size in host.tree.names(folder)[:16]:
                if text := host.tree.text(f"{folder}/{size}/nr_hugepages"):
                    found[f"{folder}/{size}"] = text
        source = f"read from /{self.nodes}/node*/hugepages/*/nr_hugepages"
        return known(found, source) if found else not_applicable(source, "the kernel has no huge pages")

    def advise(self, value: dict[str, str], host: ExaminedHost) -> Judgment:
        """Only told."""
        said = []
        for folder, text in value.items():
            if text != "0":
                free = host.tree.text(f"{folder}/free_hugepages")
                node = folder.removeprefix(f"{self.nodes}/").split("/")[0] if folder.startswith(self.nodes) else "host"
                size = folder.rsplit("hugepages-", 1)[-1]
                said.append(f"{text[:20]} of {size[:20]} on {node}, {free or '?'} free")
        return note("; ".join(said[:4]) or "none")


class StallCounters(Check[CounterWindow]):
    """Whether allocations stalled just now."""

    id = "memory-stalls"
    title = "stalls of memory"
    severity = "warn"
    threshold = "no stall while counters are compared"
    consequence = "shows which of the settings above cost time now"

    exact = ("compact_stall", "pgmajfault", "numa_pages_migrated", "thp_fault_fallback")

    def counters(self, host: ExaminedHost) -> tuple[str, ...]:
        """The counters of memory."""
        return (VMSTAT,)

    def read(self, host: ExaminedHost) -> Reading[CounterWindow]:
        """The counters at both ends of a second."""
        return host.window(VMSTAT)

    def advise(self, value: CounterWindow, host: ExaminedHost) -> Judgment:
        """Any is too many."""
        grown = value.named(VMSTAT)
        watched = {name: n for name, n in grown.items() if name in self.exact or name.startswith("allocstall")}
        if not watched:
            return unclear("", f"/{VMSTAT} has none of these counters")
        measured = [MeasuredFigure(n, f"{name} in {value.seconds:.2g} s") for name, n in watched.items() if n]
        if measured:
            return bad("stalls", by_hand("see the settings above, and free memory"), *measured)
        return good("none", MeasuredFigure(0, f"stalls in {value.seconds:.2g} s"))


class DirtyWriteback(Check[dict[str, int]]):
    """How much written data may wait for the disk."""

    id = "dirty-writeback"
    title = "writeback of dirty pages"
    severity = "warn"
    threshold = "background at most 3%, and the limit at most 10%, or both in bytes"
    consequence = "a thread that logs is stopped until the disk has caught up"

    names = ("dirty_background_bytes", "dirty_background_ratio", "dirty_bytes", "dirty_ratio")

    def read(self, host: ExaminedHost) -> Reading[dict[str, int]]:
        """The four settings; of each pair, the one that is not 0 counts."""
        found = {name: n for name in self.names if (n := host.tree.integer(f"proc/sys/vm/{name}")) is not None}
        source = "read from /proc/sys/vm/dirty_*"
        if "dirty_ratio" in found and "dirty_background_ratio" in found:
            return known(found, source)
        missing = host.tree.reading("proc/sys/vm/dirty_ratio")
        return Reading(None, source, missing.reason or "it holds no number", missing.applicable)

    def advise(self, value: dict[str, int], host: ExaminedHost) -> Judgment:
        """As tuned's latency-performance: 3% and 10%."""
        fixes, said = [], []
        for kind, most in (("dirty_background", 3), ("dirty", 10)):
            if value.get(f"{kind}_bytes"):
                said.append(f"{kind} {units.size(value[f'{kind}_bytes'])}")
                continue
            ratio = value[f"{kind}_ratio"]
            said.append(f"{kind} {ratio}%")
            if ratio > most:
                fixes.append(sysctl(f"vm.{kind}_ratio", str(most), str(ratio)))
        return bad(", ".join(said), together(fixes)) if fixes else good(", ".join(said))


class NodeLocality(Check[dict[int, int]]):
    """Whether CPUs, memory and network card are on one node."""

    id = "node-locality"
    title = "node of CPUs, memory and network card"
    severity = "warn"
    threshold = "the same node"
    consequence = "memory of another node takes 40 to 80% longer"
    owner = "hardware"

    def read(self, host: ExaminedHost) -> Reading[dict[int, int]]:
        """The node of each judged CPU that this process may use."""
        source = "read from /sys/devices/system/cpu/cpuN/nodeM"
        found = {}
        wanted = host.isolated or host.sets.allowed
        for cpu in wanted:
            for name in host.tree.names(f"sys/devices/system/cpu/cpu{cpu}"):
                if name.startswith("node") and is_digits(name[4:]) and len(name) < 10:
                    found[cpu] = int(name[4:])
        return known(found, source) if found else not_applicable(source, "the kernel names no nodes")

    def advise(self, value: dict[int, int], host: ExaminedHost) -> Judgment:
        """A card without a node (-1, as in guests) tells nothing."""
        nodes = sorted(set(value.values()))
        cards = host.cards()
        card_nodes = {card: host.tree.integer(f"sys/class/net/{card}/device/numa_node") for card in cards}
        remote = {
            card: node for card, node in card_nodes.items() if node is not None and node >= 0 and node not in nodes
        }
        shown = f"CPUs on node {', '.join(map(str, nodes[:8]))}"
        fix = by_hand("numactl --cpunodebind and --membind, or lowlat affinity run --node N --membind")
        if remote:
            card, node = next(iter(remote.items()))
            return bad(f"{shown}; {card} on node {node}", fix)
        if len(nodes) > 1:
            return bad(shown, fix) if host.isolated else note(shown)
        blind = [card for card, node in card_nodes.items() if node is None or node < 0]
        many = len([name for name in host.tree.names("sys/devices/system/node") if is_digits(name[4:])]) > 1
        if blind and (many or host.is_guest):
            return unclear(shown, f"{blind[0]} names no node")
        return good(shown)


class Balloon(Check[tuple[str, ...]]):
    """Whether the hypervisor takes memory back."""

    id = "ballooning"
    title = "memory balloon and page reporting"
    severity = "info"
    needs = "a guest"
    threshold = "none, or memory touched and locked at the start"
    consequence = "the first touch of a page faults in the host too, and the guest's memory shrinks"

    driver = "sys/bus/virtio/drivers/virtio_balloon"

    def read(self, host: ExaminedHost) -> Reading[tuple[str, ...]]:
        """The devices of the balloon's driver, and page reporting on the command line."""
        devices = tuple(name for name in host.tree.names(self.driver) if name.startswith("virtio"))
        reporting = tuple(name for name in host.parameters if name.startswith("page_reporting"))
        return known((*devices, *reporting), f"read from /{self.driver} and /proc/cmdline")

    def advise(self, value: tuple[str, ...], host: ExaminedHost) -> Judgment:
        """A driver that is not there shows nothing; other hypervisors have drivers of their own."""
        if value:
            return note(", ".join(value[:4]), fix=by_hand("touch all memory at the start, and mlockall()"))
        return note("no virtio balloon")


class CachePartitioning(FileCheck):
    """Whether the last cache is divided."""

    id = "cache-partitioning"
    title = "cache partitioning"
    severity = "info"
    needs = "bare metal"
    threshold = "as designed"
    consequence = "neighbors fill the last cache"
    owner = "hardware"
    path = "sys/fs/resctrl/schemata"

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """Only told."""
        return note("; ".join(line.strip() for line in value.splitlines()[:3])[:120])


CHECKS: Final = (
    Thp(),
    ThpDefrag(),
    Ksm(),
    NumaBalancing(),
    Swap(),
    MlockRight(),
    ZoneReclaim(),
    ProactiveCompaction(),
    ReservedHugePages(),
    StallCounters(),
    DirtyWriteback(),
    NodeLocality(),
    Balloon(),
    CachePartitioning(),
)
