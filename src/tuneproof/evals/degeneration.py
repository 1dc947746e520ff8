"""Has the model become a parrot? Loops, answers that never end, empty answers, stereotyped openings, as numbers.

In: the answers of one arm with whether each was ended by the model, and the references. Out: one number a measure, None
where there is nothing to measure. The references go through the same function, so that a task whose right answers
repeat (labels, JSON) is compared with itself and not with prose.

    reference = measure_degeneration(references, [True] * len(references), references)
    judge_degeneration(measure_degeneration(base, ended, references), tuned_measures, reference)   # ["no_end_rate"]
"""

from __future__ import annotations

import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

from tuneproof.evals.amounts import CJK
from tuneproof.records import Answer

__all__ = [
    "OPENING_TOKENS",
    "compare_degeneration",
    "cut_opening",
    "judge_degeneration",
    "list_grams",
    "measure_degeneration",
    "split_tokens",
]

Measures = Mapping[str, float | None]

LEAST_ANSWERS = 10
"""With fewer answers one odd answer moves a rate by more than a gate allows: nothing is measured."""
LEAST_BIGRAMS = 50
"""With fewer bigrams nearly all are distinct, whatever the model does."""
OPENING_TOKENS = 8
"""Equal first 8 tokens are a stereotype; shorter answers, such as labels, agree rightly and have no opening."""

SEQ_REP_4_FLOOR = 0.2
"""Looping in practice; clean text lies near 0.02 (measure: Welleck et al. 2020, arXiv 1908.04319)."""
SEQ_REP_4_MARGIN = 0.1
"""Above what the references themselves repeat."""
NO_END_CEILING = 0.1
"""And more than the base: 54.6 % of the open answers of SmolLM2-135M-Instruct were cut in one study."""
EMPTY_MARGIN = 0.05
"""Above the references' own share, which is 0 in sound data."""
LENGTH_RATIO_BOUNDS = (0.5, 2.0)
"""Half to twice as long as the references: past that, style has drifted or answers run on."""
OPENINGS_MARGIN = 0.2
"""Above the references' own largest share: JSON and letters of one house begin alike."""
DISTINCT_2_SHARE = 0.5
"""Less than half of the references' variety of word pairs (measure: Li et al. 2016, arXiv 1510.03055)."""

_TOKEN = re.compile(rf"[{CJK}]|[^\W{CJK}]+|[^\w\s]")


def measure_degeneration(
    answers: Sequence[str], finished: Sequence[bool], references: Sequence[str]
) -> dict[str, float | None]:
    """The measures of one arm, over answers in the order of `finished` and `references`.

    seq_rep_4: 1 - distinct 4-grams / 4-grams of an answer, mean over answers with at least two 4-grams.
    no_end_rate, empty_rate: shares of the answers. length_ratio: median over items of answer length / reference length.
    distinct_2: distinct bigrams / bigrams of all answers. identical_openings: largest share of answers with the same
    first 8 tokens. Tokens are words, punctuation marks, and single CJK characters.
    """
    tokens = [split_tokens(text) for text in answers]
    enough = len(answers) >= LEAST_ANSWERS
    return {
        "seq_rep_4": _mean_repetition(tokens),
        "no_end_rate": sum(not end for end in finished) / len(answers) if enough else None,
        "empty_rate": sum(not text.strip() for text in answers) / len(answers) if enough else None,
        "length_ratio": _median_ratio(tokens, references),
        "distinct_2": _distinct_bigrams(tokens),
        "identical_openings": _largest_opening(tokens),
    }


