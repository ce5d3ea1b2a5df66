"""How long does a packet wait before a program sees it?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from lowlat import units
from lowlat.probes.cpu.cpu_sets import Cpus, cpus_of_list
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.doctor.check import Check
from lowlat.probes.doctor.examined_host import ExaminedHost, absent
from lowlat.probes.doctor.finding import Fix
from lowlat.probes.doctor.judgment import Judgment, bad, by_hand, good, note, sysctl, together, unclear, write
from lowlat.probes.doctor.knobs import SysctlCheck, choice
from lowlat.probes.host.host_tree import HostTree
from lowlat.probes.network.ethtool import Coalescing
from lowlat.probes.reading import Reading, known, not_applicable
from lowlat.text import is_digits

BUSY_POLL_MIN_US: Final = 1
BUSY_POLL_US: Final = 50
_NO_CARD: Final = "no network interface has a device"


def ask_cards(host: ExaminedHost, ask: Callable[[str], Reading[Any]]) -> Reading[dict[str, Any]]:
    """What the driver of each card answers; absent if there are none, or none answers."""
    live = host.on_live()
    if live.value is None:
        return absent(live)
    found, refused = {}, not_applicable("read from /sys/class/net/*/device", _NO_CARD)
    for card in host.cards():
        reading = ask(card)
        if reading.value is None:
            refused = reading
        else:
            found[card] = reading.value
    return known(found, f"ethtool ioctl of {', '.join(found)}") if found else refused


def _set_by(command: str, undo: str) -> Fix:
    return Fix(command, (command,), (undo,))


class InterruptCoalescing(Check[dict[str, Coalescing]]):
    """Whether the card waits for more packets before it interrupts."""

    id = "interrupt-coalescing"
    title = "interrupt coalescing"
    severity = "warn"
    threshold = "rx-usecs 0, adaptive-rx off"
    consequence = "20 to 100 microseconds for each packet"
    owner = "hardware"

    def read(self, host: ExaminedHost) -> Reading[dict[str, Coalescing]]:
        """The setting of each card."""
        return ask_cards(host, host.live.coalescing) if host.live else absent(host.on_live())

    def advise(self, value: dict[str, Coalescing], host: ExaminedHost) -> Judgment:
        """Adaptive means that the driver chooses."""
        said = [f"{card}: rx-usecs {each.rx_us}{', adaptive' * each.adaptive_rx}" for card, each in value.items()]
        fixes = [
            _set_by(
                f"ethtool -C {card} adaptive-rx off rx-usecs 0",
                f"ethtool -C {card} adaptive-rx {'on' if each.adaptive_rx else 'off'} rx-usecs {each.rx_us}",
            )
            for card, each in value.items()
            if each.rx_us or each.adaptive_rx
        ]
        return bad("; ".join(said[:4]), together(fixes)) if fixes else good("; ".join(said[:4]))


class ReceiveOffload(Check[dict[str, tuple[bool, bool]]]):
    """Whether packets are merged before a program sees them."""

    id = "receive-offload"
    title = "GRO and LRO"
    severity = "warn"
    threshold = "off on the card whose latency counts"
    consequence = "a packet waits for those that it is merged with"

    def read(self, host: ExaminedHost) -> Reading[dict[str, tuple[bool, bool]]]:
        """GRO of the kernel and LRO of the card."""
        return ask_cards(host, host.live.merging) if host.live else absent(host.on_live())

    def advise(self, value: dict[str, tuple[bool, bool]], host: ExaminedHost) -> Judgment:
        """Both are to be off."""
        said, fixes = [], []
        for card, merging in value.items():
            on = [name for name, is_on in zip(("gro", "lro"), merging, strict=True) if is_on]
            said.append(f"{card}: {' and '.join(on) + ' on' if on else 'off'}")
            fixes += [_set_by(f"ethtool -K {card} {name} off", f"ethtool -K {card} {name} on") for name in on]
        return bad("; ".join(said[:4]), together(fixes)) if fixes else good("; ".join(said[:4]))


class BusyPoll(SysctlCheck):
    """Whether a reader polls the card instead of waiting for its interrupt."""

    id = "busy-polling"
    title = "busy polling of sockets"
    severity = "warn"
    threshold = f"busy_poll and busy_read {BUSY_POLL_US} us"
    consequence = "a wake-up for each packet"
    sysctl = "net.core.busy_read"
    set_to = str(BUSY_POLL_US)
    unit = " us"

    other = "net.core.busy_poll"

    def is_good(self, number: int, host: ExaminedHost) -> bool:
        """On."""
        return number >= BUSY_POLL_MIN_US

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """Both are of this network namespace. Deferred interrupts let a program poll by itself."""
        first, path = super().advise(value, host), f"proc/sys/{self.other.replace('.', '/')}"
        poll, number = host.tree.text(path), host.tree.integer(path)
        shown = f"busy_read {first.observed}, busy_poll {poll or 'unknown'} us"
        deferring = [card for card in host.cards() if host.tree.integer(f"sys/class/net/{card}/napi_defer_hard_irqs")]
        if deferring:
            shown += f"; interrupts are deferred by {deferring[0]}"
        if first.reason:
            return unclear(shown, first.reason)
        if number is None:
            return unclear(shown, f"/{path} cannot be read") if first.status == "pass" else bad(shown, first.fix)
        fixes = [*([first.fix] if first.fix else [])]
        if number < BUSY_POLL_MIN_US:
            fixes.append(sysctl(self.other, str(BUSY_POLL_US), str(poll)))
        return bad(shown, together(fixes)) if fixes else good(shown)


@dataclass(frozen=True, slots=True)
class CardInterrupts:
    """The CPUs that a card's interrupts go to, and its node."""

    irqs: int
    cpus: Cpus
    node: int | None


