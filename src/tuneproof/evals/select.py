"""Choose checkpoint and adapter scale by generated answers on the select split; loss has no vote.

The earliest checkpoint whose paired difference from the best is within one standard error (1-SE rule), then the
smallest scale of that checkpoint within one standard error of it: the least drift that costs nothing measurable. A
candidate that fails a degeneration gate is passed over while another passes. The score of the choice is never
reported as the result: best-of-20 on 50 items overstates by 7.9 points (docs/evidence.md, rule 15).

In: a function that answers the select items for one candidate. Out: a `Selection`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tuneproof.evals.control import macro_average
from tuneproof.evals.degeneration import judge_degeneration, measure_degeneration
from tuneproof.records import Answer, Candidate, Selection
from tuneproof.statistics import paired_error

Answerer = Callable[[int, float], Sequence[Answer]]


def choose_candidate(
    checkpoints: Sequence[int],
    scales: Sequence[float],
    answer: Answerer,
    base: Sequence[Answer],
    losses: Mapping[int, float],
) -> Selection:
    """Score every checkpoint at full scale, then the best checkpoint at the other scales, and choose.

    `answer(checkpoint, scale)` gives the select answers; `base` the base model's, for the degeneration gates; `losses`
    the training loss near each checkpoint, shown and not used.
    """
    full = max(scales)
    scored = {(step, full): list(answer(step, full)) for step in sorted(checkpoints)}
    step, _ = _pick(scored, base)
    for scale in sorted(scales):
        if scale != full:
            scored[step, scale] = list(answer(step, scale))
    one_step = {key: answers for key, answers in scored.items() if key[0] == step}
    chosen = _pick(one_step, base)
    best = _best(scored)
    reason = "select.best" if chosen == best else "select.within_error"
    if _gates(scored[chosen], base):
        reason = "select.none_passes"
    candidates = [_describe(key, answers, scored[best], base, losses) for key, answers in scored.items()]
    return Selection(checkpoint=chosen[0], scale=chosen[1], reason=reason, candidates=candidates)


Key = tuple[int, float]


def _pick(scored: Mapping[Key, Sequence[Answer]], base: Sequence[Answer]) -> Key:
    """The earliest, smallest candidate within one standard error of the best, among those that pass the gates."""
    passing = {key: answers for key, answers in scored.items() if not _gates(answers, base)} or dict(scored)
    best = _best(passing)
    for key in sorted(passing):
        gaps = [top.score - other.score for top, other in zip(passing[best], passing[key], strict=False)]
        error = paired_error(gaps)
        if key == best or (error is not None and sum(gaps) / len(gaps) <= error):
            return key
    return best


def _best(scored: Mapping[Key, Sequence[Answer]]) -> Key:
    """The candidate with the highest score; the earliest and smallest of equals."""
    return min(scored, key=lambda key: (-(_score(scored[key]) or 0.0), key))


def _score(answers: Sequence[Answer]) -> float | None:
    return macro_average([answer.task for answer in answers], [answer.score for answer in answers])


def _gates(answers: Sequence[Answer], base: Sequence[Answer]) -> list[str]:
    """Degeneration gates that these answers fail."""
    references = [answer.reference for answer in answers]

    def measure(some: Sequence[Answer]) -> dict[str, float | None]:
        return measure_degeneration([a.answer for a in some], [a.finish == "end" for a in some], references)

    ends = [True] * len(references)
    return judge_degeneration(measure(base), measure(answers), measure_degeneration(references, ends, references))


def _describe(
    key: Key,
    answers: Sequence[Answer],
    best: Sequence[Answer],
    base: Sequence[Answer],
    losses: Mapping[int, float],
) -> Candidate:
    gaps = [top.score - other.score for top, other in zip(best, answers, strict=False)]
    return Candidate(
        checkpoint=key[0],
        scale=key[1],
        n=len(answers),
        score=_score(answers) or 0.0,
        standard_error=paired_error(gaps) if any(gaps) else None,
        train_loss=losses.get(key[0]),
        degeneration=_gates(answers, base),
    )