def judge_degeneration(base: Measures, tuned: Measures, reference: Measures) -> list[str]:
    """Names of the measures by which the tuned model has degenerated.

    Each argument is what `measure_degeneration` gives: of the base, of the tuned model, of the references themselves.
    A measure that was not taken fails no gate, nor does one that is no worse than the base's: a small base may loop on
    open questions, and training that makes it loop less is no degeneration. The thresholds stand above, each with its
    reason.
    """
    low, high = LENGTH_RATIO_BOUNDS
    limits = {
        "seq_rep_4": max(SEQ_REP_4_FLOOR, (reference["seq_rep_4"] or 0) + SEQ_REP_4_MARGIN),
        "no_end_rate": NO_END_CEILING,
        "empty_rate": (reference["empty_rate"] or 0) + EMPTY_MARGIN,
        "identical_openings": (reference["identical_openings"] or 0) + OPENINGS_MARGIN,
    }
    gates = {name: _above(tuned[name], max(limit, base[name] or 0)) for name, limit in limits.items()}
    gates["length_ratio"] = _above(tuned["length_ratio"], max(high, base["length_ratio"] or 0)) or _above(
        low if base["length_ratio"] is None else min(low, base["length_ratio"]), tuned["length_ratio"]
    )
    varied = DISTINCT_2_SHARE * (reference["distinct_2"] or 0)
    gates["distinct_2"] = _above(
        varied if base["distinct_2"] is None else min(varied, base["distinct_2"]), tuned["distinct_2"]
    )
    return [name for name in tuned if gates[name]]


def compare_degeneration(
    base: Sequence[Answer], tuned: Sequence[Answer]
) -> tuple[dict[str, dict[str, float | None]], list[str]]:
    """The measures of base, tuned and references on the same items (same order), and the gates that fail."""
    references = [answer.reference for answer in tuned]

    def measure(answers: Sequence[Answer]) -> dict[str, float | None]:
        texts, ended = [answer.answer for answer in answers], [answer.finish == "end" for answer in answers]
        return measure_degeneration(texts, ended, references)

    table = {
        "base": measure(base),
        "tuned": measure(tuned),
        "reference": measure_degeneration(references, [True] * len(references), references),
    }
    return table, judge_degeneration(table["base"], table["tuned"], table["reference"])


def cut_opening(text: str) -> str:
    """The text up to the end of its first 8 tokens, as it is written."""
    ends = [found.end() for found in _TOKEN.finditer(text)][:OPENING_TOKENS]
    return text[: ends[-1]] if ends else text


def _above(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value > limit


def split_tokens(text: str) -> list[str]:
    """Words in lower case, punctuation marks, and single CJK characters."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def list_grams(tokens: Sequence[str], order: int) -> list[tuple[str, ...]]:
    """Every stretch of `order` tokens."""
    return [tuple(tokens[at : at + order]) for at in range(len(tokens) - order + 1)]


def _mean_repetition(answers: Sequence[Sequence[str]]) -> float | None:
    grams = [list_grams(tokens, 4) for tokens in answers]
    rates = [1 - len(set(some)) / len(some) for some in grams if len(some) > 1]
    return statistics.fmean(rates) if len(rates) >= LEAST_ANSWERS else None


def _median_ratio(answers: Sequence[Sequence[str]], references: Sequence[str]) -> float | None:
    lengths = [len(split_tokens(text)) for text in references]
    ratios = [len(tokens) / length for tokens, length in zip(answers, lengths, strict=True) if length]
    return statistics.median(ratios) if len(ratios) >= LEAST_ANSWERS else None


def _distinct_bigrams(answers: Sequence[Sequence[str]]) -> float | None:
    bigrams = [gram for tokens in answers for gram in list_grams(tokens, 2)]
    return len(set(bigrams)) / len(bigrams) if len(bigrams) >= LEAST_BIGRAMS else None


def _largest_opening(answers: Sequence[Sequence[str]]) -> float | None:
    """Over all answers, those without 8 tokens included; None when none has 8."""
    openings = Counter(tuple(tokens[:OPENING_TOKENS]) for tokens in answers if len(tokens) >= OPENING_TOKENS)
    if not openings or len(answers) < LEAST_ANSWERS:
        return None
    return max(openings.values()) / len(answers)
