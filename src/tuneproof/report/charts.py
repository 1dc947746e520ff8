"""The page's charts: intervals of the gain, training loss, select scores, parts of the memory, lengths of rows.

In: plain numbers and labels in the page's language. Out: inline SVG. Colour carries better, worse and unsure only, and
a shape always goes with it; everything else is drawn in greys. Each chart's numbers stand in a table beside it.

    draw_intervals([IntervalRow("invoices", 45, 0.62, (0.54, 0.70), "+62.0 (+54.0 to +70.0)")], "gain", "points")
"""

from __future__ import annotations

import math
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from markupsafe import Markup

from tuneproof.figures import MINUS
from tuneproof.report.svg import Scale, draw, draw_axis, draw_chart, draw_line, draw_mark

SIGNS = {"better": "▲", "worse": "▼", "unclear": "○"}
LABEL_COLUMNS = 16
CURVE_TOP, CURVE_HEIGHT = 30, 200
NAME_HEIGHT = 16
"""Pixels between two names at one place, so that they do not stand on each other."""


class IntervalRow(NamedTuple):
    """A difference (shares, -1 to 1) with its interval, both as text, and the number of items where it is recorded."""

    label: str
    n: int | None
    value: float
    ci95: tuple[float, float]
    text: str

    @property
    def state(self) -> Literal["better", "worse", "unclear"]:
        """Clear only when the whole interval lies on one side of zero."""
        return judge_interval(self.ci95)


def judge_interval(interval: tuple[float, float]) -> Literal["better", "worse", "unclear"]:
    """Better or worse when zero lies outside the interval."""
    if interval[0] > 0:
        return "better"
    return "worse" if interval[1] < 0 else "unclear"


def draw_intervals(rows: list[IntervalRow], title: str, axis: str) -> Markup:
    """A mark and its 95 % interval a row, over a common axis in points."""
    scale = Scale([0.0, *(100 * end for row in rows for end in (*row.ci95, row.value))])
    step, top = 48, 8
    bottom = top + step * len(rows)
    parts = [draw_axis(scale, (top, bottom), [_sign_tick(tick) for tick in scale.ticks], axis)]
    for number, row in enumerate(rows):
        y = top + step * number + 34
        ends = scale.place(100 * row.ci95[0]), scale.place(100 * row.ci95[1])
        count = draw("tspan", f" n {row.n}", class_="tick") if row.n is not None else Markup("")
        label = draw("text", shorten(row.label), count, x="0", y=y - 16, class_="label")
        text = draw("text", f"{SIGNS[row.state]} {row.text}", x="100%", y=y - 16, class_="value", text_anchor="end")
        line = draw_line(ends, (y, y), f"interval {row.state}")
        parts += [
            draw(
                "g", draw("title", row.label), label, text, line, draw_mark(row.state, scale.place(100 * row.value), y)
            )
        ]
    return draw_chart(title, bottom + 42, *parts)


def _sign_tick(tick: float) -> str:
    return f"{tick:+g}".replace("-", MINUS) if tick else "0"


def shorten(label: str) -> str:
    """`label` cut to the width of a phone; the table beside the chart has all of it."""
    width, kept = 0, ""
    for character in label:
        width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if width > LABEL_COLUMNS:
            return kept.rstrip() + "…"
        kept += character
    return kept


class CurvePoint(NamedTuple):
    """A point of a curve; `error` is the half-length of its whisker in units of y, `ends` those of an uneven one."""

    x: float
    y: float
    error: float = 0.0
    chosen: bool = False
    text: str = ""
    ends: tuple[float, float] | None = None

    @property
    def whisker(self) -> tuple[float, float]:
        """Lower and upper end of the whisker; the point itself where it has none."""
        return self.ends or (self.y - self.error, self.y + self.error)


def thin_out(points: list[tuple[int, float]], most: int = 120) -> list[tuple[int, float]]:
    """At most `most` points: neighbours averaged, at the last step of each group."""
    size = math.ceil(len(points) / most)
    groups = [points[start : start + size] for start in range(0, len(points), size)] if points else []
    return [(group[-1][0], sum(value for _, value in group) / len(group)) for group in groups]


@dataclass(frozen=True)
class Curves:
    """Lines over a common pair of axes, and how their ticks are written: `{}` is the number."""

    lines: list[list[CurvePoint]]
    title: str
    axes: tuple[str, str]
    """What x and y are, with units."""
    marked: bool = False
    """Whether every point gets a mark, or only the line is drawn."""


