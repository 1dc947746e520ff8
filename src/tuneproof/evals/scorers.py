"""The scorers of the test split: how near an answer is to its reference, 0 to 1, by the type of the answer.

One scorer serves a whole task, chosen from its reference answers, because no single measure fits a label, a sum, a JSON
object and a letter alike: ROUGE-L agrees with people on short English answers only (Doostmohammadi et al. 2024,
arXiv 2402.10770). Chinese is compared by characters throughout. Answers are compared, never run or evaluated.

    scorer = choose_scorer(["Total: 37.50 EUR", "Total: 12.00 EUR"])   # "number"
    score_answer(scorer, "That makes 37.5 EUR", "Total: 37.50 EUR")    # 1.0
"""

from __future__ import annotations

import json
import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

from tuneproof.evals.amounts import CJK, compare_numbers, ends_in_amount, is_amount
from tuneproof.evals.code import is_code, score_code
from tuneproof.evals.formula import can_verify, is_formula, score_formula
from tuneproof.evals.refusal import is_refusal, score_refusal

ScorerName = Literal["choice", "number", "math", "json", "code", "refusal", "short", "long", "required", "contains"]
"""`contains` is never chosen, only named in a config."""

NEARLY_ALL = 0.9
"""Share of the references that must have a form before the task is scored by it: a few odd rows are no other task."""
CHOICE_REFERENCES = 20
"""Below this, that values repeat says little: three rows may agree by chance."""
CHOICE_VALUES = 12
CHOICE_UNITS = 4
"""A label has at most 4 words (8 CJK characters)."""
SHORT_UNITS = 15
"""Median length up to which an answer is short, in words; two CJK characters weigh as one word."""
RIGHT = 0.999
LONG_RIGHT = 0.5
CLOSE = 0.99
"""Most that a short answer can get without being equal: the same words in another order are close, not right."""
CHRF_ORDER = 6
CHRF_BETA = 2.0
_EDGES = " \t\n\"'`*_.,;:!?()[]{}<>\u201c\u201d\u2018\u2019\u300c\u300d\u300e\u300f\u300a\u300b\u3010\u3011\u3001\u3002"
_LETTER = rf"[^\W\d_{CJK}]"
"""Of a script that sets spaces between words."""
_TOKEN = re.compile(rf"[{CJK}]|[^\W_{CJK}]+")


def choose_scorer(references: Sequence[str], required: bool = False) -> ScorerName:
    """The scorer for a whole task, from its reference answers (`required`: its rows carry required strings).

    In this order: required strings; JSON (nearly all references parse to an object or array); choice (at least 20
    references, at most 12 different short ones that repeat); math (LaTeX, where math-verify is installed); number
    (nearly all are or end in a number that is the answer: "Total: 37.50 EUR", "#### 42"; not a date, a time or an order
    code); code (Python); refusal; short (median of at most 15 words or 30 CJK characters); long.
    """
    if required:
        return "required"
    if not references:
        return "long"
    if _share(references, lambda text: isinstance(_parse_json(text), dict | list)) >= NEARLY_ALL:
        return "json"
    if _is_choice(references):
        return "choice"
    for name, holds in _TYPES.items():
        if _share(references, holds) >= NEARLY_ALL:
            return name
    return "short" if statistics.median(map(_count_units, references)) <= SHORT_UNITS else "long"


def choose_row_scorer(scorer: ScorerName, reference: str) -> ScorerName:
    """The scorer of one row, given its task's: in a task of free text a row may have an answer of another type.

    JSON, code and refusals are told for certain. Among long answers a number alone, or up to 4 words, is judged as
    such; among short ones not, since `135 min` is no better than `135 g` to the number scorer.
    """
    if scorer not in ("short", "long"):
        return scorer
    if isinstance(_parse_json(reference), dict | list):
        return "json"
    if is_code(reference):
        return "code"
    if is_refusal(reference):
        return "refusal"
    if scorer == "short" or _count_units(reference) > CHOICE_UNITS:
        return scorer
    return "number" if is_amount(reference) else "short"


def score_answer(scorer: ScorerName, answer: str, reference: str, required: Sequence[str] = ()) -> float:
    """The score of one answer, 0 to 1.

    choice: equal after normalisation. number: the last number is equal. math: the value is equal. json: F1 of the
    fields. code: 0 where it does not parse, 1 for the same program, else F1 of its words. refusal: both refuse or
    neither. short: 1 when equal, else F1 of words (of characters in Chinese). long: chrF2. required: share of
    `required` that the answer holds; a row that requires nothing is scored as long text. contains: the answer holds
    the reference.
    """
    if scorer == "required" and required:
        return _share(required, lambda text: _holds(answer, text))
    return _SCORERS[scorer](answer, reference)


def is_right(scorer: ScorerName, score: float) -> bool:
    """Whether a score counts as a right answer: 1 (to rounding) for every scorer but long.

    Free text has no notion of right: there 0.5 chrF stands in, so that better and worse items can be counted.
    """
    return score >= (LONG_RIGHT if scorer == "long" else RIGHT)


def _score_choice(answer: str, reference: str) -> float:
    return float(_normalise(answer) == _normalise(reference))


def _score_number(answer: str, reference: str) -> float:
    same = compare_numbers(answer, reference)
    return _score_choice(answer, reference) if same is None else float(same)


def _score_json(answer: str, reference: str) -> float:
    """F1 over the leaves of both values: a field counts when path, type and value are equal, so extras cost."""
    wanted = _parse_json(reference)
    if not isinstance(wanted, dict | list):
        return _score_choice(answer, reference)
    found = _extract_json(answer, "{" if isinstance(wanted, dict) else "[")
    if found is None:
        return 0.0
    return _f1(_list_leaves(found), _list_leaves(wanted))


