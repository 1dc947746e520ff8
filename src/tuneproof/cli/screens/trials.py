"""What runs inside a run have shown: the remedies, the spread over seeds, the learning curve, the learning rates.

In: the record. Out: something rich can print; below the closing summary, and only where there is something to say.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType

from tuneproof.cli.figures import format_interval, format_percent, format_signed
from tuneproof.cli.screens.frame import make_list, make_part, make_table
from tuneproof.cli.words import name_of
from tuneproof.figures import format_decimal, to_plain
from tuneproof.messages import tell
from tuneproof.records import Cure, LearningCurve, RateProbe, RateTried, Search, SeedSpread, Trials


def draw_trials(trials: Trials) -> RenderableType:
    """A part each."""
    parts = []
    if trials.search is not None:
        parts.append(_draw_search(trials.search))
    if trials.rate is not None:
        parts.append(_draw_rate(trials.rate))
    if trials.cure is not None:
        parts.append(_draw_cure(trials.cure))
    if trials.seeds is not None:
        parts.append(_draw_seeds(trials.seeds))
    if trials.curve is not None:
        parts.append(_draw_curve(trials.curve))
    return Group(*parts)


def _draw_search(search: Search) -> RenderableType:
    rows = [
        [
            ("* " if one.name == search.chosen else "") + one.name,
            *(to_plain(told) for told in one.tell_changes()),
            str(one.steps) if one.steps is not None else "-",
            format_percent(one.score),
            one.tell_end(),
        ]
        for one in search.tried
    ]
    head = _head("trial", "rate", "rank", "passes", "replay", "steps", "score", "end")
    lines = [*map(to_plain, search.told()), tell("search.note")]
    return make_part(tell("trials.search"), make_table(head, rows, range(1, 7)), make_list(lines))


def _draw_cure(cure: Cure) -> RenderableType:
    """Each remedy with what was foreseen and what was found; then how it ended."""
    parts = [
        make_part(to_plain(("* " if one.name == cure.adopted else "") + one.tell_name()), *map(to_plain, one.told()))
        for one in cure.remedies
    ]
    notes = [tell("cure.note")] if parts else []
    return make_part(tell("cure.title"), *parts, make_list([*map(to_plain, cure.told()), *notes]))


def _draw_seeds(seeds: SeedSpread) -> RenderableType:
    rows = [
        [
            str(run.seed),
            format_signed(run.delta),
            format_interval(run.ci95),
            format_percent(run.net_loss),
            name_of("report.decision", run.decision) if run.decision else name_of("trials.gate", "failed"),
        ]
        for run in seeds.runs
    ]
    table = make_table(_head("seed", "gain", "ci95", "net", "verdict"), rows, range(4))
    note = tell("trials.seeds_note", seed=seeds.runs[0].seed)
    return make_part(tell("trials.seeds"), table, make_list([*map(to_plain, seeds.told()), note]))


def _draw_curve(curve: LearningCurve) -> RenderableType:
    rows = [
        [f"{100 * one.share:.0f} %", str(one.rows), str(one.steps), format_signed(one.delta), format_interval(one.ci95)]
        for one in curve.points
    ]
    table = make_table(_head("share", "rows", "steps", "gain", "ci95"), rows, range(5))
    return make_part(tell("trials.curve"), table, make_list([*map(to_plain, curve.told()), tell("trials.curve_note")]))


def _draw_rate(probe: RateProbe) -> RenderableType:
    def mark(one: RateTried) -> str:
        return "; ".join(_name_fault(fault) for fault in one.faults) or tell("report.gate.passed")

    rows = [
        [
            ("* " if one.rate == probe.chosen else "") + to_plain(format_decimal(one.rate)),
            str(one.steps) if one.steps is not None else "-",
            format_percent(one.score),
            f"-{one.lost} +{one.gained}" if one.lost is not None else "-",
            mark(one),
        ]
        for one in probe.tried
    ]
    table = make_table(_head("rate", "steps", "score", "flips", "gates"), rows, range(4))
    lines = [*map(to_plain, probe.told()), tell("trials.rate_note")]
    return make_part(tell("trials.rate"), table, make_list(lines))


def _name_fault(fault: str) -> str:
    """A gate of the trials, or one of the degeneration measures."""
    named = name_of("trials.gate", fault)
    return named if named != fault else name_of("report.measure", fault)


def _head(*columns: str) -> Sequence[str]:
    return [tell(f"trials.column.{name}") for name in columns]
