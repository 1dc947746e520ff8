"""Which remedy against forgetting and degeneration is worth a look at the test rows, and why none ships.

A remedy is a candidate (checkpoint and adapter scale) of the run's own training, or of another one. Each is foreseen
from the select rows and the slice of probes that the run's own choice was made by; the test rows have no part in that.
Looked at is what is likely to ship.

More than one look at the same test rows would raise the rate of false gains, were it not for the condition: remedies
are tried only where the first look has shown the gain over base and control. A training that taught nothing fails that
first look as often as ever, and is not looked at again. The forgetting has no such guard: each further look, of which
there are four at most, is another chance that it falls below the limit by luck. So their number is told.

    if is_curable(verdict): ...
    pick_prospect([weigh_prospect((40, 0.5), said, exam), ...])
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tuneproof.evals.select import LIKELY, Exam, Key, Tried, weigh_answers
from tuneproof.evals.tally import count_flips, score_answers
from tuneproof.records import Answer, Remedy, Verdict

CURABLE = {"loss_significant", "loss_large", "degenerate"}
"""Reasons that remedies are against."""
SHOWN = {"gain_real", "beats_control"}
"""What the first look must have shown."""
HOPELESS = 0.05
"""Chance below which nothing is looked at any more: 19 of 20 such looks would be spent for nothing, and each of them is
one more chance for luck."""


class Prospect(NamedTuple):
    """A candidate, and what may be expected of it."""

    key: Key
    tried: Tried
    gain: float
    """Select score minus the base's on the same rows."""

    @property
    def worth(self) -> float:
        """The gain that can be expected to ship."""
        return self.tried.chance * max(0.0, self.gain)


def is_curable(verdict: Verdict) -> bool:
    """Whether remedies are tried: the gain is shown, and forgetting or degeneration speaks against shipping."""
    reasons = set(verdict.reasons)
    return verdict.decision == "dont_ship" and reasons >= SHOWN and bool(reasons & CURABLE)


def weigh_prospect(key: Key, said: Iterable[Answer], exam: Exam) -> Prospect:
    """What a candidate's answers to select rows and probes promise, as far as it was asked."""
    by_id = {answer.id: answer for answer in said}
    base = [row for row in exam.rows if row.id in by_id]
    whole = bool(exam.probes) and all(probe.id in by_id for probe in exam.probes)
    probes = [by_id[probe.id] for probe in exam.probes] if whole else None
    tried = weigh_answers([by_id[row.id] for row in base], probes, exam)
    return Prospect(key, tried, tried.score - (score_answers(base) or 0.0))


def list_hopeful(prospects: Mapping[Key, Prospect], most: int) -> list[Key]:
    """Those that were not asked the probes and could be likely to ship by their rows; the best, `most` of them."""
    open_ = [one for one in prospects.values() if one.tried.probes is None and one.tried.chance >= LIKELY]
    return [one.key for one in sorted(open_, key=lambda one: (-one.worth, one.key))[:most]]


def pick_prospect(prospects: Iterable[Prospect]) -> Prospect | None:
    """The one worth most among those likely to ship; among all where none is; None without any."""
    every = list(prospects)
    likely = [one for one in every if one.tried.chance >= LIKELY]
    return min(likely or every, key=lambda one: (-one.worth, one.key), default=None)


def describe_prospect(remedy: Remedy, prospect: Prospect, exam: Exam) -> Remedy:
    """The remedy with its candidate and what is expected of it."""
    tried = prospect.tried
    lost, gained = count_flips(exam.probes, tried.probes) if tried.probes else (None, None)
    return remedy.model_copy(
        update={
            "checkpoint": prospect.key[0],
            "scale": prospect.key[1],
            "select_score": tried.score,
            "select_gain": prospect.gain,
            "probes": len(tried.probes or ()),
            "slice_lost": lost,
            "slice_gained": gained,
            "lead": tried.lead,
            "kept": tried.kept,
            "chance": tried.chance,
            "faults": tried.faults,
            "keeps": not tried.faults and tried.kept >= LIKELY,
            "learns": tried.lead >= LIKELY,
        }
    )


def describe_look(remedy: Remedy, verdict: Verdict, look: int) -> Remedy:
    """The remedy with what a look at the test rows and the verdict's probes has found."""
    reasons, lost = set(verdict.reasons), verdict.retention
    keeps = False if reasons & CURABLE else True if "loss_small" in reasons else None
    return remedy.model_copy(
        update={
            "look": look,
            "decision": verdict.decision,
            "delta": verdict.task.delta,
            "ci95": verdict.task.ci95,
            "lost": lost.lost,
            "gained": lost.gained,
            "net_loss": lost.net_loss,
            "faults": verdict.degeneration_failed,
            "keeps": keeps,
            "learns": reasons >= SHOWN,
        }
    )


def is_likely(remedy: Remedy) -> bool:
    """Whether it is looked at as soon as it is foreseen."""
    return remedy.chance is not None and remedy.chance >= LIKELY


def pick_last(remedies: Sequence[Remedy]) -> Remedy | None:
    """What is looked at where nothing was likely: the one worth most; None where all are as good as hopeless."""
    if any(remedy.look is not None for remedy in remedies):
        return None
    left = [one for one in remedies if one.chance is not None and one.chance >= HOPELESS and one.worth > 0]
    return max(left, key=lambda one: one.worth, default=None)


def explain_end(remedies: Sequence[Remedy]) -> str:
    """Key of the sentence that says how it ended, from what each remedy keeps and learns."""
    tried = [one for one in remedies if one.checkpoint is not None]
    if any(one.decision == "ship" for one in tried):
        return "cure.ships"
    if not tried:
        return "cure.nothing"
    keeping = [one for one in tried if one.keeps]
    if keeping:
        return "cure.open" if any(one.learns for one in keeping) else "cure.little"
    if any(one.keeps is None for one in tried):
        return "cure.open"
    return "cure.degenerates" if all(one.faults for one in tried) else "cure.forgets"
