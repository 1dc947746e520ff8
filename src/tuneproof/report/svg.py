"""Inline SVG, and nothing that could carry markup in: elements whose texts and attributes are always escaped.

Horizontal places are per cent of the width and vertical ones pixels, so a chart fits a phone and a desk without its
letters growing or shrinking. In: names, attributes, children. Out: Markup that the template writes as it is.

    draw("text", "a < b", x="0", y=12)  ->  <text x="0" y="12">a &lt; b</text>
"""

from __future__ import annotations

import math

from markupsafe import Markup, escape

from tuneproof.report.text import show_controls

# Plots keep this much of the width free on both sides, for marks that sit on the edge.
LEFT, RIGHT = 1.5, 98.5


def draw(name: str, *children: str, **attributes: str | float) -> Markup:
    """One element. Children that are not Markup are text; `_` in an attribute's name stands for `-`."""
    written = [
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _write(value)) for key, value in attributes.items()
    ]
    inner = [child if isinstance(child, Markup) else escape(show_controls(child)) for child in children]
    return Markup("<{0}{1}>{2}</{0}>").format(name, Markup("").join(written), Markup("").join(inner))


def _write(value: str | float) -> str:
    return show_controls(value) if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")


def draw_chart(title: str, height: float, *children: Markup) -> Markup:
    """The outer element: as wide as its column, `height` pixels high; `title` is what a screen reader says."""
    return draw("svg", *children, class_="chart", role="img", aria_label=title, width="100%", height=height)


class Scale:
    """Values to per cent of the width, over round numbers that hold all of them."""

    def __init__(self, values: list[float], left: float = LEFT, right: float = RIGHT) -> None:
        self.ticks = choose_ticks(min(values), max(values))
        self.low, self.high = min(self.ticks[0], *values), max(self.ticks[-1], *values)
        self.left, self.right = left, right

    def share(self, value: float) -> float:
        """How far along the scale `value` lies, 0 to 1."""
        return (value - self.low) / (self.high - self.low)

    def place(self, value: float) -> str:
        """`value` as per cent of the width."""
        return f"{self.left + (self.right - self.left) * self.share(value):.2f}%"


def choose_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """At most `most` + 1 round numbers (steps of 1, 2 or 5 times a power of ten) that enclose `low` and `high`."""
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(factor * power for factor in (1, 2, 5, 10, 20) if span / (factor * power) <= most - 1)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, -math.floor(math.log10(step)))
    return [round(number * step, digits) for number in range(first, max(last, first + 1) + 1)]


MARKS = {
    "better": "M0,-6 L6,5 L-6,5 Z",
    "worse": "M0,6 L6,-5 L-6,-5 Z",
    "unclear": "M-5,0 a5,5 0 1,0 10,0 a5,5 0 1,0 -10,0 Z",
    "chosen": "M0,-7 L7,0 L0,7 L-7,0 Z",
    "other": "M-3.5,0 a3.5,3.5 0 1,0 7,0 a3.5,3.5 0 1,0 -7,0 Z",
}


def draw_mark(kind: str, x: str, y: float) -> Markup:
    """A mark whose meaning is its shape as well as its colour."""
    return draw("svg", draw("path", d=MARKS[kind], class_=f"mark {kind}"), x=x, y=y, overflow="visible")


def draw_line(x: tuple[str, str], y: tuple[float, float], class_: str) -> Markup:
    """A straight line; `x` in per cent, `y` in pixels."""
    return draw("line", x1=x[0], x2=x[1], y1=y[0], y2=y[1], class_=class_)


def draw_axis(scale: Scale, y: tuple[float, float], labels: list[str], title: str) -> Markup:
    """Vertical grid from `y[0]` to `y[1]` at the scale's ticks, their labels and the axis' title below."""
    parts = []
    for tick, label in zip(scale.ticks, labels, strict=True):
        x = scale.place(tick)
        parts.append(draw_line((x, x), y, "zero" if tick == 0 else "grid"))
        parts.append(draw("text", label, x=x, y=y[1] + 16, class_="tick", text_anchor=_anchor(scale.share(tick))))
    parts.append(draw("text", title, x="50%", y=y[1] + 34, class_="axis", text_anchor="middle"))
    return Markup("").join(parts)


def _anchor(share: float) -> str:
    """Labels at the ends are set inwards, so that they are not cut off."""
    if share < 0.05:
        return "start"
    return "end" if share > 0.95 else "middle"
