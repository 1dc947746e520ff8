"""The page's section on further runs: only where there are some, whole in both languages, equal to the record."""

from __future__ import annotations

import html
import re
from typing import get_args
from xml.etree import ElementTree

import pytest

from tests.trials import make_cure, make_trials
from tuneproof.messages import Language
from tuneproof.records import CurveSpot, LearningCurve
from tuneproof.report import render_report
from tuneproof.report.rounds import name_fault, plot_curve
from tuneproof.rundir import RunDir

LANGUAGES: tuple[Language, ...] = get_args(Language)


@pytest.fixture
def tried(complete: RunDir) -> RunDir:
    complete.save(make_trials())
    return complete


def read_section(page: str) -> str:
    """The words of the section."""
    section = page.partition('aria-labelledby="trials"')[2].partition("</section>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", section)).split())


def test_a_run_without_trials_has_no_such_section(complete: RunDir) -> None:
    page = render_report(complete, "en")
    assert 'id="trials"' not in page
    assert 'href="#trials"' not in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_section_is_listed_and_whole(tried: RunDir, language: Language) -> None:
    page = render_report(tried, language)
    assert page.count('href="#trials"') == page.count('id="trials"') == 1
    record, words = make_trials(), read_section(page)
    assert record.seeds is not None
    assert record.curve is not None
    assert record.rate is not None
    told = [*record.seeds.told(language), *record.curve.told(language), *record.rate.told(language)]
    assert [line for line in told if line not in words] == []
    for text in ("seed-18", "rows-25", "rate-3x", "361", "−14 +3", "◆ 0.000333", "+12.0"):
        assert text in words, text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_disagreement_is_a_reason_beside_the_verdict(tried: RunDir, language: Language) -> None:
    seeds = make_trials().seeds
    assert seeds is not None
    reasons = render_report(tried, language).partition('class="reasons"')[2].partition("</ul>")[0]
    assert seeds.tell_agreement(language) in html.unescape(reasons)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_remedy_has_a_row_and_the_verdict_says_that_it_is_a_cured_one(
    complete: RunDir, language: Language
) -> None:
    record = make_cure()
    assert record.cure is not None
    complete.save(record)
    page = render_report(complete, language)
    words, adopted = read_section(page), record.cure.tell_adopted(language)
    for one in (record.cure.first, *record.cure.remedies):
        assert one.tell_name(language) in words
    for text in (adopted, "180 × 0.5", "−19 +4", "196 × 0.75", "◆ " + record.cure.remedies[-1].tell_name(language)):
        assert text in words, text
    assert record.cure.remedies[1].told(language)[0] in words
    assert adopted in html.unescape(page.partition('aria-labelledby="verdict"')[2].partition("</section>")[0])
    record.cure.adopted, record.cure.reason = None, "cure.forgets"
    complete.save(record)
    page = render_report(complete, language)
    assert record.cure.told(language)[0] in read_section(page)
    assert adopted not in html.unescape(page)
    assert f"◆ {record.cure.first.tell_name(language)}" in read_section(page)


def test_the_curve_has_a_whisker_for_each_interval() -> None:
    curve = make_trials().curve
    assert curve is not None
    drawing = plot_curve(curve, "en")
    assert drawing is not None
    chart = ElementTree.fromstring(drawing)
    whiskers = [line for line in chart.iter("line") if line.get("class") == "whisker"]
    lengths = [float(line.attrib["y2"]) - float(line.attrib["y1"]) for line in whiskers]
    widths = [point.ci95[1] - point.ci95[0] for point in curve.points if point.ci95]
    assert [length / lengths[0] for length in lengths] == pytest.approx(
        [width / widths[0] for width in widths], abs=0.01
    )
    marks = [path.get("class") for path in chart.iter("path")]
    assert marks == ["mark other", "mark other", "mark chosen"]


def test_an_uneven_interval_is_drawn_uneven() -> None:
    spots = [
        CurveSpot(share=share, rows=rows, steps=1, trial=None, delta=0.5, ci95=(0.4, 0.9))
        for share, rows in ((0.5, 10), (1.0, 20))
    ]
    drawing = plot_curve(LearningCurve(points=spots), "en")
    assert drawing is not None
    chart = ElementTree.fromstring(drawing)
    line = next(line for line in chart.iter("line") if line.get("class") == "whisker")
    mark = next(inner for inner in chart.iter("svg") if inner.get("y") and inner is not chart)
    top, y, bottom = float(line.attrib["y1"]), float(mark.attrib["y"]), float(line.attrib["y2"])
    assert (y - top) / (bottom - y) == pytest.approx(4, abs=0.05)


def test_a_curve_that_was_not_measured_is_not_drawn() -> None:
    spots = [CurveSpot(share=1.0, rows=20, steps=1, trial=None, delta=None, ci95=None)]
    assert plot_curve(LearningCurve(points=spots), "en") is None


def test_gates_have_names() -> None:
    assert name_fault("failed", "en") == "training failed"
    assert name_fault("empty_rate", "zh") == "空回答占比"
