"""Choose checkpoint and adapter scale by generated answers on the select split; loss has no vote.

Every checkpoint at every scale is a candidate. All answer a first look of 20 rows, the best four answer all rows and
a slice of the probes (others than the verdict's): successive halving (Jamieson and Talwalkar, AISTATS 2016) with one
cut. Each has a chance to ship (`evals/chance`; none where its answers degenerate), and is worth that chance times
its gain. Of those worth about as much as the best, or as likely to ship, the earliest checkpoint, then the smallest
scale, within one standard error of the best one's score is chosen (1-SE rule): the least drift that costs nothing
measurable. Where no finalist is likely to ship, weaker scales of the best checkpoint are tried, and the same rule
chooses among those about as likely as the likeliest, or, with nothing gained, among those that keep enough. Scaling is
exact interpolation with the base, and interpolation has the best known trade of gain against forgetting
(docs/evidence.md, rule 14). The score of the choice is never reported as the result: best-of-20 on 50 items overstates
by 7.9 points (docs/evidence.md, rule 15).

In: what candidates are asked and a way to ask one. Out: a `Selection`, with the whole curve over the scale at the
chosen checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from tuneproof.evals.chance import Bounds, foresee_kept, foresee_lead
from tuneproof.evals.degeneration import compare_degeneration
from tuneproof.evals.tally import count_flips, list_gaps, score_answers
from tuneproof.evals.task import spread_items
from tuneproof.records import Answer, Candidate, Selection
from tuneproof.statistics import paired_error

FIRST_LOOK = 20
"""Select rows that every candidate answers."""
FINALISTS = 4
"""Candidates that answer all of them, and the probes."""
LIKELY = 0.5
"""Chance from which a candidate is likely to ship."""
AS_LIKELY = 0.05
"""By so much chances differ that are about the same, where none is likely to ship."""
AS_GOOD = 0.9
"""Share of the best worth from which another is as good: so few answers cannot tell them apart."""

Key = tuple[int, float]
"""Checkpoint (its step) and adapter scale."""


class Ahead(NamedTuple):
    """What the verdict will look at."""

    bounds: Bounds
    rows: int
    """Test rows."""
    probes: int
    """Probes of families that count."""
    shown: int | None = None
    """Test rows that the base answers with examples, too; None: all."""
    weak: Collection[str] = ()
    """Families that the base is too weak in: the verdict leaves them out, since there only gains are to be had."""


class Exam(NamedTuple):
    """What candidates are asked."""

    rows: Sequence[Answer]
    """The base's answers to the select rows."""
    probes: Sequence[Answer]
    """The base's answers to the slice of the probes; with none, no candidate is judged by what it forgot."""
    ask: Callable[[int, float, Sequence[Answer]], Sequence[Answer]]
    """A candidate's answers to the items of these answers of the base, in their order."""
    verdict: Ahead
    """What the verdict will look at."""
    control: Sequence[Answer] = ()
    """The base's answers to some of the rows with examples in the prompt."""
    untaught: Callable[[Sequence[Answer]], Sequence[Sequence[float]]] = lambda rows: ()
    """Scores of the controls that take no model, beside a candidate's answers to some of the rows."""


class Tried(NamedTuple):
    """What a candidate said, and what that comes to."""

    rows: Sequence[Answer]
    probes: Sequence[Answer] | None
    score: float
    faults: list[str]
    """Degeneration gates that the answers fail."""
    lead: float
    """Chance of a lead over base and control, 0 to 1."""
    kept: float
    """Chance that little enough is forgotten, 0 to 1; 1 where the probes were not asked."""

    @property
    def restraint(self) -> float:
        """Chance that nothing is wrong with it but a gain that is too small; 0 where the answers degenerate."""
        return 0.0 if self.faults else self.kept

    @property
    def chance(self) -> float:
        """Chance to ship; 0 where the answers degenerate."""
        return self.lead * self.restraint


def choose_candidate(
    checkpoints: Sequence[int], scales: Sequence[float], exam: Exam, losses: Mapping[int, float]
) -> Selection:
    """Try the candidates and choose. `losses`: the training loss near each checkpoint, shown and not used."""
    keys = [(step, scale) for step in sorted(checkpoints) for scale in sorted(set(scales))]
    tried, finalists = _look_first(keys, exam)
    for key in finalists:
        tried[key] = try_whole(key, exam, tried)
    best_step = _best(tried)[0]
    weaker = [key for key in reversed(keys) if key[0] == best_step and key not in finalists]
    while weaker and not any(tried[key].chance >= LIKELY for key in finalists):
        finalists.append(weaker.pop(0))
        tried[finalists[-1]] = try_whole(finalists[-1], exam, tried)
    final = {key: tried[key] for key in finalists}
    chosen, best = _pick(final, exam), _best(final)
    for key in keys if exam.probes else []:
        if key[0] == chosen[0] and tried[key].probes is None:
            tried[key] = weigh_answers(tried[key].rows, exam.ask(*key, exam.probes), exam)
    reason = "select.best" if chosen == best else "select.within_error"
    if chosen != best and final[best].chance < AS_GOOD * final[chosen].chance:
        reason = "select.likelier"
    if final[chosen].chance < LIKELY:
        reason = "select.unlikely"
    if len(keys) == 1:
        reason = "select.only"
    candidates = [describe_candidate(key, said, final[best], exam, losses) for key, said in tried.items()]
    return Selection(checkpoint=chosen[0], scale=chosen[1], reason=reason, candidates=candidates)


