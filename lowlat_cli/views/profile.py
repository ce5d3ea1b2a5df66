"""Profiles on the terminal: their list, and how well one fits a flow."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lowlat import units
from lowlat.engine.flow.profile_document import ProfilesDocument
from lowlat.engine.flow.statistics.check import DIFFERENCE_MAX, RATIO_MAX, CheckedFigure, ProfileCheck
from lowlat.text import plain_text
from lowlat_cli.views import layout

_STYLES = {"good": "green", "poor": "bold red", "unknown": "dim"}


def profiles_view(document: ProfilesDocument) -> Table:
    """Names with their descriptions."""
    made = layout.table("profile", "description", wrap=("description",))
    for profile in document.profiles:
        made.add_row(plain_text(profile.name, style="bold"), plain_text(profile.description))
    return made


def check_view(check: ProfileCheck) -> Iterator[RenderableType]:
    """Both flows side by side, and where the fit is poor."""
    made = layout.table(
        "figure", "flow", "profile", "distance", "fit", right=("flow", "profile", "distance"), wrap=("figure",)
    )
    for figure in check.figures:
        values = [_value(figure, value) for value in (figure.flow, figure.profile)]
        verdict = plain_text(figure.verdict, style=_STYLES[figure.verdict])
        made.add_row(plain_text(figure.figure), *values, _distance(figure), verdict)
    yield made
    yield layout.spaced(layout.facts(_facts(check)))


def _facts(check: ProfileCheck) -> Iterator[tuple[str, str | Text]]:
    yield "flow", f"{check.flow} · {units.counted(check.flow_commands, 'command')}"
    yield "profile", f"{check.profile} · {units.counted(check.profile_commands, 'command')} · seed {check.seed}"
    yield (
        "distance",
        f"of distributions (medians are shown) Kolmogorov-Smirnov, of shares the difference; poor above "
        f"{DIFFERENCE_MAX:g}; x: ratio, poor above {RATIO_MAX:g}x",
    )
    for at, note in enumerate(check.notes):
        yield "note" if not at else "", note
    poor = check.poor
    verdict = f"{units.plural(poor, 'figure')} of {len(check.figures)} fit poorly" if poor else "every figure fits"
    yield "fit", plain_text(verdict, style="bold red" if poor else "green")


def _value(figure: CheckedFigure, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1%}" if figure.measure == "share" else f"{value:,.4g}"


def _distance(figure: CheckedFigure) -> str:
    if figure.distance is None:
        return "-"
    return f"{figure.distance:.2f}x" if figure.measure == "ratio" else f"{figure.distance:.3f}"
