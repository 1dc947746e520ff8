"""The records' numbers, handed to the charts with the page's words for them.

In: records, a language. Out: inline SVG, or None where there is nothing to draw.
"""

from __future__ import annotations

from itertools import pairwise

from markupsafe import Markup

from tuneproof.figures import format_bytes, format_interval, format_signed
from tuneproof.messages import Language, tell
from tuneproof.records import Candidate, DataReport, Plan, Selection, TaskResult, Verdict
from tuneproof.report import headlines
from tuneproof.report.charts import (
    Bar,
    CurvePoint,
    Curves,
    IntervalRow,
    MemoryBars,
    Part,
    draw_curves,
    draw_histogram,
    draw_intervals,
    draw_memory,
)
from tuneproof.report.words import name_of


def plot_gain(verdict: Verdict, language: Language) -> Markup | None:
    """All tasks against the base and against the control, then each task against the base."""
    every, control = verdict.task, verdict.task.control
    rows = _make_row(tell("report.all_tasks", language), every, language)
    if control:
        text = _write_interval(control.delta, control.ci95, language)
        rows.append(IntervalRow(tell("report.against_control", language), None, control.delta, control.ci95, text))
    for task in verdict.tasks:
        rows += _make_row(task.task, task, language)
    if not rows:
        return None
    return draw_intervals(rows, headlines.tell_gain(verdict, language), tell("report.axis.gain", language))


def _make_row(label: str, task: TaskResult, language: Language) -> list[IntervalRow]:
    if task.delta is None or task.ci95 is None:
        return []
    return [IntervalRow(label, task.n, task.delta, task.ci95, _write_interval(task.delta, task.ci95, language))]


def _write_interval(delta: float, ci95: tuple[float, float], language: Language) -> str:
    return f"{format_signed(delta, language)} ({format_interval(ci95, language)})"


def plot_loss(losses: list[tuple[int, float]], chosen: int | None, language: Language) -> Markup | None:
    """Training loss by step; the chosen checkpoint's step is marked."""
    if not losses:
        return None
    near = min((step for step, _ in losses), key=lambda step: abs(step - chosen)) if chosen else None
    word = tell("report.chosen", language)
    line = [CurvePoint(step, loss, chosen=step == near, text=word if step == near else "") for step, loss in losses]
    axes = tell("report.axis.step", language), tell("report.axis.loss", language)
    return draw_curves(Curves([line], headlines.tell_loss(losses, language), axes))


def plot_selection(selection: Selection, language: Language) -> Markup | None:
    """Select score by checkpoint, a line for each adapter scale; nothing where `plot_trade` shows every candidate."""
    steps = {one.checkpoint for one in selection.candidates}
    if not steps or (len(steps) == 1 and _list_trade(selection)):
        return None
    chosen, word = (selection.checkpoint, selection.scale), tell("report.chosen", language)

    def make_point(one: Candidate) -> CurvePoint:
        taken = (one.checkpoint, one.scale) == chosen
        scale = "" if one.scale == 1 else f"×{one.scale:g}"
        text = f"{word} {scale}".rstrip() if taken else scale
        return CurvePoint(one.checkpoint, 100 * one.score, 100 * (one.standard_error or 0.0), taken, text)

    ordered = sorted(selection.candidates, key=lambda one: one.checkpoint)
    scales = sorted({one.scale for one in ordered}, reverse=True)
    lines = [[make_point(one) for one in ordered if one.scale == scale] for scale in scales]
    axes = tell("report.axis.step", language), tell("report.axis.score", language)
    return draw_curves(Curves(lines, headlines.tell_selection(selection, language), axes, marked=True))


def _list_trade(selection: Selection) -> list[Candidate]:
    """Scales of the chosen checkpoint that answered probes; none where there are too few for a curve."""
    here = (one for one in selection.candidates if one.checkpoint == selection.checkpoint)
    tried = sorted((one for one in here if one.retention is not None), key=lambda one: one.scale)
    return tried if len(tried) > 1 else []


def plot_trade(selection: Selection, language: Language) -> Markup | None:
    """Gain against forgetting over the adapter's scale: select score and share of kept probes, a line each."""
    tried = _list_trade(selection)
    if not tried:
        return None

    def make_line(name: str, values: list[float]) -> list[CurvePoint]:
        last = tell(f"report.line.{name}", language)
        return [
            CurvePoint(one.scale, 100 * value, 0.0, one.scale == selection.scale, last if one is tried[-1] else "")
            for one, value in zip(tried, values, strict=True)
        ]

    lines = [make_line("score", [one.score for one in tried]), make_line("kept", [one.retention or 0 for one in tried])]
    axes = tell("report.axis.scale", language), tell("report.axis.percent", language)
    return draw_curves(Curves(lines, headlines.tell_trade(selection, language), axes, marked=True))


def list_lengths(data: DataReport) -> list[Bar]:
    """The classes of lengths, in characters, and how many rows are in each."""
    bins = zip(pairwise(data.length_edges), data.lengths, strict=False)
    return [Bar(f"{low:,}–{high - 1:,}", count, f"{count:,}") for (low, high), count in bins]


def plot_lengths(data: DataReport, language: Language) -> Markup:
    """How long the usable rows are."""
    return draw_histogram(
        list_lengths(data), headlines.tell_lengths(data, language), tell("report.axis.characters", language)
    )


def plot_memory(plan: Plan, measured: int | None, language: Language) -> Markup:
    """Predicted parts, the measured peak, the limit."""
    sizes = list(plan.parts.model_dump().items())
    names = [f"{name_of('report.part', name, language)}: {format_bytes(size, language)}" for name, size in sizes]
    parts = [Part(n, names[n - 1], size) for n, (_, size) in enumerate(sizes, start=1) if size]

    def write(key: str, size: int) -> str:
        return tell(f"report.bar.{key}", language, size=format_bytes(size, language))

    bars = MemoryBars(
        parts,
        write("predicted", plan.peak_bytes),
        (measured, write("measured", measured)) if measured else None,
        (plan.limit_bytes, write("limit", plan.limit_bytes)),
        headlines.tell_memory(plan, measured, language),
    )
    return draw_memory(bars)
