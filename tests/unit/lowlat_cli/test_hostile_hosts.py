"""No file of a captured host controls the terminal of who looks at it, nor a document made of it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from lowlat.documents import text
from lowlat.probes.cpu.placement import plan
from lowlat.probes.host.facts import host_facts
from lowlat.probes.host.snapshot import open_root
from lowlat.probes.topology import read_topology
from lowlat.probes.topology.document import TopologyDocument
from lowlat_cli.views.affinity import plan_view
from lowlat_cli.views.topology import topology_view
from tests.hostile import HOSTILE, assert_harmless
from tests.unit.probes.topology.test_hostile_trees import CPU, PLACES, tree

FILES = (
    *PLACES,
    f"{CPU}/cpu0/cache/index0/type",
    f"{CPU}/smt/control",
    f"{CPU}/nohz_full",
    "sys/class/dmi/id/sys_vendor",
    "sys/class/dmi/id/product_name",
    "sys/hypervisor/type",
    "sys/devices/system/clocksource/clocksource0/current_clocksource",
    "sys/kernel/mm/transparent_hugepage/enabled",
    "proc/sys/kernel/osrelease",
    "proc/sys/kernel/arch",
    "proc/cmdline",
)


def printed(root: Path) -> str:
    host = open_root(root)
    found = read_topology(host)
    stream = io.StringIO()
    on = Console(file=stream, width=2_000, color_system=None, markup=False, emoji=False)
    on.print(*topology_view(found), sep="\n", highlight=False)
    on.print(*plan_view(plan("matcher", found), found), sep="\n", highlight=False)
    return stream.getvalue() + text(TopologyDocument.of(found)) + text(host_facts(host))


@pytest.mark.parametrize("form", ["{}", "1{}", "model name : {}\n", "[{}]"])
def test_every_file_of_a_host(tmp_path: Path, form: str) -> None:
    output = printed(tree(tmp_path, dict.fromkeys(FILES, form.format(HOSTILE))))
    assert_harmless(output)
    assert r"\x1b[2J" in output
