"""Charts place their marks where the numbers are."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tuneproof.report.charts import (
    CURVE_HEIGHT,
    NAME_HEIGHT,
    CurvePoint,
    Curves,
    IntervalRow,
    MemoryBars,
    Part,
    draw_curves,
    draw_intervals,
    draw_memory,
    judge_interval,
    shorten,
    thin_out,
)


def find_class(drawing: str, name: str) -> list[ElementTree.Element]:
    return [one for one in ElementTree.fromstring(drawing).iter() if name in one.get("class", "").split()]


def percent(element: ElementTree.Element, name: str) -> float:
    return float(element.attrib[name].rstrip("%"))


@pytest.mark.parametrize(
    ("interval", "state"), [((0.01, 0.2), "better"), ((-0.2, -0.01), "worse"), ((0.0, 0.2), "unclear")]
)
def test_an_interval_that_holds_zero_is_unclear(interval: tuple[float, float], state: str) -> None:
    assert judge_interval(interval) == state


def test_intervals_lie_on_their_side_of_zero() -> None:
    rows = [
        IntervalRow("up", 10, 0.5, (0.4, 0.6), "+50.0"),
        IntervalRow("down", 10, -0.2, (-0.3, -0.1), "−20.0"),
        IntervalRow("open", None, 0.05, (-0.1, 0.2), "+5.0"),
    ]
    drawing = draw_intervals(rows, "title", "points")
    zero = percent(find_class(drawing, "zero")[0], "x1")
    up, down, unclear = find_class(drawing, "interval")
    assert percent(up, "x1") > zero
    assert percent(down, "x2") < zero
    assert percent(unclear, "x1") < zero < percent(unclear, "x2")
    assert [mark.get("class") for mark in find_class(drawing, "mark")] == ["mark better", "mark worse", "mark unclear"]
    # A sign stands in the text too: colour is never alone.
    assert [value.text for value in find_class(drawing, "value")] == ["▲ +50.0", "▼ −20.0", "○ +5.0"]


def test_long_names_are_cut_by_width_not_by_count() -> None:
    assert shorten("short") == "short"
    assert shorten("a" * 40) == "a" * 16 + "…"
    assert shorten("客" * 40) == "客" * 8 + "…"


def test_curves_place_points_by_value() -> None:
    line = [CurvePoint(0, 0.0), CurvePoint(10, 2.0, chosen=True, text="chosen")]
    drawing = draw_curves(Curves([line], "title", ("step", "loss")))
    (curve,) = find_class(drawing, "curve")
    assert float(curve.attrib["y1"]) - float(curve.attrib["y2"]) == CURVE_HEIGHT
    assert percent(curve, "x1") < percent(curve, "x2")
    assert len(find_class(drawing, "chosen")) == 1


@pytest.mark.parametrize("order", [1, -1])
def test_names_of_points_that_lie_close_do_not_stand_on_each_other(order: int) -> None:
    ends = {"kept": 60, "score": 57, "third": 58, "far": 5}
    lines = [[CurvePoint(0, 100 - high), CurvePoint(1, high, text=name)] for name, high in ends.items()]
    drawing = draw_curves(Curves(lines[::order], "", ("", "")))
    heights = {element.text: float(element.attrib["y"]) for element in find_class(drawing, "value")}
    assert list(heights) == ["kept", "third", "score", "far"]
    assert heights["third"] - heights["kept"] == heights["score"] - heights["third"] == NAME_HEIGHT
    marks = [float(element.attrib["y2"]) for element in find_class(drawing, "curve")]
    assert (heights["kept"], heights["far"]) == (min(marks) - 12, max(marks) - 12)


def test_a_whisker_is_as_long_as_its_error() -> None:
    line = [CurvePoint(0, 1.0, error=0.5), CurvePoint(1, 2.0)]
    (whisker,) = find_class(draw_curves(Curves([line], "", ("", ""), marked=True)), "whisker")
    ticks = (0.5, 2.0)
    assert float(whisker.attrib["y2"]) - float(whisker.attrib["y1"]) == pytest.approx(
        CURVE_HEIGHT * 1.0 / (ticks[1] - ticks[0]), abs=0.01
    )


def test_a_single_point_is_a_curve_too() -> None:
    drawing = draw_curves(Curves([[CurvePoint(5, 0.0, chosen=True)]], "", ("", "")))
    assert find_class(drawing, "curve") == []
    assert len(find_class(drawing, "chosen")) == 1


def test_thinning_keeps_few_points_the_last_step_and_the_mean() -> None:
    points = [(step, float(step)) for step in range(1, 1001)]
    thin = thin_out(points)
    assert len(thin) <= 120
    assert thin[-1][0] == 1000
    assert thin[0] == (9, 5.0)
    assert thin_out(points[:50]) == points[:50]
    assert thin_out([]) == []


def make_bars(limit: int, measured: tuple[int, str] | None = (900, "measured")) -> MemoryBars:
    parts = [Part(1, "weights", 750), Part(2, "logits", 250)]
    return MemoryBars(parts, "predicted", measured, (limit, "limit"), "title")


def test_parts_fill_the_bar_in_proportion() -> None:
    weights, logits, measured = find_class(draw_memory(make_bars(2000)), "part")
    assert percent(weights, "width") == pytest.approx(3 * percent(logits, "width"), abs=0.05)
    assert percent(logits, "x") == pytest.approx(percent(weights, "width"), abs=0.02)
    total = percent(weights, "width") + percent(logits, "width")
    assert percent(measured, "width") == pytest.approx(0.9 * total, abs=0.05)
    (limit,) = find_class(draw_memory(make_bars(2000)), "limit")
    assert percent(limit, "x1") == pytest.approx(2 * total, abs=0.05)


def test_a_limit_far_away_is_named_and_not_drawn() -> None:
    drawing = draw_memory(make_bars(100_000))
    assert find_class(drawing, "limit") == []
    assert [value.text for value in find_class(drawing, "value")] == ["limit →"]


def test_a_peak_that_was_not_measured_has_no_bar() -> None:
    assert find_class(draw_memory(make_bars(2000, None)), "measured") == []
