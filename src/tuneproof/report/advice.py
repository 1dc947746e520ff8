"""What to do next after a verdict: a sentence and, where there is one, what to type.

In: a verdict, the run's record, what further runs have shown. Out: Advice in the order in which to try it.

    advise(verdict, record, trials, "runs/first", "en")[0].commands    # ["tuneproof blame runs/first lost"]
"""

from __future__ import annotations

import shlex
from typing import NamedTuple

from tuneproof.messages import Language, tell
from tuneproof.records import RunRecord, Trials, Verdict

FORGOT = {"loss_significant", "loss_large"}
MANY = 10
"""So many times the test rows that there are: nobody collects them, and so small a gain is not worth it."""


class Advice(NamedTuple):
    """One thing to do."""

    text: str
    commands: list[str]


def advise(verdict: Verdict, record: RunRecord, trials: Trials | None, folder: str, language: Language) -> list[Advice]:
    """What the reasons of the verdict ask for; nothing that has been done already."""
    reasons, place = set(verdict.reasons), shlex.quote(folder)
    if verdict.decision == "ship":
        use = [f"tuneproof serve {place}", f"tuneproof export {place} --to gguf"]
        return [
            Advice(tell("report.advice.try", language), [f"tuneproof chat {place}"]),
            Advice(tell("report.advice.use", language), use),
        ]
    told: list[Advice] = []
    if reasons & FORGOT and verdict.retention.lost_items:
        told.append(Advice(tell("report.advice.blame", language), [f"tuneproof blame {place} lost"]))
    if reasons & {*FORGOT, "degenerate"}:
        told += _advise_cure(reasons, record, trials, language)
    if reasons & {"worse_than_base", "not_beats_control"}:
        told.append(Advice(tell("report.advice.rows", language), []))
    if "not_beats_control" in reasons:
        told.append(Advice(tell("report.advice.prompt", language), []))
    if reasons & {"gain_unclear", "control_unclear", "no_test"}:
        told += _advise_test(verdict, language)
    if "too_few_base_right" in reasons:
        told.append(Advice(tell("report.advice.probes", language), ["tuneproof models"]))
    return told


def _advise_cure(reasons: set[str], record: RunRecord, trials: Trials | None, language: Language) -> list[Advice]:
    """Remedies, which are for a gain that is shown."""
    if trials and trials.cure:
        return [Advice(tell("report.advice.cured", language), [])]
    if {"gain_real", "beats_control"} <= reasons:
        return [Advice(tell("report.advice.cure", language), [f"{record.command} --cure"])]
    return []


def _advise_test(verdict: Verdict, language: Language) -> list[Advice]:
    """More test rows; where no one would collect so many, better rows to train on."""
    if verdict.rows_needed and verdict.open_on_test and verdict.rows_needed > MANY * max(verdict.task.n, 1):
        tiny = tell("report.advice.tiny", language, times=MANY)
        return [Advice(tiny, []), Advice(tell("report.advice.rows", language), [])]
    return [Advice(tell("report.advice.test", language), [])]
