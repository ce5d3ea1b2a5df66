"""The default screen of `lowlat topology`: at most 24 lines of 100 columns; `topology_view` shows everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import RenderableType
from rich.text import Text
from rich.tree import Tree

from lowlat import units
from lowlat.probes.topology import Topology
from lowlat.text import plain_text
from lowlat_cli.views import layout
from lowlat_cli.views.topology import head
from lowlat_cli.views.topology_tree import topology_tree

SCREEN_LINES: Final = 24
_TREE_LINES_MIN: Final = 2
_MARGIN: Final = 5
"""For the blank lines, the last line, and two facts that wrap."""
_LISTED_MAX: Final = 4
_WARNINGS_MAX: Final = 2
VERBOSE: Final = "-v also shows caches, NUMA nodes, frequencies, mitigations, devices, interrupts and CPU sets"


def topology_screen(topology: Topology) -> Iterator[RenderableType]:
    """What most look for, top to bottom, and what `-v` adds."""
    facts = [(label, line) for label, line in [*head(topology), *_sets(topology)] if line]
    facts += [(kind.name, units.cpus(layout.cpus(kind.cpus))) for kind in topology.core_kinds[:_LISTED_MAX]]
    facts += _warnings(topology)
    yield layout.facts(facts)
    if topology.packages:
        yield layout.spaced(_fitting(topology_tree(topology), SCREEN_LINES - _MARGIN - len(facts)))
    yield layout.spaced(plain_text(VERBOSE, style="dim"))


def _sets(topology: Topology) -> Iterator[tuple[str, str | Text | None]]:
    sets = topology.cpu_sets
    isolated = sets.isolated.value
    yield "allowed", f"{layout.cpus(sets.allowed)}" + (f" · isolated {layout.cpus(isolated)}" if isolated else "")
    named = [f"{each.name} on node {'?' if each.node is None else each.node}" for each in topology.devices]
    yield "devices", _first(named, "device")


def _first(names: list[str], noun: str) -> str:
    more = len(names) - _LISTED_MAX
    return ", ".join([*names[:_LISTED_MAX], *([f"and {units.plural(more, noun)} more"] if more > 0 else [])])


def _warnings(topology: Topology) -> Iterator[tuple[str, str | Text]]:
    for at, warning in enumerate(topology.warnings[:_WARNINGS_MAX]):
        yield "" if at else "warning", warning
    if (more := len(topology.warnings) - _WARNINGS_MAX) > 0:
        yield "", f"and {units.plural(more, 'warning')} more"


def _fitting(tree: Tree, lines: int) -> Tree:
    """The tree to the deepest level that fits; if even its first does not, the first branches."""
    lines = max(lines, _TREE_LINES_MIN)
    depth = 1
    while (more := _count(tree, depth + 1)) <= lines and more > _count(tree, depth):
        depth += 1
    cut = _pruned(tree, depth)
    if len(cut.children) > lines:
        left = len(cut.children) - (lines - 1)
        cut.children = cut.children[: lines - 1]
        cut.add(plain_text(f"and {units.plural(left, 'package')} more", style="dim"))
    return cut


def _count(tree: Tree, depth: int) -> int:
    return sum(1 + _count(child, depth - 1) for child in tree.children) if depth else 0


def _pruned(tree: Tree, depth: int) -> Tree:
    cut = Tree(tree.label, guide_style=tree.guide_style, hide_root=tree.hide_root)
    cut.children = [_pruned(child, depth - 1) for child in tree.children] if depth else []
    return cut
