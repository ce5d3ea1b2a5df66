"""An ablation as Markdown, for a page or a comment."""

from __future__ import annotations

from collections.abc import Iterator

from lowlat.reports.model.ablation import Ablation
from lowlat.reports.outputs.comparison_markdown import plain, row
from lowlat.reports.terminal import ablation_lines as lines


def to_markdown(ablation: Ablation) -> str:
    """The ablation, with headings from `###` to fit into a page."""
    return "\n".join(_lines(ablation)) + "\n"


def _lines(ablation: Ablation) -> Iterator[str]:
    yield "### lowlat: what each technique is worth"
    yield ""
    for warning in lines.warnings(ablation):
        yield f"> **{plain(warning)}**"
        yield ""
    yield f"{plain(lines.answer(ablation))}."
    yield ""
    yield row(lines.COLUMNS)
    yield f"|---|{'--:|' * (len(lines.COLUMNS) - 2)}---|"
    for effect in ablation.techniques:
        yield row(lines.cells(effect))
    yield ""
    yield from (f"- {plain(line)}" for line in (*lines.notes(ablation), lines.level(ablation), lines.title(ablation)))
