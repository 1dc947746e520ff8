"""What each section found, in one sentence: the title a reader sees before the numbers.

In: records, a language. Out: a sentence of the catalogue `report.headline.*`, filled.
"""

from __future__ import annotations

from itertools import pairwise
from statistics import fmean

from tuneproof.figures import format_bytes, format_decimal, format_percent, format_seconds, format_signed
from tuneproof.messages import Language, tell
from tuneproof.records import DataReport, JudgeRecord, Plan, Recovery, Retention, RunRecord, Selection, Verdict
from tuneproof.report.answers import Item
from tuneproof.report.charts import judge_interval


def tell_needed(verdict: Verdict, language: Language) -> str:
    """How many more items would settle what is open: probes where only the forgetting is."""
    key = "report.rows_needed" if verdict.open_on_test else "report.probes_needed"
    return tell(key, language, n=f"{verdict.rows_needed:,}")


def tell_gain(verdict: Verdict, language: Language) -> str:
    """How many tasks became clearly better or worse."""
    if not verdict.task.n:
        return tell("report.headline.gain_unknown", language)
    states = [judge_interval(task.ci95) for task in verdict.tasks if task.ci95]
    better, worse = states.count("better"), states.count("worse")
    return tell("report.headline.gain", language, better=better, worse=worse, tasks=len(verdict.tasks))


def tell_answers(items: list[Item], language: Language) -> str:
    """How many test answers improved, regressed and stayed."""
    outcomes = [item.outcome for item in items]
    counts = {name: outcomes.count(name) for name in ("improved", "regressed", "unchanged")}
    return tell("report.headline.answers", language, n=len(items), **counts)


def tell_forgotten(retention: Retention, language: Language) -> str:
    """How many of the base's right answers were lost, and how many were gained."""
    lost, gained, right = retention.lost, retention.gained, retention.base_right
    return tell("report.headline.forgotten", language, lost=lost, gained=gained, base_right=right)


def tell_degeneration(verdict: Verdict, language: Language) -> str:
    """Whether the answers became stereotyped, looping, cut or empty."""
    failed = len(verdict.degeneration_failed)
    if all(value is None for value in verdict.degeneration.get("tuned", {}).values()):
        return tell("report.headline.degeneration_unknown", language)
    return tell("report.headline.degeneration_failed" if failed else "report.headline.degeneration", language, n=failed)


def tell_opinion(judge: JudgeRecord, language: Language) -> str:
    """Whether a judge model sees a difference."""
    if judge.ci95 is None:
        return tell("report.headline.opinion_unknown", language)
    state = judge_interval(judge.ci95)
    return tell(f"report.headline.opinion_{state}", language, wins=judge.wins, losses=judge.losses, n=judge.n)


def tell_loss(losses: list[tuple[int, float]], language: Language) -> str:
    """Where the training loss began and ended: means over a tenth of the steps, since single steps are noise."""
    width = max(1, len(losses) // 10)
    first, last = (fmean(loss for _, loss in some) for some in (losses[:width], losses[-width:]))
    numbers = {"first": format_decimal(first, language), "last": format_decimal(last, language)}
    key = "report.headline.loss_fell" if last < first else "report.headline.loss_rose"
    return tell(key, language, steps=losses[-1][0], **numbers)


def tell_selection(selection: Selection, language: Language) -> str:
    """Which checkpoint was chosen, at which scale, with what score."""
    chosen = (selection.checkpoint, selection.scale)
    score = next((one.score for one in selection.candidates if (one.checkpoint, one.scale) == chosen), None)
    values = {"step": selection.checkpoint, "scale": f"{selection.scale:g}"}
    return tell("report.headline.selection", language, score=format_percent(score, language), **values)


def tell_trade(selection: Selection, language: Language) -> str:
    """What the chosen candidate lost and won of the probes that candidates answer."""
    chosen = (selection.checkpoint, selection.scale)
    one = next(one for one in selection.candidates if (one.checkpoint, one.scale) == chosen)
    numbers = {"lost": one.lost, "gained": one.gained, "probes": one.probes}
    return tell("report.headline.trade", language, scale=f"{one.scale:g}", **numbers)


def tell_data(data: DataReport, language: Language) -> str:
    """How many rows were used, and how much was found."""
    found = sum(data.counts.values())
    return tell("report.headline.data", language, rows=f"{data.rows:,}", usable=f"{data.usable:,}", found=f"{found:,}")


def tell_lengths(data: DataReport, language: Language) -> str:
    """In which class of lengths the middle row lies."""
    passed, middle = 0, sum(data.lengths) / 2
    for (low, high), count in zip(pairwise(data.length_edges), data.lengths, strict=False):
        passed += count
        if passed >= middle:
            return tell("report.headline.lengths", language, low=f"{low:,}", high=f"{high - 1:,}")
    return tell("report.headline.lengths", language, low="0", high="0")


def tell_memory(plan: Plan, measured: int | None, language: Language) -> str:
    """How far the prediction was from what was measured."""
    predicted = format_bytes(plan.peak_bytes, language)
    if not measured:
        return tell("report.headline.memory_predicted", language, predicted=predicted)
    error = tell_error(plan.peak_bytes / measured - 1, language)
    numbers = {"predicted": predicted, "measured": format_bytes(measured, language), "error": error}
    return tell("report.headline.memory", language, **numbers)


def tell_error(error: float | None, language: Language) -> str:
    """By which share a plan was off."""
    if error is None:
        return tell("report.not_measured", language)
    return tell("report.percent", language, number=format_signed(error, language))


def tell_time(run: RunRecord, plan: Plan | None, language: Language) -> str:
    """How long it took so far, and how long it was meant to take."""
    real = format_seconds(sum(stage.seconds for stage in run.stages.values()), language)
    if plan is None or plan.time is None:
        return tell("report.headline.time", language, real=real)
    told = {"real": real, "planned": format_seconds(plan.time.seconds(), language)}
    if plan.time.limit is not None:
        limit = format_seconds(plan.time.limit, language)
        told["planned"] = tell("report.within", language, planned=told["planned"], limit=limit)
    error = plan.time.miss({name: stage.seconds for name, stage in run.stages.items()})
    if error is None:
        return tell("report.headline.time_planned", language, **told)
    return tell("report.headline.time_held", language, **told, error=tell_error(error, language))


def tell_recovery(recovery: Recovery, language: Language) -> str:
    """That memory ran out, where, and what was changed before it was done again."""
    where = tell(f"report.ran_out.{recovery.where}", language)
    step = "" if recovery.step is None else tell("report.at_step", language, step=recovery.step)
    told = {"lever": recovery.lever, "before": recovery.before, "after": recovery.after}
    return tell("report.recovered", language, where=where, step=step, **told)
