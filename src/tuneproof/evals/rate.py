"""Choose the learning rate from short trainings: the lowest within one standard error of the best that passes.

The rate moves target and forgetting more than any other knob, and a lower one forgets less at a comparable score
(docs/evidence.md, rule 4). Scored are the select rows and the slice of probes that candidates answer; the test rows
have no part in it. A rate that fails a gate (degeneration, a net loss of probes above the verdict's threshold) is
passed over while another passes; one whose training failed is never taken. Where the best is not ahead of the base by a
standard error, nothing was learnt that could tell the rates apart, and none is chosen.

    choice = choose_rate({1e-4: tried, 3e-4: other, 9e-4: None}, base=Answered(rows, probes), net_loss=0.03)
    choice.rate, choice.reason
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tuneproof.evals.degeneration import compare_degeneration
from tuneproof.evals.tally import count_flips, list_gaps, score_answers
from tuneproof.records import Answer, RateTried
from tuneproof.statistics import paired_error


class Answered(NamedTuple):
    """What a model said to the select rows and to the slice of probes."""

    rows: Sequence[Answer]
    probes: Sequence[Answer]


class RateChoice(NamedTuple):
    """The rate to train with; None where nothing tells the rates apart, or every training failed."""

    rate: float | None
    reason: str
    """Key of the sentence that says why."""
    tried: list[RateTried]


def choose_rate(tried: Mapping[float, Answered | None], *, base: Answered, net_loss: float) -> RateChoice:
    """Judge each rate's answers (None: its training failed) beside the base's, and choose."""
    trained = {rate: said for rate, said in sorted(tried.items()) if said is not None}
    if not trained or not base.rows:
        reason = "rate.no_rows" if trained else "rate.all_failed"
        return RateChoice(None, reason, [_describe(rate, said, None, base) for rate, said in sorted(tried.items())])
    passing = {rate: said for rate, said in trained.items() if not _list_faults(said, base, net_loss)}
    best = _find_best(passing or trained)
    if _is_near(trained[best], base):
        return RateChoice(None, "rate.no_gain", _describe_all(tried, trained[best], base, net_loss))
    chosen = next(rate for rate, said in (passing or trained).items() if _is_near(trained[best], said))
    shown = _describe_all(tried, trained[best], base, net_loss)
    if not passing:
        return RateChoice(chosen, "rate.none_passes", shown)
    return RateChoice(chosen, "rate.best" if chosen == best else "rate.within_error", shown)


def _find_best(tried: Mapping[float, Answered]) -> float:
    """The rate with the highest select score; the lowest of equals."""
    return min(tried, key=lambda rate: (-(score_answers(tried[rate].rows) or 0.0), rate))


def _is_near(best: Answered, other: Answered) -> bool:
    """Whether the paired difference from the best is within one standard error."""
    gaps = list_gaps(best.rows, other.rows)
    error = paired_error(gaps)
    return not any(gaps) or (error is not None and sum(gaps) / len(gaps) <= error)


def _list_faults(said: Answered, base: Answered, net_loss: float) -> list[str]:
    """Gates that the answers fail."""
    failed = compare_degeneration(base.rows, said.rows)[1]
    lost, gained = count_flips(base.probes, said.probes)
    return [*failed, *(["net_loss"] if base.probes and (lost - gained) / len(base.probes) > net_loss else [])]


def _describe_all(
    tried: Mapping[float, Answered | None], best: Answered, base: Answered, net_loss: float
) -> list[RateTried]:
    shown = [_describe(rate, said, best, base) for rate, said in sorted(tried.items())]
    for one in shown:
        said = tried[one.rate]
        one.faults = _list_faults(said, base, net_loss) if said is not None else ["failed"]
    return shown


def _describe(rate: float, said: Answered | None, best: Answered | None, base: Answered) -> RateTried:
    if said is None:
        return RateTried(rate=rate, n=0, probes=0, faults=["failed"])
    gaps = list_gaps(best.rows, said.rows) if best is not None else []
    lost, gained = count_flips(base.probes, said.probes)
    return RateTried(
        rate=rate,
        n=len(said.rows),
        score=score_answers(said.rows),
        standard_error=paired_error(gaps) if any(gaps) else None,
        probes=len(base.probes),
        lost=lost if base.probes else None,
        gained=gained if base.probes else None,
    )
