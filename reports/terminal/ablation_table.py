"""An ablation for a terminal: the answer, a row for each technique, and on request what each one is."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from lowlat.reports.model.ablation import Ablation, TechniqueEffect
from lowlat.reports.terminal import ablation_lines as lines
from lowlat.reports.terminal.report_table import facts
from lowlat.reports.terminal.wide_console import uncut
from lowlat.text import plain_text

_STYLES = {"helps": "green", "hurts": "red"}


def render_ablation(ablation: Ablation, console: Console, *, every: bool = False) -> None:
    """Print an ablation; `every`: also what each technique is, and all its figures. A row fits 80 columns."""
    with uncut(console):
        console.print(Group(*_parts(ablation, every)), highlight=False, soft_wrap=False)


def _parts(ablation: Ablation, every: bool) -> Iterator[RenderableType]:
    for warning in lines.warnings(ablation):
        yield plain_text(warning, style="bold red")
    yield Text.assemble(plain_text("ablate", "bold"), "  ", plain_text(lines.answer(ablation)))
    yield plain_text(lines.title(ablation), style="dim")
    if every:
        yield plain_text(lines.host(ablation), style="dim")
    yield _rows(ablation)
    yield facts([("note", note) for note in (*lines.notes(ablation), *([lines.level(ablation)] if every else []))])
    if every:
        for effect in ablation.techniques:
            yield Text()
            yield from _details(effect)


def _rows(ablation: Ablation) -> Table:
    """Of what is not available there is a note, which says why: so the answer stays on a screen of 24 lines."""
    grid = _grid(lines.COLUMNS)
    for effect in ablation.techniques:
        if effect.outcome == "not available":
            continue
        *cells, verdict = lines.cells(effect)
        grid.add_row(*map(plain_text, cells), plain_text(verdict, style=_STYLES.get(effect.outcome, "")))
    return grid


def _details(effect: TechniqueEffect) -> Iterator[RenderableType]:
    yield Text.assemble(plain_text(effect.title, "bold"), "  ", plain_text(effect.name, "dim"))
    yield facts([*lines.details(effect)])
    if effect.effects:
        grid = _grid(lines.EFFECT_COLUMNS)
        for cells in lines.effect_cells(effect):
            grid.add_row(*map(plain_text, cells))
        yield grid


def _grid(columns: tuple[str, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="cyan")
    for name in columns:
        figures = name not in (columns[0], "verdict")
        table.add_column(plain_text(name), justify="right" if figures else "left", no_wrap=True)
    return table
