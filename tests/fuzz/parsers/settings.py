"""What a user says: settings in a file, and the values of options."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from unittest import mock

import typer

from lowlat import toml
from lowlat.engine.external.naming import engine_command
from lowlat.errors import LowlatError
from lowlat.fleet.gate import parse_fleet_rule
from lowlat.fleet.place import parse_place
from lowlat.probes.cpu import cpulist
from lowlat.probes.cpu.cpulist import format_cpu_list, parse_cpu_list, parse_cpu_mask
from lowlat.probes.cpu.placement import parse_roles
from lowlat.probes.network.peer_address import parse_address, shown_address
from lowlat.reports.compare.gate import parse_rule
from lowlat_cli import quantity
from lowlat_cli.app import command_line
from lowlat_cli.command import settable
from lowlat_cli.help_page import key_of
from lowlat_cli.options.recording import recorded_time_ns
from lowlat_cli.session import Session
from lowlat_cli.settings import loads_code, names_output
from tests.fuzz.parsers.target import Target, written

_REFUSED: Final = (LowlatError, typer.TyperException)

# -- lowlat.toml -----------------------------------------------------------------------------------------------------

_VERBS: Final = ("bench", "doctor", "jitter", "topology")
_FILES: Final = ("lowlat.toml", "pyproject.toml")


def _read_settings(data: bytes, folder: Path) -> None:
    """The first byte: which verb, and which file."""
    how, text = data[0] if data else 0, data[1:]
    verb, file = _VERBS[how % len(_VERBS)], _FILES[how // len(_VERBS) % len(_FILES)]
    for name in _FILES:
        (folder / name).unlink(missing_ok=True)
    written(folder, file, text)
    group = command_line()
    with contextlib.chdir(folder):
        above = group.make_context("lowlat", [verb], obj=Session())
        with group.commands[verb].make_context(verb, [], parent=above) as ctx:
            for option in settable(ctx.command):
                source = ctx.get_parameter_source(option.name)
                if source is not None and source.name == "DEFAULT_MAP":
                    assert not names_output(verb, key_of(option)), "a file does not choose what is written"
                    assert not loads_code(key_of(option), ctx.params[option.name]), "nor whose code runs"


def _settings_seeds() -> list[bytes]:
    shared = b'runs = 3\nseed = 7\nengine = "native"\n'
    verbs = b"""\
[bench]
profile = "deep"
commands = "250k"
rate = "1M/s"
objective = ["p99=10us", "p99.9=50us"]
cpu = 0
format = "json"
[doctor]
only = ["governor"]
[jitter]
duration = "2s"
[topology]
root = "host.tar"
"""
    project = b'[tool.lowlat]\nruns = 3\n[tool.lowlat.bench]\ncommands = "1M"\n[tool.other]\nruns = 9\n'
    return [*(bytes([how]) + shared + verbs for how in range(len(_VERBS))), bytes([len(_VERBS)]) + project]


def _plant_settings() -> None:
    """A reader that lets the errors of its library through."""
    mock.patch.object(toml, "FormatError", lambda *words: ValueError(words)).start()


SETTINGS = Target(
    "settings",
    _read_settings,
    _settings_seeds,
    _plant_settings,
    ("lowlat_cli/settings.py", "lowlat/toml.py"),
    _REFUSED,
)

# -- options ---------------------------------------------------------------------------------------------------------

_LONGEST: Final = 2_000
"""Characters of a value here: where messages are printed, they are cut."""


def _cpus(text: str) -> None:
    cpus = parse_cpu_list(text, last_cpu=7, allow_empty=True)
    assert parse_cpu_list(format_cpu_list(cpus), allow_empty=True) == cpus, "a CPU list reads back"


def _mask(text: str) -> None:
    cpus = parse_cpu_mask(text)
    assert parse_cpu_mask(f"{sum(1 << cpu for cpu in cpus):x}") == cpus, "a mask reads back"


def _address(text: str) -> None:
    host, port = parse_address(text)
    assert parse_address(shown_address(host, port))[1] == port, "an address reads back"


def _sweep(text: str) -> None:
    rates = quantity.parse_sweep(text)
    assert list(rates) == sorted(set(rates)), "rates grow"


_OPTIONS: Final[tuple[tuple[Callable[[str], Any], tuple[str, ...]], ...]] = (
    (quantity.parse_count, ("250_000", "1.5M")),
    (quantity.parse_rate, ("500k/s",)),
    (quantity.parse_duration_ns, ("1.5ms", "10s")),
    (quantity.parse_size, ("1.5 GiB",)),
    (_sweep, ("100k:20M:8",)),
    (quantity.parse_objective, ("p99.9=50us",)),
    (_cpus, ("0-3,8", "0-31:2/8", "all", "4-N")),
    (_mask, ("0x3", "00000001,ffffffff")),
    (parse_roles, ("producer=2,matcher,publisher",)),
    (_address, ("10.0.0.2:9000", "[::1]:9000")),
    (parse_place, ("tcp://node:8786", "local:3")),
    (parse_fleet_rule, ("p99=10%",)),
    (parse_rule, ("p99:service:all=10%", "cpu=5.5%")),
    (recorded_time_ns, ("09:30", "2024-01-02T14:30:00.5Z")),
    (lambda text: engine_command(f"ndjson:{text}"), ("./mine --fast 'a b'",)),
)


def _read_option(data: bytes, _folder: Path) -> None:
    """The first byte: whose value the rest is."""
    parse, _ = _OPTIONS[data[0] % len(_OPTIONS) if data else 0]
    parse(data[1:].decode("utf-8", "surrogateescape")[:_LONGEST])


def _plant_option() -> None:
    """A reader that takes every part of a list for a range."""
    mock.patch.object(cpulist, "_explain", lambda part, _where: int(part)).start()


OPTIONS = Target(
    "options",
    _read_option,
    lambda: [bytes([at]) + text.encode() for at, (_, texts) in enumerate(_OPTIONS) for text in texts],
    _plant_option,
    (
        "lowlat_cli/quantity.py",
        "lowlat_cli/options/recording.py",
        "probes/cpu/cpulist.py",
        "probes/network/peer_address.py",
        "fleet/place.py",
    ),
    _REFUSED,
)
