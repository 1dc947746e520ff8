"""Choose checkpoint and adapter scale by generated answers on the select split; loss has no vote.

The earliest checkpoint whose paired difference from the best is within one standard error (1-SE rule), then the
smallest scale of that checkpoint within one standard error of it: the least drift that costs nothing measurable. A
candidate that fails a gate is passed over while another passes: degeneration, and on a slice of the probes (other ones
than those of the verdict) a net loss above the verdict's threshold. Scaling is exact interpolation with the base, and
interpolation has the best known trade of gain against forgetting (docs/evidence.md, rule 14). The score of the choice
is never reported as the result: best-of-20 on 50 items overstates by 7.9 points (docs/evidence.md, rule 15).

In: functions that answer the select items and the probe slice for one candidate. Out: a `Selection`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tuneproof.evals.control import macro_average
from tuneproof.evals.degeneration import judge_degeneration, measure_degeneration
from tuneproof.records import Answer, Candidate, Selection
from tuneproof.statistics import paired_error

Answerer = Callable[[int, float], Sequence[Answer]]
Key = tuple[int, float]


class Slice(NamedTuple):
    """Probes that candidates answer, and what may be lost of them."""

    base: Sequence[Answer]
    """The base's answers; with none, no candidate is judged by what it forgot."""
    answer: Answerer
    net_loss: float
    """Largest net loss that passes, as a share of the slice."""


class Tried(NamedTuple):
    """What a candidate said."""

    rows: Sequence[Answer]
    probes: Sequence[Answer] | None = None


def choose_candidate(
    checkpoints: Sequence[int],
    scales: Sequence[float],
    answer: Answerer,
    base: Sequence[Answer],
    losses: Mapping[int, float],
    probes: Slice,
) -> Selection:
    """Score every checkpoint at full scale, then the best checkpoint at every scale with the probes, and choose.

    `answer(checkpoint, scale)` gives the select answers; `base` the base model's, for the degeneration gates; `losses`
    the training loss near each checkpoint, shown and not used.
    """
    full = max(scales)
    tried = {(step, full): Tried(list(answer(step, full))) for step in sorted(checkpoints)}
    step, _ = _pick(tried, base, probes)
    for scale in sorted(set(scales)):
        rows = tried[step, scale].rows if scale == full else list(answer(step, scale))
        tried[step, scale] = Tried(rows, list(probes.answer(step, scale)) if probes.base else None)
    one_step = {key: said for key, said in tried.items() if key[0] == step}
    chosen = _pick(one_step, base, probes)
    best = _best(tried)
    reason = "select.best" if chosen == best else "select.within_error"
    if chosen != best and _list_faults(tried[best], base, probes):
        reason = "select.passes"
    if _list_faults(tried[chosen], base, probes):
        reason = "select.none_passes"
    candidates = [_describe(key, said, tried[best], probes, losses) for key, said in tried.items()]
    for candidate, said in zip(candidates, tried.values(), strict=True):
        candidate.degeneration = _list_gates(said.rows, base)
    return Selection(checkpoint=chosen[0], scale=chosen[1], reason=reason, candidates=candidates)


def _pick(tried: Mapping[Key, Tried], base: Sequence[Answer], probes: Slice) -> Key:
    """The earliest, smallest candidate within one standard error of the best, among those that pass the gates."""
    passing = {key: said for key, said in tried.items() if not _list_faults(said, base, probes)} or dict(tried)
    best = _best(passing)
    for key in sorted(passing):
        gaps = [top.score - other.score for top, other in zip(passing[best].rows, passing[key].rows, strict=False)]
        error = paired_error(gaps)
        if key == best or (error is not None and sum(gaps) / len(gaps) <= error):
            return key
    return best


def _list_faults(said: Tried, base: Sequence[Answer], probes: Slice) -> list[str]:
    """Gates that a candidate fails; what was not asked does not fail."""
    lost = ["net_loss"] if said.probes is not None and _lose(said.probes, probes.base) > probes.net_loss else []
    return [*_list_gates(said.rows, base), *lost]


def _lose(answers: Sequence[Answer], base: Sequence[Answer]) -> float:
    """Net loss of right answers, as a share of all."""
    return sum(before.right - after.right for before, after in zip(base, answers, strict=True)) / len(base)


def _best(tried: Mapping[Key, Tried]) -> Key:
    """The candidate with the highest score; the earliest and smallest of equals."""
    return min(tried, key=lambda key: (-(_score(tried[key].rows) or 0.0), key))


def _score(answers: Sequence[Answer]) -> float | None:
    return macro_average([answer.task for answer in answers], [answer.score for answer in answers])


def _list_gates(answers: Sequence[Answer], base: Sequence[Answer]) -> list[str]:
    """Degeneration gates that these answers fail."""
    references = [answer.reference for answer in answers]

    def measure(some: Sequence[Answer]) -> dict[str, float | None]:
        return measure_degeneration([a.answer for a in some], [a.finish == "end" for a in some], references)

    ends = [True] * len(references)
    return judge_degeneration(measure(base), measure(answers), measure_degeneration(references, ends, references))


def _describe(key: Key, said: Tried, best: Tried, probes: Slice, losses: Mapping[int, float]) -> Candidate:
    gaps = [top.score - other.score for top, other in zip(best.rows, said.rows, strict=False)]
    pairs = list(zip(probes.base, said.probes, strict=True)) if said.probes is not None else []
    right = sum(before.right for before, _ in pairs)
    lost = sum(before.right and not after.right for before, after in pairs)
    return Candidate(
        checkpoint=key[0],
        scale=key[1],
        n=len(said.rows),
        score=_score(said.rows) or 0.0,
        standard_error=paired_error(gaps) if any(gaps) else None,
        retention=(right - lost) / right if right else None,
        probes=len(pairs),
        lost=lost if pairs else None,
        gained=sum(after.right and not before.right for before, after in pairs) if pairs else None,
        train_loss=losses.get(key[0]),
    )
