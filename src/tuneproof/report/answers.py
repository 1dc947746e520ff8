"""Answers side by side: base and tuned on the same items, what became of each, and the words in which they differ.

In: the answers of both arms to one suite. Out: items, the worst first: regressed, then improved, then unchanged.

    items = pair_answers(run.load_answers("base", "test"), run.load_answers("tuned", "test"))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tuneproof.records import Answer
from tuneproof.report.difference import Segment, find_differences, measure_likeness

Outcome = Literal["regressed", "improved", "unchanged"]
OUTCOMES: tuple[Outcome, ...] = ("regressed", "improved", "unchanged")
# Below this likeness nearly every word would carry a mark, and marks would say nothing.
LEAST_LIKENESS = 0.25


@dataclass(frozen=True)
class Comparison:
    """The tuned answer held against the nearer of the reference and the base's answer."""

    against: Literal["reference", "base", "neither"]
    reference: list[Segment]
    base: list[Segment]
    tuned: list[Segment]

    @property
    def differs(self) -> bool:
        """Whether any word is marked."""
        return any(part.kind != "same" for part in [*self.reference, *self.base, *self.tuned])


@dataclass(frozen=True)
class Item:
    """One test item as both arms answered it."""

    base: Answer
    tuned: Answer
    outcome: Outcome
    comparison: Comparison


def pair_answers(base: list[Answer], tuned: list[Answer]) -> list[Item]:
    """Items that both arms answered, the largest loss first, then the largest gain, then what stayed."""
    by_id = {answer.id: answer for answer in tuned}
    pairs = [(answer, by_id[answer.id]) for answer in base if answer.id in by_id]
    items = [Item(old, new, judge_outcome(old, new), compare_answers(old, new)) for old, new in pairs]
    return sorted(items, key=lambda item: (OUTCOMES.index(item.outcome), -abs(item.tuned.score - item.base.score)))


def judge_outcome(base: Answer, tuned: Answer) -> Outcome:
    """What became of one item, by its score."""
    if tuned.score == base.score:
        return "unchanged"
    return "improved" if tuned.score > base.score else "regressed"


def compare_answers(base: Answer, tuned: Answer) -> Comparison:
    """Mark the tuned answer against the nearer text; the reference where both are equally near."""
    to_reference = find_differences(base.reference, tuned.answer)
    to_base = find_differences(base.answer, tuned.answer)
    near_reference, near_base = measure_likeness(to_reference), measure_likeness(to_base)
    reference, old, new = ([Segment("same", text)] for text in (base.reference, base.answer, tuned.answer))
    if max(near_reference, near_base) < LEAST_LIKENESS:
        return Comparison("neither", reference, old, new)
    if near_reference >= near_base:
        return Comparison("reference", _keep(to_reference, "added"), old, _keep(to_reference, "removed"))
    return Comparison("base", reference, _keep(to_base, "added"), _keep(to_base, "removed"))


def _keep(segments: list[Segment], without: str) -> list[Segment]:
    """One side of a difference: all segments but those of the other text."""
    return [segment for segment in segments if segment.kind != without]
