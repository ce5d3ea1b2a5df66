"""What says whose host it is, and numbers in its place: names, addresses, serial numbers and other identifiers.

The same original always becomes the same number of the same form, in contents as in paths, so that a redacted tree
still fits together: a control group's id in `/proc/self/cgroup` is the name of its folder.
"""

from __future__ import annotations

import gzip
import ipaddress
import os
import re
import zlib
from typing import Any, Final

from lowlat.limits import TREE_FILE_BYTES_MAX
from lowlat.probes.host.host_tree import HostTree
from lowlat.text import is_digits

REDACTED: Final = "redacted"
_HOST_FILES: Final = ("proc/sys/kernel/hostname", "proc/sys/kernel/domainname", "etc/hostname")
_SERIALS: Final = tuple(
    f"sys/class/dmi/id/{name}"
    for name in (
        "product_serial",
        "product_uuid",
        "board_serial",
        "board_asset_tag",
        "chassis_serial",
        "chassis_asset_tag",
    )
)
_MODELS: Final = tuple(
    f"sys/class/dmi/id/{name}"
    for name in ("sys_vendor", "product_name", "board_vendor", "board_name", "chassis_vendor")
)
"""Some clouds give the name of a product for a serial number, too: it tells the cloud, not the host."""
_NOBODYS: Final = frozenset({"", "localhost", "(none)", "root", "None", "Not Specified", "Default string", "nobody"})
"""Names that say nothing of a host."""
_USER_IDS: Final = range(1000, 65534)  # below are the system's own users, above is nobody

_UNCHANGED: Final = ("sys/devices/system/", "proc/stat", "proc/meminfo", "proc/softirqs")
"""The hardware and the kernel's counters, which hold no name, and in which a mistaken match would change the host."""
_MASKS: Final = "proc/self/status"
"""Its capabilities and signals are long hexadecimal numbers."""
_PACKED: Final = ("proc/config.gz",)
_OWN_FIELDS: Final = frozenset({"schema", "status", "mode", "group", "id", "severity"})
"""Fields of documents that hold words of lowlat only."""

_COMMAND_LINE: Final = re.compile(r"""(?P<key>[^\s="]+)=(?P<value>"[^"]*"|\S*)""")
_SECRET_CHARS_MIN: Final = 4
_NO_SYSCTL: Final = "(?<!/proc/sys/)(?<!sysctl -w )"
"""A host may be called `vm`; the first word of a sysctl is the kernel's own."""
_HEX: Final = "[0-9a-fA-F]"
_PATTERNS: Final = (
    ("build", re.compile(r"\([^\s()]+@[^\s()]+\)")),  # of /proc/version
    ("serial", re.compile(r"(?m)(?<=^Serial)\s*:\s*\S+")),  # of /proc/cpuinfo of small Arm boards
    ("mac", re.compile(rf"(?<![\w:]){_HEX}{{2}}([:-])(?:{_HEX}{{2}}\1){{4}}{_HEX}{{2}}(?![\w:])")),
    ("card", re.compile(rf"(?<=enx){_HEX}{{12}}|(?<=wlx){_HEX}{{12}}|(?<=wwx){_HEX}{{12}}")),
    ("uuid", re.compile(rf"(?<!{_HEX}){_HEX}{{8}}([-_])(?:{_HEX}{{4}}\1){{3}}{_HEX}{{12}}(?!{_HEX})")),
    ("ip", re.compile(r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9]|\.[0-9])")),
    ("ip", re.compile(rf"(?<![\w:.]){_HEX}{{0,4}}(?::{_HEX}{{0,4}}){{2,7}}(?![\w:.])")),
    ("hex", re.compile(r"(?<![0-9a-zA-Z])(?=[0-9]*[a-f])[0-9a-f]{16,}(?![0-9a-zA-Z])")),
)