def _score_short(answer: str, reference: str) -> float:
    if _normalise(answer) == _normalise(reference):
        return 1.0
    return min(CLOSE, _f1(_split_tokens(answer), _split_tokens(reference)))


def _score_long(answer: str, reference: str) -> float:
    """chrF2 (Popovic 2015): F-score, recall weighted twice, of character 1- to 6-grams, spaces removed.

    Precision and recall are averaged over the orders for which both texts are long enough.
    """
    precisions, recalls = [], []
    texts = "".join(answer.split()), "".join(reference.split())
    for order in range(1, CHRF_ORDER + 1):
        grams = [Counter(text[i : i + order] for i in range(len(text) - order + 1)) for text in texts]
        if grams[0] and grams[1]:
            common = (grams[0] & grams[1]).total()
            precisions.append(common / grams[0].total())
            recalls.append(common / grams[1].total())
    if not precisions or sum(precisions) == 0:
        return float(texts[0] == texts[1])
    precision, recall = statistics.fmean(precisions), statistics.fmean(recalls)
    return (1 + CHRF_BETA**2) * precision * recall / (CHRF_BETA**2 * precision + recall)


def _score_contains(answer: str, reference: str) -> float:
    return float(_holds(answer, reference))


_TYPES: dict[ScorerName, Callable[[str], bool]] = {
    "math": lambda text: can_verify() and is_formula(text),
    "number": ends_in_amount,
    "code": is_code,
    "refusal": is_refusal,
}
_SCORERS: dict[ScorerName, Callable[[str, str], float]] = {
    "choice": _score_choice,
    "number": _score_number,
    "math": score_formula,
    "json": _score_json,
    "code": score_code,
    "refusal": score_refusal,
    "contains": _score_contains,
    "short": _score_short,
    "long": _score_long,
    "required": _score_long,
}


def _share(texts: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(map(holds, texts)) / len(texts)


def _normalise(text: str) -> str:
    """NFKC, lower case, single spaces, no quotes or punctuation around it (unless there is nothing else)."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return folded.strip(_EDGES) or folded


def _split_tokens(text: str) -> list[str]:
    """Lower-case words; a CJK character is one."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def _count_units(text: str) -> float:
    """Length in words, a CJK character counting half."""
    return sum(0.5 if re.match(f"[{CJK}]", token) else 1.0 for token in _split_tokens(text))


def _is_choice(references: Sequence[str]) -> bool:
    values = set(map(_normalise, references))
    few = len(values) <= min(CHOICE_VALUES, len(references) // 2)
    return len(references) >= CHOICE_REFERENCES and few and max(map(_count_units, values)) <= CHOICE_UNITS


def _f1(found: Sequence[object], wanted: Sequence[object]) -> float:
    """F1 of two multisets; 0 when either is empty."""
    common = (Counter(found) & Counter(wanted)).total()
    return 2 * common / (len(found) + len(wanted)) if common else 0.0


def _parse_json(text: str) -> object:
    """The value that the whole text is, a fence around it allowed; None when it is not JSON."""
    fenced = re.fullmatch(r"\s*```(?:json)?\s*(.*?)\s*```\s*", text, flags=re.DOTALL)
    try:
        value: object = json.loads(fenced.group(1) if fenced else text)
    except (ValueError, RecursionError):
        return None
    return value


def _extract_json(text: str, opening: str) -> object:
    """The value that starts at the first `opening` bracket, whatever stands around it; None when it does not parse."""
    start = text.find(opening)
    if start < 0:
        return None
    try:
        value: object = json.JSONDecoder().raw_decode(text, start)[0]
    except (ValueError, RecursionError):
        return None
    return value


def _list_leaves(value: object) -> list[tuple[str, str]]:
    """Every leaf as (path, JSON text): `true` is not 1, "1" is not 1, but 37.5 is 37.50 and 2 is 2.0.

    Not recursive: a looping model may nest deeper than Python's stack.
    """
    leaves: list[tuple[str, str]] = []
    todo: list[tuple[str, object]] = [("", value)]
    while todo:
        path, item = todo.pop()
        if isinstance(item, dict) and item:
            todo += [(f"{path}/{key}", inner) for key, inner in item.items()]
        elif isinstance(item, list) and item:
            todo += [(f"{path}/{index}", inner) for index, inner in enumerate(item)]
        elif isinstance(item, int) and not isinstance(item, bool) and abs(item) < 2**53:
            leaves.append((path, repr(float(item))))
        else:
            leaves.append((path, json.dumps(item, ensure_ascii=False)))
    return leaves


def _holds(answer: str, text: str) -> bool:
    """Whether `text` occurs in `answer` after normalisation.

    A number not inside a longer number, a word not at the end of a longer one ("likely" in "unlikely"), though at its
    beginning ("refund" in "refunds"), and a word of at most three letters by itself ("no" is not in "not").
    """
    wanted = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    left = r"(?<!\d)(?<!\d[.,])" if wanted[:1].isdigit() else ""
    right = r"(?!\d)(?![.,]\d)" if wanted[-1:].isdigit() else ""
    if re.match(_LETTER, wanted):
        left = rf"(?<!{_LETTER})"
        right = right or (rf"(?!{_LETTER})" if re.fullmatch(_LETTER + "{1,3}", wanted) else "")
    found = " ".join(unicodedata.normalize("NFKC", answer).casefold().split())
    return re.search(left + re.escape(wanted) + right, found) is not None