def _look_first(keys: Sequence[Key], exam: Exam) -> tuple[dict[Key, Tried], list[Key]]:
    """The first look of every candidate, and the finalists; without a look where there is nothing to cut."""
    if len(keys) <= FINALISTS or len(exam.rows) <= FIRST_LOOK:
        return {}, list(keys)
    look = spread_items(exam.rows, FIRST_LOOK)
    tried = {key: weigh_answers(exam.ask(*key, look), None, exam) for key in keys}
    return tried, sorted(keys, key=lambda key: (-tried[key].score, key))[:FINALISTS]


def try_whole(key: Key, exam: Exam, tried: Mapping[Key, Tried]) -> Tried:
    """All rows and the probes; what it has answered is not asked again."""
    said = {answer.id: answer for answer in tried[key].rows} if key in tried else {}
    rest = [row for row in exam.rows if row.id not in said]
    said |= {answer.id: answer for answer in (exam.ask(*key, rest) if rest else [])}
    probes = tried[key].probes if key in tried else None
    if exam.probes and probes is None:
        probes = exam.ask(*key, exam.probes)
    return weigh_answers([said[row.id] for row in exam.rows], probes, exam)


def weigh_answers(rows: Sequence[Answer], probes: Sequence[Answer] | None, exam: Exam) -> Tried:
    """Score, gates and chance to ship of what a candidate said."""
    base = {answer.id: answer for answer in exam.rows}
    faults = compare_degeneration([base[answer.id] for answer in rows], rows)[1]
    kept = foresee_kept(*_count_probes(exam, probes), exam.verdict.probes, exam.verdict.bounds) if probes else 1.0
    return Tried(rows, probes, score_answers(rows) or 0.0, faults, _foresee(rows, exam), kept)


def _count_probes(exam: Exam, probes: Sequence[Answer]) -> tuple[list[Answer], list[Answer]]:
    """The base's answers and a candidate's to the probes whose families count."""
    pairs = zip(exam.probes, probes, strict=True)
    counted = [(before, after) for before, after in pairs if before.family not in exam.verdict.weak]
    return [before for before, _ in counted], [after for _, after in counted]


def _pick(final: Mapping[Key, Tried], exam: Exam) -> Key:
    """The earliest, smallest candidate within one standard error of the best.

    The best of those likely to ship is the one worth most: worth is the gain that can be expected to ship, chance times
    gain, and one worth as much or as likely to ship is as good. Where none is likely to ship, the best score of those
    about as likely as the likeliest. Where none is even likely to lead, it is not the gain that tells them apart but
    what they forget, and the best score of those that keep enough: a few rows gained by accident must not speak for the
    larger drift.
    """
    likely = {key: said for key, said in final.items() if said.chance >= LIKELY}
    if not likely:
        leading = any(said.lead >= LIKELY for said in final.values())
        hopes = {key: said.chance if leading else said.restraint for key, said in final.items()}
        floor = min(LIKELY, max(hopes.values()) - AS_LIKELY)
        hopeful = {key: said for key, said in final.items() if hopes[key] >= floor}
        return _find_smallest(hopeful, _best(hopeful))
    base = score_answers(exam.rows) or 0.0
    worth = {key: said.chance * max(0.0, said.score - base) for key, said in likely.items()}
    best = min(likely, key=lambda key: (-worth[key], -final[key].score, key))
    as_good = {
        key: said
        for key, said in likely.items()
        if worth[key] >= AS_GOOD * worth[best] or said.chance >= final[best].chance
    }
    return _find_smallest(as_good, best)


def _find_smallest(tried: Mapping[Key, Tried], best: Key) -> Key:
    """The earliest, smallest of them whose score is within one standard error of the best one's."""
    for key in sorted(tried):
        gaps = list_gaps(tried[best].rows, tried[key].rows)
        error = paired_error(gaps)
        if key == best or (error is not None and sum(gaps) / len(gaps) <= error):
            return key
    return best


def _foresee(rows: Sequence[Answer], exam: Exam) -> float:
    """Chance of a lead over the base and every control."""
    ahead, ids = exam.verdict, [answer.id for answer in rows]
    arms = [({answer.id: answer.score for answer in exam.rows}, ahead.rows)]
    arms.append(({answer.id: answer.score for answer in exam.control}, ahead.shown or ahead.rows))
    arms += [(dict(zip(ids, scores, strict=True)), ahead.rows) for scores in exam.untaught(rows)]
    leads = []
    for others, later in arms:
        both = [answer for answer in rows if answer.id in others]
        gaps = [answer.score - others[answer.id] for answer in both]
        leads.append(foresee_lead(gaps, [answer.task for answer in both], later))
    # The weakest of the leads decides; all rest on the same answers.
    return min(leads)


def _best(tried: Mapping[Key, Tried]) -> Key:
    """The candidate with the highest score; the earliest and smallest of equals."""
    return min(tried, key=lambda key: (-tried[key].score, key))


def describe_candidate(key: Key, said: Tried, best: Tried, exam: Exam, losses: Mapping[int, float]) -> Candidate:
    """The record of a candidate, beside the one with the best score."""
    gaps = list_gaps(best.rows, said.rows)
    asked = bool(said.probes)
    right = sum(answer.right for answer in exam.probes)
    lost, gained = count_flips(exam.probes, said.probes) if said.probes else (0, 0)
    return Candidate(
        checkpoint=key[0],
        scale=key[1],
        n=len(said.rows),
        score=said.score,
        standard_error=paired_error(gaps) if any(gaps) else None,
        retention=(right - lost) / right if right and asked else None,
        probes=len(said.probes or ()),
        lost=lost if asked else None,
        gained=gained if asked else None,
        train_loss=losses.get(key[0]),
        degeneration=said.faults,
        chance=said.chance if asked or not exam.probes else None,
    )
