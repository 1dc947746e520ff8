"""Choose checkpoint and adapter scale by generated answers on the select split; loss has no vote.

Every checkpoint at every scale is a candidate. All answer a first look of 20 rows, the best four answer all rows and
a slice of the probes (others than the verdict's): successive halving (Jamieson and Talwalkar, AISTATS 2016) with one
cut. Each has a chance to ship (`evals/chance`; none where its answers degenerate), and is worth that chance times
its gain. Of those worth about as much as the best, the earliest checkpoint, then the smallest scale, within one
standard error of the best one's score is chosen (1-SE rule): the least drift that costs nothing measurable. Where no
finalist is likely to ship, weaker scales of the best checkpoint are tried. Scaling is exact interpolation with the
base, and interpolation has the best known trade of gain against forgetting (docs/evidence.md, rule 14). The score of
the choice is never reported as the result: best-of-20 on 50 items overstates by 7.9 points (docs/evidence.md, rule
15).

In: what candidates are asked and a way to ask one. Out: a `Selection`, with the whole curve over the scale at the
chosen checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tuneproof.evals.chance import foresee_kept, foresee_lead
from tuneproof.evals.control import macro_average
from tuneproof.evals.degeneration import compare_degeneration
from tuneproof.evals.task import spread_items
from tuneproof.records import Answer, Candidate, Selection
from tuneproof.statistics import paired_error

FIRST_LOOK = 20
"""Select rows that every candidate answers."""
FINALISTS = 4
"""Candidates that answer all of them, and the probes."""
LIKELY = 0.5
"""Chance from which a candidate is likely to ship."""
AS_GOOD = 0.9
"""Share of the best worth from which another is as good: so few answers cannot tell them apart."""

Key = tuple[int, float]
"""Checkpoint (its step) and adapter scale."""


class Ahead(NamedTuple):
    """What the verdict will look at."""

    net_loss: float
    """Largest net loss that ships, a share of the probes."""
    rows: int
    """Test rows that the control answers too."""
    probes: int


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


class Tried(NamedTuple):
    """What a candidate said."""

    rows: Sequence[Answer]
    probes: Sequence[Answer] | None = None


def choose_candidate(
    checkpoints: Sequence[int], scales: Sequence[float], exam: Exam, losses: Mapping[int, float]
) -> Selection:
    """Try the candidates and choose. `losses`: the training loss near each checkpoint, shown and not used."""
    keys = [(step, scale) for step in sorted(checkpoints) for scale in sorted(set(scales))]
    tried, finalists = _look_first(keys, exam)
    for key in finalists:
        tried[key] = _try_whole(key, exam, tried)
    best_step = _best(tried)[0]
    weaker = [key for key in reversed(keys) if key[0] == best_step and key not in finalists]
    while weaker and not any(_foresee(tried[key], exam) >= LIKELY for key in finalists):
        finalists.append(weaker.pop(0))
        tried[finalists[-1]] = _try_whole(finalists[-1], exam, tried)
    final = {key: tried[key] for key in finalists}
    chosen, best = _pick(final, exam), _best(final)
    for key in keys if exam.probes else []:
        if key[0] == chosen[0] and tried[key].probes is None:
            tried[key] = tried[key]._replace(probes=exam.ask(*key, exam.probes))
    reason = "select.best" if chosen == best else "select.within_error"
    if chosen != best and _foresee(tried[best], exam) < AS_GOOD * _foresee(tried[chosen], exam):
        reason = "select.likelier"
    if _foresee(tried[chosen], exam) < LIKELY:
        reason = "select.unlikely"
    candidates = [_describe(key, said, final[best], exam, losses) for key, said in tried.items()]
    return Selection(checkpoint=chosen[0], scale=chosen[1], reason=reason, candidates=candidates)


def _look_first(keys: Sequence[Key], exam: Exam) -> tuple[dict[Key, Tried], list[Key]]:
    """The first look of every candidate, and the finalists; without a look where there is nothing to cut."""
    if len(keys) <= FINALISTS or len(exam.rows) <= FIRST_LOOK:
        return {}, list(keys)
    look = spread_items(exam.rows, FIRST_LOOK)
    tried = {key: Tried(exam.ask(*key, look)) for key in keys}
    return tried, sorted(keys, key=lambda key: (-_score(tried[key].rows), key))[:FINALISTS]


def _try_whole(key: Key, exam: Exam, tried: Mapping[Key, Tried]) -> Tried:
    """All rows, those of the first look not asked again, and the probes."""
    said = {answer.id: answer for answer in tried[key].rows} if key in tried else {}
    rest = [row for row in exam.rows if row.id not in said]
    said |= {answer.id: answer for answer in exam.ask(*key, rest)}
    return Tried([said[row.id] for row in exam.rows], exam.ask(*key, exam.probes) if exam.probes else None)


def _pick(final: Mapping[Key, Tried], exam: Exam) -> Key:
    """The earliest, smallest candidate within one standard error of the one worth most, of those worth as much."""
    worth = {key: _weigh(said, exam) for key, said in final.items()}
    best = min(final, key=lambda key: (-worth[key], -_score(final[key].rows), key))
    for key in sorted(key for key in final if worth[key] >= AS_GOOD * worth[best]):
        gaps = _list_gaps(final[best], final[key])
        error = paired_error(gaps)
        if key == best or (error is not None and sum(gaps) / len(gaps) <= error):
            return key
    return best


def _weigh(said: Tried, exam: Exam) -> float:
    """The gain that can be expected to ship: chance times gain; 0 without a gain."""
    return _foresee(said, exam) * max(0.0, _score(said.rows) - _score(exam.rows))


def _foresee(said: Tried, exam: Exam) -> float:
    """Chance to ship, 0 to 1: a lead over base and control, no more forgotten than allowed, no degeneration."""
    if _list_gates(said, exam):
        return 0.0
    by_id = {answer.id: answer.score for answer in said.rows}
    leads = []
    for arm in (exam.rows, exam.control):
        both = [other for other in arm if other.id in by_id]
        gaps = [by_id[other.id] - other.score for other in both]
        leads.append(foresee_lead(gaps, [other.task for other in both], exam.verdict.rows))
    kept = foresee_kept(exam.probes, said.probes, exam.verdict.probes, exam.verdict.net_loss) if said.probes else 1.0
    # The weaker of the two leads decides; both rest on the same answers.
    return min(leads) * kept


def _best(tried: Mapping[Key, Tried]) -> Key:
    """The candidate with the highest score; the earliest and smallest of equals."""
    return min(tried, key=lambda key: (-_score(tried[key].rows), key))


def _score(answers: Sequence[Answer]) -> float:
    return macro_average([answer.task for answer in answers], [answer.score for answer in answers]) or 0.0


def _list_gaps(best: Tried, said: Tried) -> list[float]:
    """By how much the best is ahead, row by row, on the rows that both have answered."""
    by_id = {answer.id: answer.score for answer in best.rows}
    return [by_id[answer.id] - answer.score for answer in said.rows if answer.id in by_id]


def _list_gates(said: Tried, exam: Exam) -> list[str]:
    """Degeneration gates that these answers fail."""
    base = {answer.id: answer for answer in exam.rows}
    return compare_degeneration([base[answer.id] for answer in said.rows], said.rows)[1]


def _describe(key: Key, said: Tried, best: Tried, exam: Exam, losses: Mapping[int, float]) -> Candidate:
    gaps = _list_gaps(best, said)
    pairs = list(zip(exam.probes, said.probes, strict=True)) if said.probes is not None else []
    right = sum(before.right for before, _ in pairs)
    lost = sum(before.right and not after.right for before, after in pairs)
    return Candidate(
        checkpoint=key[0],
        scale=key[1],
        n=len(said.rows),
        score=_score(said.rows),
        standard_error=paired_error(gaps) if any(gaps) else None,
        retention=(right - lost) / right if right else None,
        probes=len(pairs),
        lost=lost if pairs else None,
        gained=sum(after.right and not before.right for before, after in pairs) if pairs else None,
        train_loss=losses.get(key[0]),
        degeneration=_list_gates(said, exam),
        chance=_foresee(said, exam) if said.probes or not exam.probes else None,
    )
