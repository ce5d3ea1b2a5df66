"""Checks of the common kinds: one file, one sysctl, one file of each CPU. Their subclasses say what is good."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import ClassVar

from lowlat.probes.cpu.cpu_sets import CPU_FOLDER
from lowlat.probes.doctor.check import Check
from lowlat.probes.doctor.examined_host import ExaminedHost, PerCpu
from lowlat.probes.doctor.finding import Fix
from lowlat.probes.doctor.judgment import Judgment, bad, good, sysctl, unclear, write_each
from lowlat.probes.host.host_tree import parse_integer
from lowlat.probes.reading import Reading


class FileCheck(Check[str]):
    """A knob that is one file."""

    path: ClassVar[str]
    """Relative to the root, like `proc/cmdline`."""

    def read(self, host: ExaminedHost) -> Reading[str]:
        """The content of the file."""
        return host.tree.reading(self.path)


class NumberCheck(FileCheck):
    """A knob that is one file with a number."""

    unit: ClassVar[str] = ""
    """Follows the number where it is shown."""

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """Judge the number."""
        number = parse_integer(value)
        if number is None:
            return unclear(value[:40], f"/{self.path} holds no number")
        shown = f"{number}{self.unit}"
        return good(shown) if self.is_good(number, host) else bad(shown, self.fix(value))

    @abstractmethod
    def is_good(self, number: int, host: ExaminedHost) -> bool:
        """Whether the number is as wanted."""

    def fix(self, found: str) -> Fix:
        """How to set it."""
        return write_each({self.path: found}, self.set_to)

    set_to: ClassVar[str]
    """What the fix writes."""


class SysctlCheck(NumberCheck):
    """A knob of sysctl with a number."""

    sysctl: ClassVar[str]
    """Its name, like `vm.stat_interval`."""

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if "sysctl" in cls.__dict__:
            cls.path = f"proc/sys/{cls.sysctl.replace('.', '/')}"

    def fix(self, found: str) -> Fix:
        """Set it with sysctl."""
        return sysctl(self.sysctl, self.set_to, found)


class CpuFileCheck(Check[PerCpu]):
    """A knob that is one file of each CPU. All of them are read: CPU 0 does not speak for the others."""

    file: ClassVar[str]
    """Its name in the folder of a CPU."""
    set_to: ClassVar[str]
    """What the fix writes."""

    def read(self, host: ExaminedHost) -> Reading[PerCpu]:
        """The value of each online CPU."""
        return host.per_cpu(self.file)

    def advise(self, value: PerCpu, host: ExaminedHost) -> Judgment:
        """Judge all values; the worst decides."""
        wrong = {cpu: each for cpu, each in value.values.items() if not self.is_good(each)}
        if wrong:
            files = {f"{CPU_FOLDER}/cpu{cpu}/{self.file}": each for cpu, each in wrong.items()}
            return bad(value.text, write_each(files, self.set_to, self.usual_command))
        return unclear(value.text, value.gap) if value.gap else good(value.text)

    usual_command: ClassVar[str | None] = None
    """The command that people use for it, if there is one."""

    @abstractmethod
    def is_good(self, value: str) -> bool:
        """Whether a CPU's value is as wanted."""


def choice(text: str) -> str | None:
    """The selected one of several, as in `always [madvise] never`; the text itself if nothing is in brackets."""
    match = re.search(r"\[([^\]]{1,40})\]", text)
    return match[1] if match else (text if " " not in text else None)
