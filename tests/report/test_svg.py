"""Drawings let no markup in, and their scales hold what they show."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from tuneproof.report.svg import Scale, choose_ticks, draw, draw_chart

NUMBERS = st.floats(-1e6, 1e6).map(lambda number: round(number, 4))


def test_texts_and_attributes_are_escaped() -> None:
    drawn = draw("text", '<script>"&', x='"><img>', y=12.5, text_anchor="end", class_="tick")
    element = ElementTree.fromstring(drawn)
    assert element.text == '<script>"&'
    assert element.attrib == {"x": '"><img>', "y": "12.5", "text-anchor": "end", "class": "tick"}
    assert len(element) == 0


def test_only_drawn_elements_nest() -> None:
    outer = ElementTree.fromstring(draw_chart("a <title>", 20, draw("g", draw("title", "<b>"), "<i>")))
    assert outer.attrib["aria-label"] == "a <title>"
    assert [element.tag for element in outer.iter()] == ["svg", "g", "title"]


@given(st.text(), st.text(st.characters(exclude_categories=[])))
def test_any_text_is_well_formed(attribute: str, text: str) -> None:
    drawn = draw("text", text, x=attribute)
    assert isinstance(drawn, Markup)
    assert ElementTree.fromstring(drawn).tag == "text"


@given(NUMBERS, NUMBERS)
def test_ticks_enclose_the_values_and_are_few(one: float, other: float) -> None:
    low, high = sorted((one, other))
    ticks = choose_ticks(low, high)
    slack = 1e-6 * max(1.0, abs(low), abs(high))
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack
    assert 2 <= len(ticks) <= 6
    assert ticks == sorted(set(ticks))


@given(st.lists(NUMBERS, min_size=1))
def test_every_value_is_placed_inside_the_plot(values: list[float]) -> None:
    scale = Scale(values)
    places = [float(scale.place(value).rstrip("%")) for value in values]
    assert all(scale.left - 0.01 <= place <= scale.right + 0.01 for place in places)


def test_ticks_are_round() -> None:
    assert choose_ticks(-29, 86) == [-50, 0, 50, 100]
    assert choose_ticks(0.41, 2.5) == [0, 1, 2, 3]