def _vectors(tree: HostTree, folder: str) -> list[str]:
    """The interrupts in a folder. Each is looked at, so that a snapshot has it."""
    return [irq for irq in tree.names(folder) if tree.exists(f"{folder}/{irq}")]


class NicQueueCpus(Check[dict[str, CardInterrupts]]):
    """Which CPUs serve the card."""

    id = "nic-interrupts"
    title = "CPUs of the card's queues"
    severity = "warn"
    threshold = "CPUs that are not isolated, on the card's node"
    consequence = "packets cross to another node, or interrupt the CPUs that count"

    def read(self, host: ExaminedHost) -> Reading[dict[str, CardInterrupts]]:
        """The interrupts of each card's device, or of the one above it (virtio)."""
        source = "read from /sys/class/net/*/device/msi_irqs and /proc/irq/*"
        found = {}
        for card in host.cards():
            folder = f"sys/class/net/{card}/device"
            irqs = _vectors(host.tree, f"{folder}/msi_irqs") or _vectors(host.tree, f"{folder}/../msi_irqs")
            cpus: set[int] = set()
            for irq in [name for name in irqs if is_digits(name)][:4096]:
                for name in ("effective_affinity_list", "smp_affinity_list"):
                    if text := host.tree.text(f"proc/irq/{irq}/{name}"):
                        cpus.update(cpus_of_list(text) or ())
                        break
            if cpus:
                found[card] = CardInterrupts(len(irqs), tuple(sorted(cpus)), host.tree.integer(f"{folder}/numa_node"))
        return known(found, source) if found else not_applicable(source, "no card has interrupts of its own (MSI)")

    def advise(self, value: dict[str, CardInterrupts], host: ExaminedHost) -> Judgment:
        """A node of -1 is none."""
        said, wrong = [], False
        for card, each in value.items():
            caught = set(each.cpus).intersection(host.isolated)
            local = host.node_cpus(each.node) if each.node is not None and each.node >= 0 else None
            remote = set(each.cpus) - set(local) if local else set()
            said.append(f"{card}: {units.counted(each.irqs, 'interrupt')} on CPU {format_cpu_list(each.cpus)}")
            if caught:
                said[-1] += f", isolated: {format_cpu_list(caught)}"
            if remote:
                said[-1] += f", not of node {each.node}: {format_cpu_list(remote)}"
            wrong = wrong or bool(caught or remote)
        text = "; ".join(said[:4])
        if wrong:
            return bad(text, by_hand("write the wanted CPUs to /proc/irq/N/smp_affinity_list; see irq-affinity"))
        return good(text) if host.isolated else note(text)


class PciePower(Check[str]):
    """Whether the link of the card may sleep."""

    id = "pcie-power"
    title = "power saving of PCIe"
    severity = "warn"
    needs = "bare metal"
    threshold = "policy performance; power/control on"
    consequence = "1 to 30 microseconds until the link is awake"
    owner = "hardware"

    policy = "sys/module/pcie_aspm/parameters/policy"

    def read(self, host: ExaminedHost) -> Reading[str]:
        """The policy of the kernel."""
        return host.tree.reading(self.policy)

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """`default` leaves it to the firmware."""
        selected = choice(value)
        controls = {}
        for card in host.cards():
            path = f"sys/class/net/{card}/device/power/control"
            if text := host.tree.text(path):
                controls[path] = text
        asleep = {path: text for path, text in controls.items() if text != "on"}
        off = host.parameters.get("pcie_aspm") == "off"
        if selected != "performance" and not off:
            fixes = [write(self.policy, "performance", str(selected))] if selected else []
            fixes += [write(path, "on", text) for path, text in asleep.items()]
            return bad(f"policy {selected or value[:40]}", together(fixes))
        shown = "pcie_aspm=off" if off else "policy performance"
        if asleep:
            fix = together(write(path, "on", text) for path, text in asleep.items())
            return bad(f"{shown}, but power/control {next(iter(asleep.values()))[:20]}", fix)
        return good(shown)


class RingSizes(Check[dict[str, str]]):
    """Ring sizes, energy-efficient Ethernet and pause frames."""

    id = "nic-rings"
    title = "ring sizes, EEE and pause frames"
    severity = "info"
    threshold = "small rings, EEE off, pause frames off"
    consequence = "a long ring hides a slow reader; a sleeping or paused link delays packets"
    owner = "hardware"

    def read(self, host: ExaminedHost) -> Reading[dict[str, str]]:
        """What each card answers."""
        return ask_cards(host, host.live.link_settings) if host.live else absent(host.on_live())

    def advise(self, value: dict[str, str], host: ExaminedHost) -> Judgment:
        """Only told."""
        return note("; ".join(f"{card}: {text}" for card, text in list(value.items())[:4]))


class TcpSlowStart(SysctlCheck):
    """Whether an idle connection starts slowly again."""

    id = "tcp-idle-restart"
    title = "TCP slow start after idle"
    severity = "info"
    threshold = "0"
    consequence = "the first messages after a pause are sent in small portions"
    sysctl = "net.ipv4.tcp_slow_start_after_idle"
    set_to = "0"

    def is_good(self, number: int, host: ExaminedHost) -> bool:
        """Off."""
        return number == 0


CHECKS: Final = (
    InterruptCoalescing(),
    ReceiveOffload(),
    BusyPoll(),
    NicQueueCpus(),
    PciePower(),
    RingSizes(),
    TcpSlowStart(),
)
