"""The checks of the retention probes: is this answer right? One small pure function each, named by a probe's `check`.

In goes an answer and the probe's `accept` strings, out comes a bool. What `accept` holds is said at each check. A check
looks at what can be verified without a judge: a word, a number, a format. It asks for the answer, not for a wording,
but an answer that lists alternatives, denies the right word, or only echoes the question is wrong.

    CHECKS["contains_word"]("The capital of France is Paris.", ("paris",))   # True
    CHECKS["contains_word"]("It is Paris or Rome.", ("paris",))              # False: hedged
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Sequence

from tuneproof.evals.probes.checks_code import json_value, python_line
from tuneproof.evals.probes.checks_zh import CHECKS_ZH

Check = Callable[[str, tuple[str, ...]], bool]

_SENTENCE_END = re.compile(r"[.!?]+(?=[\s\"')]|$)|\n+")
_NUMBER = re.compile(r"(?<![\w.])-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_MARKDOWN = str.maketrans({"*": None, "`": None, "\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'"})
_OPENING_WORDS = 3
"""A first sentence shorter than this ("Sure!", "Yes.") is read together with the next one."""


def contains_word(answer: str, accept: tuple[str, ...]) -> bool:
    """One of `accept` stands as a whole word or phrase in the first sentence, neither denied nor one of a list."""
    opening = _read_opening(answer)
    return any(_finds_word(opening, word) and not _is_hedged(opening, _fold(word), accept) for word in accept)


def number(answer: str, accept: tuple[str, ...]) -> bool:
    """The number of the first sentence is `accept[0]`: the one after the last "=", else the last one.

    The other strings of `accept` are the same number in words, for an answer without digits.
    """
    opening = _read_opening(answer)
    numbers = _NUMBER.findall(opening.rpartition("=")[2])
    if not numbers:
        return len(accept) > 1 and "=" not in opening and contains_word(answer, accept[1:])
    found = numbers[0] if "=" in opening else numbers[-1]
    return float(found.replace(",", "")) == float(accept[0])


def first_of(answer: str, accept: tuple[str, ...]) -> bool:
    """Of all the words in `accept`, the first that the answer names, and does not deny, is `accept[0]`.

    For a choice: `accept` holds the right side, then the wrong ones. "Both hot and cold" and "hot or cold" are wrong.
    """
    text = _fold(answer)
    places = {word: _find_asserted(text, _fold(word)) for word in accept}
    named = {word: place for word, place in places.items() if place is not None}
    if not named or min(named, key=lambda word: named[word]) != accept[0]:
        return False
    rest = text[named[accept[0]] + len(accept[0]) :]
    others = "|".join(re.escape(_fold(word)) for word in accept[1:])
    return re.match(rf"\W+(?:and|or)\W+(?:\w+\W+)?(?:{others})\b", rest) is None


def only_choice(answer: str, accept: tuple[str, ...]) -> bool:
    """The first sentence asserts `accept[0]` and none of the wrong sides, which are the other strings.

    An answer that repeats the whole choice, or the whole passage, does not choose.
    """
    opening = _read_opening(answer)
    asserted = [word for word in accept if _find_asserted(opening, _fold(word)) is not None]
    return asserted == [accept[0]]


def exact_text(answer: str, accept: tuple[str, ...]) -> bool:
    """The whole answer is one of `accept`, but for case, spaces, quotes and final punctuation."""
    return _bare(answer) in {_bare(text) for text in accept}


def exact_case(answer: str, accept: tuple[str, ...]) -> bool:
    """The whole answer is one of `accept` in exactly this case, but for spaces, quotes and final punctuation."""
    return _bare(answer, fold=False) in {_bare(text, fold=False) for text in accept}


def exact_lines(answer: str, accept: tuple[str, ...]) -> bool:
    """The lines of the answer are `accept`, in this order and no others, but for case, quotes and final punctuation."""
    lines = [_bare(line) for line in answer.splitlines()]
    return [line for line in lines if line] == [_bare(text) for text in accept]


def starts_with(answer: str, accept: tuple[str, ...]) -> bool:
    """The answer begins with one of `accept`, in any case, and goes on after it."""
    words = _split_words(answer)
    openings = [_split_words(text) for text in accept]
    return any(len(words) > len(opening) and words[: len(opening)] == opening for opening in openings)


def ends_with(answer: str, accept: tuple[str, ...]) -> bool:
    """The last words of the answer are one of `accept`, and others stand before them."""
    words = _split_words(answer)
    endings = [_split_words(text) for text in accept]
    return any(len(words) > len(ending) and words[-len(ending) :] == ending for ending in endings)


def question(answer: str, accept: tuple[str, ...]) -> bool:
    """The first sentence is a question, and names one of `accept`."""
    opening = _read_opening(answer).rstrip("\"' \n")
    return opening.endswith("?") and any(_finds_word(opening, word) for word in accept)


def contains_all(answer: str, accept: tuple[str, ...]) -> bool:
    """Every string of `accept` occurs in the answer: words as whole words, anything else as it is written."""
    return all(_finds_word(_fold(answer), text) for text in accept)


def one_sentence(answer: str, accept: tuple[str, ...]) -> bool:
    """The answer is one whole sentence, cut off nowhere, and names one of `accept`."""
    return _is_sentence(answer) and any(_finds_word(_fold(answer), word) for word in accept)


def sentence_with(answer: str, accept: tuple[str, ...]) -> bool:
    """The answer is one whole sentence that uses every word of `accept` (and does not only quote them)."""
    return _is_sentence(answer) and '"' not in _fold(answer).strip('"') and contains_all(answer, accept)


def word_count(answer: str, accept: tuple[str, ...]) -> bool:
    """One line of `accept[0]` to `accept[1]` words that names one of the other strings."""
    low, high = int(accept[0]), int(accept[1])
    if "\n" in answer.strip() or "{" in answer:
        return False
    return low <= len(_split_words(answer)) <= high and any(_finds_word(_fold(answer), word) for word in accept[2:])


def comma_list(answer: str, accept: tuple[str, ...]) -> bool:
    """One line of exactly `accept[0]` different items between commas; each item is one of the other strings."""
    line = _bare(answer)
    if "\n" in answer.strip():
        return False
    items = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", line)
    return "," in line and len(items) == int(accept[0]) == len(set(items)) and set(items) <= set(map(_bare, accept[1:]))


def numbered_list(answer: str, accept: tuple[str, ...]) -> bool:
    """Lines "1." to "N.", N = `accept[0]`, no more; each names another one of the other strings."""
    lines = re.findall(r"^\s*(\d+)[.)]\s+(\S.*)$", _fold(answer), flags=re.MULTILINE)
    if [int(mark) for mark, _ in lines] != list(range(1, int(accept[0]) + 1)):
        return False
    return _names_different(lines, accept[1:])


def bullet_list(answer: str, accept: tuple[str, ...]) -> bool:
    """`accept[0]` lines that begin with a bullet, no more; each names another one of the other strings."""
    lines = re.findall(r"^\s*([-*\u2022+])\s+(\S.*)$", unicodedata.normalize("NFKC", answer), flags=re.MULTILINE)
    return len(lines) == int(accept[0]) and _names_different(lines, accept[1:])


def json_keys(answer: str, accept: tuple[str, ...]) -> bool:
    """The answer holds a JSON object whose keys are exactly `accept`; prose or a fence around it does not matter."""
    start = answer.find("{")
    if start < 0:
        return False
    try:
        value, _ = json.JSONDecoder().raw_decode(answer, start)
    except (ValueError, RecursionError):
        return False
    return set(value) == set(accept)


CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        contains_word,
        number,
        first_of,
        only_choice,
        exact_text,
        exact_case,
        exact_lines,
        starts_with,
        ends_with,
        question,
        contains_all,
        one_sentence,
        sentence_with,
        word_count,
        comma_list,
        numbered_list,
        bullet_list,
        json_keys,
        json_value,
        python_line,
    )
} | CHECKS_ZH
"""Every check by its name."""


def _fold(text: str) -> str:
    """`text` without markdown marks, with straight quotes, in lower case."""
    return unicodedata.normalize("NFKC", text).translate(_MARKDOWN).casefold().strip()


def _bare(text: str, fold: bool = True) -> str:
    """`text` with single spaces, without quotes and punctuation around it."""
    whole = _fold(text) if fold else unicodedata.normalize("NFKC", text).translate(_MARKDOWN)
    return " ".join(whole.split()).strip(" \"'.,;:!?")


def _split_words(text: str) -> list[str]:
    return re.findall(r"\w+(?:'\w+)?", _fold(text))


def _read_opening(answer: str) -> str:
    """The first sentence, with the second where the first has fewer than three words; folded."""
    text = _fold(answer)
    for end in _SENTENCE_END.finditer(text):
        if len(text[: end.start()].split()) >= _OPENING_WORDS or end.end() == len(text):
            return text[: end.end()]
    return text


def _finds_word(folded: str, word: str) -> bool:
    return re.search(_bounded(_fold(word)), folded) is not None


def _bounded(folded: str) -> str:
    """A pattern for `folded` that does not match inside a longer word or number."""
    left = r"(?<!\w)(?<!\d[.,])" if folded[0].isalnum() else ""
    right = r"(?!\w)(?![.,]\d)" if folded[-1].isalnum() else ""
    return left + re.escape(folded) + right


def _is_sentence(answer: str) -> bool:
    """Exactly one sentence, with the mark that ends it."""
    text = answer.strip()
    return len(_SENTENCE_END.findall(text)) == 1 and re.search(r"[.!?][\"')]*$", text) is not None


def _find_asserted(folded: str, word: str) -> int | None:
    """Where `word` first stands without a denial in the three words before it."""
    for match in re.finditer(_bounded(word), folded):
        before = _split_words(folded[: match.start()])[-3:]
        if not any(w in ("not", "never", "neither", "cannot") or w.endswith("n't") for w in before):
            return match.start()
    return None


def _is_hedged(folded: str, word: str, accept: Sequence[str]) -> bool:
    """`word` is denied, offered beside an "or" with something that is not accepted, or one item of a list."""
    if _find_asserted(folded, word) is None:
        return True
    bare = folded.replace('"', "")
    if bare.strip(" .!?") == word:  # Nothing beside it, though it may have a "/" of its own: "1/1".
        return False
    known = "|".join(re.escape(_fold(text)) for text in accept)
    after = rf"{_bounded(word)},? or (?!(?:an? |the )?(?:{known}))"
    before = rf"\b(?!(?:{known})\b)[\w-]+,? or (?:an? |the )?{_bounded(word)}"
    if re.search(after, bare) or re.search(before, bare):
        return True
    parts = [part.strip(" .!?") for part in re.split(r"(?<!\d),|,(?!\d{3}\b)|;|/|\band\b", bare)]
    others = [part for part in parts if part and not re.search(_bounded(word), part)]
    return sum(len(part.split()) <= 2 for part in others) >= 2


def _names_different(lines: Sequence[tuple[str, str]], words: Sequence[str]) -> bool:
    """Each line names one of `words`, no two the same."""
    named = [{word for word in words if _finds_word(_fold(text), word)} for _, text in lines]
    return all(named) and len(set().union(*named)) >= len(named)
