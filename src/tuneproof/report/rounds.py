"""Further runs on the page: the chart of the learning curve, and the words for the gates of a tried learning rate.

In: the record of the trials, a language. Out: inline SVG, or None where there is nothing to draw; words.
"""

from __future__ import annotations

from markupsafe import Markup

from tuneproof.messages import Language, load_catalogue, tell
from tuneproof.records import LearningCurve
from tuneproof.report.charts import CurvePoint, Curves, draw_curves
from tuneproof.report.words import name_of


def plot_curve(curve: LearningCurve, language: Language) -> Markup | None:
    """Gain over the base by training rows, with the interval of each point; the run itself is the chosen one."""
    line = [
        CurvePoint(
            spot.rows,
            100 * spot.delta,
            chosen=spot.trial is None,
            text=tell("trials.this_run", language) if spot.trial is None else "",
            ends=(100 * spot.ci95[0], 100 * spot.ci95[1]),
        )
        for spot in curve.points
        if spot.delta is not None and spot.ci95 is not None
    ]
    if len(line) < 2:
        return None
    axes = tell("report.axis.rows", language), tell("report.axis.curve_gain", language)
    return draw_curves(Curves([line], curve.told(language)[-1], axes, marked=True))


def name_fault(fault: str, language: Language) -> str:
    """A gate of the trials, or one of the degeneration measures."""
    group = "trials.gate" if f"trials.gate.{fault}" in load_catalogue() else "report.measure"
    return name_of(group, fault, language)