def draw_curves(curves: Curves) -> Markup:
    """Lines with whiskers where a point has an error, and a diamond at the chosen one."""
    points = [point for line in curves.lines for point in line]
    across = Scale([point.x for point in points], left=9, right=97)
    up = Scale([end for point in points for end in (point.y, *point.whisker)])
    bottom = CURVE_TOP + CURVE_HEIGHT
    parts = [draw("text", curves.axes[1], x="0", y=14, class_="axis")]
    for tick in up.ticks:
        y = bottom - CURVE_HEIGHT * up.share(tick)
        parts.append(draw_line(("9%", "100%"), (y, y), "grid"))
        parts.append(draw("text", f"{tick:g}".replace("-", MINUS), x="7.5%", y=y + 4, class_="tick", text_anchor="end"))
    parts.append(draw_axis(across, (bottom, bottom), [f"{tick:g}" for tick in across.ticks], curves.axes[0]))
    named = defaultdict(list)
    for line in curves.lines:
        places = [(across.place(point.x), bottom - CURVE_HEIGHT * up.share(point.y)) for point in line]
        for (x, y), (next_x, next_y) in pairwise(places):
            parts.append(draw_line((x, next_x), (y, next_y), "curve"))
        for point, (x, y) in zip(line, places, strict=True):
            parts += _draw_point(point, (x, y), up, marked=curves.marked)
            if point.text:
                named[x].append((y, point.text))
    for x, names in named.items():
        anchor, free = "end" if float(x.rstrip("%")) > 60 else "start", -math.inf
        for y, text in sorted(names):
            # Above its point; lower where the name of a higher point is in the way.
            free = max(y - 12, free + NAME_HEIGHT)
            parts.append(draw("text", text, x=x, y=free, class_="value", text_anchor=anchor))
    return draw_chart(curves.title, bottom + 42, *parts)


def _draw_point(point: CurvePoint, place: tuple[str, float], up: Scale, *, marked: bool) -> list[Markup]:
    x, y = place
    parts = []
    low, high = point.whisker
    if low < high:
        bottom = CURVE_TOP + CURVE_HEIGHT
        ends = bottom - CURVE_HEIGHT * up.share(high), bottom - CURVE_HEIGHT * up.share(low)
        parts.append(draw_line((x, x), ends, "whisker"))
    if marked or point.chosen:
        parts.append(draw_mark("chosen" if point.chosen else "other", x, y))
    return parts


class Part(NamedTuple):
    """A stretch of a stacked bar."""

    number: int
    label: str
    size: int


@dataclass(frozen=True)
class MemoryBars:
    """Predicted parts over the measured peak, against the limit. Sizes in bytes, with the texts that name them."""

    parts: list[Part]
    predicted: str
    measured: tuple[int, str] | None
    limit: tuple[int, str]
    title: str


def draw_memory(bars: MemoryBars) -> Markup:
    """A stacked bar of the predicted parts, a plain bar of what was measured, and a dashed line at the limit."""
    total = sum(part.size for part in bars.parts)
    widest = max(total, bars.measured[0] if bars.measured else 0)
    # A limit far away would squeeze the bars to a sliver: it is then named at the edge, with an arrow.
    near = bars.limit[0] <= 3 * widest
    whole = max(widest, bars.limit[0] if near else 0) * 1.02 or 1
    drawn = [draw("text", bars.predicted, x="0", y=38, class_="label")]
    start = 0
    for part in bars.parts:
        x, width = 100 * start / whole, 100 * part.size / whole
        rect = draw(
            "rect",
            draw("title", part.label),
            x=f"{x:.2f}%",
            y=46,
            width=f"{width:.2f}%",
            height=32,
            class_=f"part shade-{part.number % 3}",
        )
        drawn.append(rect)
        if width >= 5:
            drawn.append(
                draw("text", str(part.number), x=f"{x + width / 2:.2f}%", y=67, class_="inside", text_anchor="middle")
            )
        start += part.size
    if bars.measured:
        drawn.append(draw("text", bars.measured[1], x="0", y=104, class_="label"))
        drawn.append(
            draw(
                "rect", x="0", y=112, width=f"{100 * bars.measured[0] / whole:.2f}%", height=16, class_="part measured"
            )
        )
    height = 136 if bars.measured else 86
    share = bars.limit[0] / whole if near else 1.0
    if near:
        drawn.append(draw_line((f"{100 * share:.2f}%",) * 2, (20, height - 4), "limit"))
    text, anchor = bars.limit[1] + ("" if near else " →"), "end" if share > 0.5 else "start"
    drawn.append(draw("text", text, x=f"{100 * share:.2f}%", y=14, class_="value", text_anchor=anchor))
    return draw_chart(bars.title, height, *drawn)


class Bar(NamedTuple):
    """A bar of a histogram: what it counts, how many, and both as text."""

    label: str
    size: int
    text: str


def draw_histogram(bars: Sequence[Bar], title: str, axis: str) -> Markup:
    """A bar a line, its label before it and its count behind it; `axis` names what the labels are."""
    most = max(bar.size for bar in bars) or 1
    drawn = [draw("text", axis, x="0", y=14, class_="axis")]
    for number, bar in enumerate(bars):
        y, width = 24 + 24 * number, 55 * bar.size / most
        drawn.append(draw("text", bar.label, x="24%", y=y + 14, class_="tick", text_anchor="end"))
        drawn.append(draw("rect", x="26%", y=y, width=f"{width:.2f}%", height=18, class_="part shade-0"))
        drawn.append(draw("text", bar.text, x=f"{27 + width:.2f}%", y=y + 14, class_="tick"))
    return draw_chart(title, 28 + 24 * len(bars), *drawn)