class Redaction:
    """Redacts the files and documents of one host."""

    def __init__(self, tree: HostTree) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._kernel = tree.fact("kernel_release") or tree.text("proc/sys/kernel/osrelease") or ""
        self._words: dict[str, str] = {}
        for kind, found in (("host", _host_names(tree)), ("user", _user_names(tree)), ("serial", _serials(tree))):
            for name in sorted(found - _NOBODYS):
                self._words.setdefault(name, f"{kind}-{self._number(kind, name)}")
        self._words |= _secrets_of(tree.text("proc/cmdline") or "")
        # The longest first: a host's full name before its first part.
        names = "|".join(re.escape(name) for name in sorted(self._words, key=len, reverse=True))
        self._word = re.compile(rf"(?<![^\W_]){_NO_SYSCTL}(?:{names})(?![^\W_])") if names else None

    def text(self, text: str) -> str:
        """Text without names and identifiers."""
        named = self._word.sub(lambda found: self._words[found[0]], text) if self._word else text
        return self._without_identifiers(named)

    def content(self, path: str, content: bytes) -> bytes | None:
        """Content of a file of the host; None if it cannot be redacted."""
        if path.startswith(_UNCHANGED):
            return content
        if path in _PACKED:
            return self._packed(content)
        text = content.decode("utf-8", "surrogateescape")
        if path == "proc/cmdline":
            text = redacted_command_line(text)
        redacted = self._masks(text) if path == _MASKS else self.text(text)
        return redacted.encode("utf-8", "surrogateescape")

    def path(self, path: str) -> str:
        """The path of a file, which may have the id of a container or the address of a card in it."""
        if path.startswith(_UNCHANGED):
            return path
        # Users and hosts name control groups; elsewhere such a word is the kernel's own.
        return self.text(path) if path.startswith("sys/fs/cgroup/") else self._without_identifiers(path)

    def document(self, value: Any) -> Any:
        """Plain JSON data, whose keys are kept but for identifiers."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.document(each) for each in value]
        if isinstance(value, dict):
            return {
                self._without_identifiers(key): each if key in _OWN_FIELDS else self.document(each)
                for key, each in value.items()
            }
        return value

    def _packed(self, content: bytes) -> bytes | None:
        try:
            unpacking = zlib.decompressobj(wbits=31)  # gzip
            text = unpacking.decompress(content, TREE_FILE_BYTES_MAX)
        except zlib.error:
            return None
        if not unpacking.eof:
            return None
        redacted = self.text(text.decode("utf-8", "surrogateescape"))
        return gzip.compress(redacted.encode("utf-8", "surrogateescape"), mtime=0)

    def _masks(self, text: str) -> str:
        """Only the lines that hold no mask."""
        is_mask = re.compile(r"(?:Sig|Shd|Cap)\w+:")
        return "".join(line if is_mask.match(line) else self.text(line) for line in text.splitlines(keepends=True))

    def _without_identifiers(self, text: str) -> str:
        for kind, pattern in _PATTERNS:
            text = pattern.sub(lambda found, kind=kind: self._instead(kind, found), text)  # type: ignore[misc]
        return text

    def _instead(self, kind: str, found: re.Match[str]) -> str:
        original = found[0]
        match kind:
            case "build":
                return f"({REDACTED})"
            case "serial":
                return f": {REDACTED}"
            case "ip":
                return self._address(original, found.string[found.end() : found.end() + 1])
        digits = re.sub("[^0-9a-fA-F]", "", original).lower()
        if digits.startswith("0" * (len(digits) // 2)):  # nobody's, or one of a tree that was redacted before
            return original
        number = iter(f"{self._number('hex', digits):0{len(digits)}x}")
        return "".join(next(number) if each.isalnum() else each for each in original)

    def _address(self, original: str, after: str) -> str:
        """An address of the same version, unless it is none: a time, a control group `0::/`, a kernel's version."""
        try:
            address = ipaddress.ip_address(original)
        except ValueError:
            return original
        is_none = int(address) < 1 << 24 or address.is_loopback or (original == "0::" and after == "/")
        if is_none or original in self._kernel:
            return original
        number = self._number("ip", str(address))
        return str(ipaddress.IPv4Address(number) if address.version == 4 else ipaddress.IPv6Address(number))

    def _number(self, kind: str, original: str) -> int:
        return self._numbers.setdefault((kind, original), 1 + sum(known == kind for known, _ in self._numbers))


def redacted_command_line(text: str) -> str:
    """A kernel command line without values that may be paths, addresses or credentials, or arguments of init."""
    kernel, mark, _ = text.partition(" -- ")
    kept = _COMMAND_LINE.sub(
        lambda found: f"{found['key']}={REDACTED}" if _is_secret(found["value"]) else found[0], kernel
    )
    return f"{kept} -- {REDACTED}\n" if mark else kept


def _secrets_of(command_line: str) -> dict[str, str]:
    """What `redacted_command_line` changes, with what stands instead; documents quote it."""
    kernel, _, own = command_line.partition(" -- ")
    found = [each for each in _COMMAND_LINE.finditer(kernel) if _is_secret(each["value"])]
    secrets = {each[0]: f"{each['key']}={REDACTED}" for each in found}
    return secrets | ({own.strip(): REDACTED} if len(own.strip()) >= _SECRET_CHARS_MIN else {})


def _is_secret(value: str) -> bool:
    return any(char in value for char in "/@=")


def _host_names(tree: HostTree) -> set[str]:
    found = {tree.text(path) or "" for path in _HOST_FILES}
    if tree.is_live:
        found.add(os.uname().nodename)
    return found | {name.partition(".")[0] for name in found}


def _user_names(tree: HostTree) -> set[str]:
    """People's names: those of the password file, and of whoever runs this, who may be known to a directory only."""
    found = set()
    for line in (tree.text("etc/passwd") or "").splitlines():
        name, _, rest = line.partition(":")
        number = rest.split(":")[1:2]
        if number and is_digits(number[0]) and int(number[0][:10]) in _USER_IDS:
            found.add(name)
    if tree.is_live:
        found |= {os.environ.get(name, "") for name in ("USER", "LOGNAME", "SUDO_USER")}
    return found


def _serials(tree: HostTree) -> set[str]:
    found = {text for path in _SERIALS if len(text := tree.text(path) or "") >= _SECRET_CHARS_MIN}
    return found - {tree.text(path) or "" for path in _MODELS}
