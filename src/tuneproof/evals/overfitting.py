"""Has the model learnt the rows, or the task? Training score against held-out score, and answers copied from training.

In: the tuned model's answers to some training rows and to the test rows, and the training rows. Out: numbers, None
where there is nothing to measure, with examples of copied answers and the opening that most answers share.

    measured = measure_overfitting(tuned_train, tuned_test, train_rows)
    measured.numbers["gap"], measured.numbers["copied"]
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from tuneproof.evals.degeneration import OPENING_TOKENS, cut_opening, list_grams, split_tokens
from tuneproof.evals.unpaired import Sample, compare_unpaired
from tuneproof.records import Answer, CopiedAnswer, Opening, Row

GRAM = 8
"""Tokens of a stretch that two answers share by copying rather than by chance."""
FEWEST_TOKENS = 12
"""Shorter answers, such as labels, agree rightly: they are not looked at."""
COPIED = 0.8
"""Share of an answer's stretches that stand in one training answer; one changed word breaks 8 stretches."""
OWN = 0.5
"""Share that stands in the item's own reference, up to which the copy is of something else: letters of one house share
most of their words."""
EXAMPLES = 5


class Overfitting(NamedTuple):
    """What `Verdict` holds about it."""

    numbers: dict[str, float | None]
    copies: list[CopiedAnswer]
    opening: Opening | None


class Source(NamedTuple):
    """The training answer that holds most of a text."""

    share: float
    row: Row | None


def measure_overfitting(train: Sequence[Answer], test: Sequence[Answer], rows: Sequence[Row]) -> Overfitting:
    """The measures. `train`, `test`: the tuned model's answers to training and test rows; `rows`: all training rows."""
    copies, share = find_copies(test, rows)
    known = share_known([answer.reference for answer in test], rows)
    numbers = {**compare_scores(train, test), "copied": share, "reference_known": known}
    return Overfitting(numbers, copies[:EXAMPLES], find_opening(test))


def compare_scores(train: Sequence[Answer], test: Sequence[Answer]) -> dict[str, float | None]:
    """Scores on training and held-out rows of the tasks that both have, macro-averaged, and how far they are apart."""
    shared = {answer.task for answer in train} & {answer.task for answer in test}
    seen, held_out = ([answer for answer in some if answer.task in shared] for some in (train, test))
    gap = compare_unpaired(_take_sample(seen), _take_sample(held_out)) if shared else None
    return {
        "train_rows": len(seen),
        "held_out_rows": len(held_out),
        "train_score": gap.first if gap else None,
        "held_out_score": gap.second if gap else None,
        "gap": gap.mean if gap else None,
        "gap_low": gap.interval[0] if gap else None,
        "gap_high": gap.interval[1] if gap else None,
    }


def find_copies(answers: Sequence[Answer], rows: Sequence[Row]) -> tuple[list[CopiedAnswer], float | None]:
    """Answers that repeat one training answer where the reference is another, and their share of the long answers.

    Repeated: equal but for case and spaces, or nearly all stretches of 8 tokens in one training answer and at most half
    of them in the reference. A training answer that several rows give is a class, not somebody's text: it is no source.
    None without a long answer.
    """
    long = [answer for answer in answers if len(split_tokens(answer.answer)) >= FEWEST_TOKENS]
    if not long:
        return [], None
    sources = find_sources([answer.answer for answer in long], rows)
    copies = [
        CopiedAnswer(
            id=answer.id,
            prompt=answer.prompt,
            reference=answer.reference,
            tuned=answer.answer,
            training=source.row.reference,
            where=f"{source.row.file}:{source.row.line}",
        )
        for answer, source in zip(long, sources, strict=True)
        if source.row is not None and is_copy(answer, source.row, source.share)
    ]
    return copies, len(copies) / len(long)


def is_copy(answer: Answer, row: Row, share: float) -> bool:
    """Whether an answer repeats a training row's and not its own reference."""
    said, reference = fold_text(answer.answer), fold_text(answer.reference)
    if said == reference:
        return False
    return said == fold_text(row.reference) or (share >= COPIED and share_grams(said, reference) <= OWN)


def share_known(references: Sequence[str], rows: Sequence[Row]) -> float | None:
    """Share of the long references that one training answer holds nearly whole: what a right answer repeats anyway."""
    long = [text for text in references if len(split_tokens(text)) >= FEWEST_TOKENS]
    sources = find_sources(long, rows)
    return sum(source.share >= COPIED for source in sources) / len(long) if long else None


def find_sources(texts: Sequence[str], rows: Sequence[Row]) -> list[Source]:
    """For each text the training answer that holds most of its stretches."""
    wanted: dict[tuple[str, ...], list[int]] = defaultdict(list)
    sizes = []
    for at, text in enumerate(texts):
        grams = set(list_grams(split_tokens(text), GRAM))
        sizes.append(len(grams))
        for gram in grams:
            wanted[gram].append(at)
    given = Counter(fold_text(row.reference) for row in rows)
    best = [Source(0.0, None)] * len(texts)
    for row in rows:
        if given[fold_text(row.reference)] > 1:
            continue
        held = Counter(at for gram in set(list_grams(split_tokens(row.reference), GRAM)) for at in wanted.get(gram, ()))
        for at, count in held.items():
            if count / sizes[at] > best[at].share:
                best[at] = Source(count / sizes[at], row)
    return best


def find_opening(answers: Sequence[Answer]) -> Opening | None:
    """The first 8 tokens that most answers share; None where no two answers share them."""
    tokens = [tuple(split_tokens(answer.answer)[:OPENING_TOKENS]) for answer in answers]
    counts = Counter(opening for opening in tokens if len(opening) == OPENING_TOKENS)
    if not counts or max(counts.values()) < 2:
        return None
    opening, count = counts.most_common(1)[0]
    example = answers[tokens.index(opening)].answer
    expected = sum(tuple(split_tokens(answer.reference)[:OPENING_TOKENS]) == opening for answer in answers)
    return Opening(text=cut_opening(example), count=count, n=len(answers), references=expected, example=example)


def share_grams(text: str, other: str) -> float:
    """Share of the stretches of `text` that stand in `other`; 0 where it has none."""
    grams = set(list_grams(split_tokens(text), GRAM))
    return len(grams & set(list_grams(split_tokens(other), GRAM))) / len(grams) if grams else 0.0


def fold_text(text: str) -> str:
    """The text without what is no difference to a reader: case, width of signs, spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _take_sample(answers: Sequence[Answer]) -> Sample:
    return Sample(
        [answer.score for answer in answers],
        [answer.task for answer in answers],
        [answer.cluster or answer.id for answer in answers],
    )
