"""Line charts drawn with Pillow, legible at 100 %."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from .lettering import font

INK, FAINT, RULE, BACKGROUND = (20, 20, 20), (110, 110, 106), (222, 222, 216), (250, 250, 248)
TITLE_SIZE, TEXT_SIZE = 20, 16
_LEFT, _RIGHT, _BOTTOM = 64, 16, 52
# Above this ratio between the largest and the smallest value the axis is logarithmic.
_LOG_RATIO = 5.0
# With up to this many points, each gets a dot, and there is no mean.
_FEW = 20
# Lines are drawn at this multiple of their size and reduced, since Pillow's lines have jagged edges.
_FINE = 3

Color = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """One line: its name in the legend, its colour, and points (x, y) with finite numbers."""

    name: str
    color: Color
    points: Sequence[Point]
    noisy: bool = False
    """Where there are many points, they are drawn pale, with their running mean over them."""

    @property
    def is_smoothed(self) -> bool:
        return self.noisy and len(self.points) > _FEW

    @property
    def main_line(self) -> Sequence[Point]:
        """What is drawn in full colour: the running mean where the points are smoothed, else the points."""
        return running_mean(self.points) if self.is_smoothed else self.points


@dataclass(frozen=True)
class Chart:
    """Lines over a common x axis.

    Series without points are left out, and so are values of 0 and less on a logarithmic axis.
    """

    title: str
    x_label: str
    series: Sequence[Series]
    mark: tuple[float, str] | None = None
    """An x to point out, and what to write at it."""

    def draw(self, width: int, height: int) -> Image.Image:
        """RGB, `width` x `height` pixels."""
        sheet = Image.new("RGB", (width, height), BACKGROUND)
        pen = ImageDraw.Draw(sheet)
        pen.text((0, 0), self.title, fill=INK, font=font(TITLE_SIZE))
        # Without values there is only the title.
        shown = [s for s in self.series if s.points]
        if not shown:
            pen.text((0, 34), "No values yet.", fill=FAINT, font=font(TEXT_SIZE))
            return sheet
        # The legend comes first; axes, mark and lines get the room below it.
        top = 30 + _draw_legend(pen, shown, 30, width) + (28 if self.mark else 10)
        frame = _Axes(shown, (_LEFT, top, width - _RIGHT, height - _BOTTOM))
        frame.draw_axes(pen, self.x_label)
        if self.mark is not None:
            frame.draw_mark(pen, *self.mark)
        frame.draw_lines(sheet, shown)
        return sheet


class _Axes:
    """The axes, and the places of values in the picture."""

    def __init__(self, series: Sequence[Series], box: tuple[int, int, int, int]):
        self.left, self.top, self.right, self.bottom = box
        xs = [x for s in series for x, _ in s.points]
        ys = [y for s in series for _, y in s.points]
        positive = [y for y in ys if y > 0]
        self.log = bool(positive) and max(positive) / min(positive) > _LOG_RATIO
        self.x_ticks = linear_ticks(min(*xs, 0) if len(xs) > 1 else xs[0], max(xs), 6, whole=True)
        self.y_ticks = log_ticks(min(positive), max(positive)) if self.log else linear_ticks(min(ys), max(ys))
        self.x_range = self.x_ticks[0], max(self.x_ticks[-1], *xs) if len(xs) > 1 else self.x_ticks[-1]
        self.y_range = self.y_ticks[0], self.y_ticks[-1]

    def x(self, value: float) -> float:
        low, high = self.x_range
        return self.left + (value - low) / (high - low) * (self.right - self.left)

    def y(self, value: float) -> float:
        low, high = self.y_range
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.bottom - (value - low) / (high - low) * (self.bottom - self.top)

    def draw_axes(self, pen: ImageDraw.ImageDraw, x_label: str) -> None:
        text = font(TEXT_SIZE)
        for value in self.y_ticks:
            y = round(self.y(value))
            pen.line((self.left, y, self.right, y), fill=RULE)
            pen.text((self.left - 8, y), f"{value:g}", fill=INK, font=text, anchor="rm")
        for value in self.x_ticks:
            x = round(self.x(value))
            pen.line((x, self.bottom, x, self.bottom + 5), fill=INK)
            pen.text((x, self.bottom + 8), f"{value:,g}", fill=INK, font=text, anchor="mt")
        pen.line((self.left, self.bottom, self.right, self.bottom), fill=INK)
        pen.line((self.left, self.top, self.left, self.bottom), fill=INK)
        below = self.bottom + 42
        pen.text((self.right, below), x_label, fill=FAINT, font=text, anchor="rs")
        if self.log:
            pen.text((self.left, below), "logarithmic", fill=FAINT, font=text, anchor="ls")

    def draw_mark(self, pen: ImageDraw.ImageDraw, value: float, label: str) -> None:
        x = round(self.x(value))
        for y in range(self.top, self.bottom, 8):
            pen.line((x, y, x, min(y + 4, self.bottom)), fill=FAINT)
        half = math.ceil(pen.textlength(label, font(TEXT_SIZE)) / 2)
        middle = min(max(x, self.left + half), self.right - half)
        pen.text((middle, self.top - 5), label, fill=FAINT, font=font(TEXT_SIZE), anchor="mb")

    def draw_lines(self, sheet: Image.Image, series: Sequence[Series]) -> None:
        area = sheet.resize((sheet.width * _FINE, sheet.height * _FINE), Image.Resampling.NEAREST)
        pen = ImageDraw.Draw(area)
        # The first series is the one that matters, so it is drawn last, over the others.
        for one in reversed(series):
            if one.is_smoothed:
                self._line(pen, self._drawable(one.points), pale(one.color), 1)
            points = self._drawable(one.main_line)
            self._line(pen, points, one.color, 2.5)
            if len(points) <= _FEW:
                self._dots(pen, points, one.color)
        sheet.paste(area.resize(sheet.size, Image.Resampling.BOX))

    def _drawable(self, points: Sequence[Point]) -> list[Point]:
        return [(x, y) for x, y in points if y > 0 or not self.log]

    def _line(self, pen: ImageDraw.ImageDraw, points: Sequence[Point], color: Color, width: float) -> None:
        places = [(self.x(x) * _FINE, self.y(y) * _FINE) for x, y in points]
        if len(places) > 1:
            pen.line(places, fill=color, width=round(width * _FINE), joint="curve")

    def _dots(self, pen: ImageDraw.ImageDraw, points: Sequence[Point], color: Color) -> None:
        for x, y in points:
            pen.circle((self.x(x) * _FINE, self.y(y) * _FINE), 3.5 * _FINE, fill=color)


def _draw_legend(pen: ImageDraw.ImageDraw, series: Sequence[Series], top: int, width: int) -> int:
    """Draw name and last value of every series in as many rows as it takes; returns their height."""
    left, row, text = 0, 0, font(TEXT_SIZE)
    for one in series:
        label = f"{one.name} {one.main_line[-1][1]:.3g}"
        needed = 24 + round(pen.textlength(label, text)) + 18
        if left and left + needed > width:
            left, row = 0, row + 1
        y = top + 22 * row
        pen.line((left, y + 9, left + 18, y + 9), fill=one.color, width=4)
        pen.text((left + 24, y), label, fill=INK, font=text)
        left += needed
    return 22 * (row + 1)


def running_mean(points: Sequence[Point]) -> list[Point]:
    """Each y replaced by the mean of the last tenth of all points up to it, three at least."""
    span = max(3, len(points) // 10)
    ys = [y for _, y in points]
    return [(x, sum(ys[max(0, i + 1 - span) : i + 1]) / min(span, i + 1)) for i, (x, _) in enumerate(points)]


def linear_ticks(low: float, high: float, count: int = 5, whole: bool = False) -> list[float]:
    """Round numbers, about `count` of them, that enclose `low` and `high`.

    >>> linear_ticks(0.12, 0.38)
    [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4]
    >>> linear_ticks(0, 500, 6, whole=True)
    [0.0, 100.0, 200.0, 300.0, 400.0, 500.0]
    """
    if high <= low:
        low, high = low - (abs(low) / 2 or 1), high + (abs(high) / 2 or 1)
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.75)
    step = max(step, 1.0) if whole else step
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten that enclose `low` and `high`; over wide ranges powers alone.

    >>> log_ticks(0.03, 0.9)
    [0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
    """
    factors = (1, 2, 5) if high / low < 300 else (1,)
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    ticks = [round(m * 10.0**p, 12) for p in powers for m in factors]
    first = max(i for i, tick in enumerate(ticks) if tick <= low)
    last = min(i for i, tick in enumerate(ticks) if tick >= high)
    return ticks[first : max(last, first + 1) + 1]


def pale(color: Color) -> Color:
    """Two thirds of the way to the background."""
    red, green, blue = ((c + 2 * b) // 3 for c, b in zip(color, BACKGROUND, strict=True))
    return red, green, blue
