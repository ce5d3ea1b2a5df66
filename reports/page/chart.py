"""A chart as data, and the positions of its parts in percent of the drawing area.

`templates/chart.html` writes them as SVG. Percentages let a browser draw the same chart at any width, so that a page
needs no script for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from lowlat.reports.page.axis import Axis

Mark: TypeAlias = Literal["circle", "open", "cross", "diamond"]

_NAME_MAX: Final = 40
_BEYOND: Final = {"x": ("beyond-left", "beyond-right"), "y": ("beyond-below", "beyond-above")}


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """A point of a series: what it is and its value for the tooltip, and whiskers from `ends`."""

    x: float
    y: float
    what: str
    value: str
    mark: Mark | None = None
    ends: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class ChartSeries:
    """Points of one color, with one switch in the legend."""

    name: str
    color: int | None
    """Of the page's line colors; None for the text color, with a thick line."""
    points: tuple[ChartPoint, ...]
    line: bool = True
    firm: int | None = None
    """From the point of this index on, the line is dotted; None: nowhere."""
    joined: int | None = None
    """The line ends with this number of points; None: with the last one."""

    @property
    def label(self) -> str:
        """Its name, truncated if long."""
        return label(self.name)


@dataclass(frozen=True, slots=True)
class GuideLine:
    """A line across the chart at a value of the axis `along`, or from one value to another of the other axis."""

    along: Literal["x", "y"]
    value: float
    style: str
    """Class names for the page's style."""
    span: tuple[float, float] | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that is drawn. `whiskers` says along which axis whiskers extend."""

    x: Axis
    y: Axis
    series: tuple[ChartSeries, ...]
    guides: tuple[GuideLine, ...] = ()
    whiskers: Literal["x", "y"] = "y"
    rows: int = 0
    """The number of rows of a chart with a name for each; 0 for others."""

    def lines(self, series: ChartSeries) -> Iterator[tuple[str, str]]:
        """Class and points of each part of the line, in thousandths of the drawing area."""
        if series.line:
            points = series.points[: series.joined]
            firm = len(points) if series.firm is None else series.firm
            for style, part in (("firm", points[:firm]), ("tail", points[max(firm - 1, 0) :])):
                if len(part) > 1:
                    yield style, " ".join(f"{10 * self._x(at.x):.1f},{10 * self._y(at.y):.1f}" for at in part)

    def marks(self, series: ChartSeries) -> Iterator[tuple[str, str, str]]:
        """Name and place of each mark: those of points, caps of whiskers, and arrows to what is beyond an axis."""
        for point in series.points:
            if (beyond := self._beyond(self._value(point))) is not None:
                yield _BEYOND[self.whiskers][beyond], *self._place(point, self._value(point))
            elif point.mark:
                yield point.mark, *self._place(point, self._value(point))
            for end in point.ends or ():
                side = self._beyond(end)
                mark = f"cap-{self.whiskers}" if side is None else _BEYOND[self.whiskers][side]
                if end != self._value(point):
                    yield mark, *self._place(point, end)

    def bars(self, series: ChartSeries) -> Iterator[tuple[str, str, str, str]]:
        """From where to where each whisker is drawn."""
        for point in series.points:
            if point.ends:
                yield *self._place(point, point.ends[0]), *self._place(point, point.ends[1])

    def across(self, guide: GuideLine) -> tuple[str, str, str, str]:
        """From where to where a guide is drawn."""
        x = guide.along == "x"
        at = self._x(guide.value) if x else self._y(guide.value)
        other = self._y if x else self._x
        start, end = (0.0, 100.0) if guide.span is None else (other(guide.span[0]), other(guide.span[1]))
        places = (at, start, at, end) if x else (start, at, end, at)
        return _percent(places[0]), _percent(places[1]), _percent(places[2]), _percent(places[3])

    def along_x(self, value: float) -> str:
        """The horizontal place of a value."""
        return _percent(self._x(value))

    def along_y(self, value: float) -> str:
        """The vertical place of a value."""
        return _percent(self._y(value))

    @property
    def clipped(self) -> bool:
        """Whether something is beyond an axis, and drawn as an arrow."""
        values = [
            end for each in self.series for point in each.points for end in (self._value(point), *(point.ends or ()))
        ]
        return any(self._beyond(value) is not None for value in values)

    def tooltips(self) -> list[list[tuple[float, float, str, str]]]:
        """For each series its points: place in percent, what it is, and its value."""
        return [
            [(_rounded(self._x(at.x)), _rounded(self._y(at.y)), at.what, at.value) for at in each.points]
            for each in self.series
        ]

    def _value(self, point: ChartPoint) -> float:
        return point.x if self.whiskers == "x" else point.y

    def _place(self, point: ChartPoint, value: float) -> tuple[str, str]:
        """The place of a value on the axis of whiskers, beside or above the point."""
        x, y = (value, point.y) if self.whiskers == "x" else (point.x, value)
        return self.along_x(x), self.along_y(y)

    def _beyond(self, value: float) -> int | None:
        """0 for a value before the axis of whiskers, 1 for one after it, None for one on it."""
        at = (self.x if self.whiskers == "x" else self.y).at(value)
        return 0 if at < -0.01 else 1 if at > 100.01 else None

    def _x(self, value: float) -> float:
        return _within(self.x.at(value))

    def _y(self, value: float) -> float:
        return 100 - _within(self.y.at(value))


def label(name: str) -> str:
    """A name from a document, truncated if long."""
    return name if len(name) <= _NAME_MAX else f"{name[: _NAME_MAX - 1]}…"


def _within(percent: float) -> float:
    return min(max(percent, 0.0), 100.0)


def _rounded(percent: float) -> float:
    return round(percent, 2)


def _percent(percent: float) -> str:
    return f"{percent:.2f}%"
