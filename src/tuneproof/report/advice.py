"""What to do next after a verdict: a sentence and, where there is one, what to type.

In: a verdict, and what else the run folder tells. Out: Advice in the order in which to try it.

    advise(verdict, Known(record, plan, None), "runs/first", "en")[0].commands    # ["tuneproof blame runs/first lost"]
"""

from __future__ import annotations

import shlex
from typing import NamedTuple

from tuneproof.messages import Language, tell
from tuneproof.records import Plan, RunRecord, Trials, Verdict

TEST_OPEN = {"gain_unclear", "control_unclear"}
CUTS = {"test rows": TEST_OPEN, "retention items": {"too_few_base_right"}}
"""What a time limit may have cut, and the reasons that this leaves open."""
FORGOT = {"loss_significant", "loss_large"}
MANY = 10
"""So many times the test rows that there are: nobody collects them, and so small a gain is not worth it."""


class Advice(NamedTuple):
    """One thing to do."""

    text: str
    commands: list[str]


class Known(NamedTuple):
    """What else a run folder tells, as far as it is there."""

    record: RunRecord
    plan: Plan | None
    trials: Trials | None


def advise(verdict: Verdict, known: Known, folder: str, language: Language) -> list[Advice]:
    """What the reasons of the verdict ask for; nothing that has been done already."""
    reasons, place = set(verdict.reasons), shlex.quote(folder)
    forgot = verdict.retention.lost > verdict.retention.gained and bool(verdict.retention.lost_items)
    if verdict.decision == "ship":
        use = [f"tuneproof serve {place}", f"tuneproof export {place} --to gguf"]
        return [
            Advice(tell("report.advice.try", language), [f"tuneproof chat {place}"]),
            Advice(tell("report.advice.use", language), use),
        ]
    told: list[Advice] = []
    if forgot and reasons & {*FORGOT, "too_few_base_right"}:
        told.append(Advice(tell("report.advice.blame", language), [f"tuneproof blame {place} lost"]))
    if reasons & {*FORGOT, "degenerate"}:
        told += _advise_cure(reasons, known, language)
    if reasons & {"worse_than_base", "not_beats_control"}:
        told.append(Advice(tell("report.advice.rows", language), []))
    if "not_beats_control" in reasons:
        told.append(Advice(tell("report.advice.prompt", language), []))
    cut = known.plan.time.cut if known.plan and known.plan.time else []
    if any(one.startswith(name) for one in cut for name, open_ in CUTS.items() if reasons & open_):
        told.append(Advice(tell("report.advice.time", language), []))
    if reasons & TEST_OPEN | reasons & {"no_test"}:
        told += _advise_test(verdict, language)
    if "too_few_base_right" in reasons:
        told.append(Advice(tell("report.advice.probes", language), ["tuneproof models"]))
    return told


def _advise_cure(reasons: set[str], known: Known, language: Language) -> list[Advice]:
    """Remedies, which are for a gain that is shown."""
    if known.trials and known.trials.cure:
        return [Advice(tell("report.advice.cured", language), [])]
    if {"gain_real", "beats_control"} <= reasons:
        return [Advice(tell("report.advice.cure", language), [f"{known.record.command} --cure"])]
    return []


def _advise_test(verdict: Verdict, language: Language) -> list[Advice]:
    """More test rows; where no one would collect so many, better rows to train on."""
    if verdict.rows_needed and verdict.open_on_test and verdict.rows_needed > MANY * max(verdict.task.n, 1):
        tiny = tell("report.advice.tiny", language, times=MANY)
        return [Advice(tiny, []), Advice(tell("report.advice.rows", language), [])]
    return [Advice(tell("report.advice.test", language), [])]
