"""The checks of the Chinese retention probes: is this answer right? One small pure function each, as in `checks.py`.

In goes an answer and the probe's `accept` strings, out comes a bool. Chinese has no word boundaries, so that a right
word counts only outside a longer number ("十三" is not "三") or Latin word, a single sign only where it stands alone.
A string of `accept` that begins with "!" is a wrong answer: whoever names it, and does not deny it, is wrong. Width,
quotes, markdown and traditional signs are folded (`text_zh.py`); numbers may be written in digits or in Chinese.

    CHECKS_ZH["zh_word"]("中国的首都是北京。", ("北京",))        # True
    CHECKS_ZH["zh_word"]("北京、上海、广州", ("北京",))          # False: a list
    CHECKS_ZH["zh_count"]("蜘蛛有八条腿。", ("8", "条"))         # True
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from tuneproof.evals.probes.text_zh import (
    NUMBER,
    NUMERALS,
    PUNCTUATION,
    count_signs,
    find_numbers,
    fold_signs,
    read_number,
    read_opening,
    split_sentences,
    strip_marks,
)

_DENIAL = re.compile(r"(?:不(?![过仅但只错同锈])|没(?!错)|非(?!洲)|无法)[^,;:、]{0,4}$")
_JOIN = r"[\"')》]*\s*,?\s*(?:或者|或是|或|还是|以及|和|与|、|/)\s*[\"'(《]*"
_JOINED_LEFT, _JOINED_RIGHT = re.compile(_JOIN + "$"), re.compile(_JOIN)
_LIST_LINE = re.compile(r"^\s*(?:\d+[.、)]|[-*•])", flags=re.MULTILINE)
_SEVERAL = re.compile(r"#[^,。#]{0,3}(?:或者?|还是|、|至|到|~)[^,。#]{0,3}#")
"""Numbers side by side, each written as "#"."""
_LINE_MARKS = {"1.": r"\(?(\d+)[.、):]\s*(\S.*)", "-": r"([-–—])\s*(\S.*)", "": r"()(\S.*)"}


def zh_word(answer: str, accept: tuple[str, ...]) -> bool:
    """The first sentence asserts a right string, beside nothing else, and no wrong one."""
    right, wrong = _split_sides(accept)
    opening = read_opening(answer)
    if _is_list(answer, opening, right) or _find_asserted(opening, wrong):
        return False
    return any(not _is_joined(found, right) for found in _find_asserted(opening, right))


def zh_first_of(answer: str, accept: tuple[str, ...]) -> bool:
    """Of all the strings in `accept`, the first that the first sentence asserts is a right one: "X比Y大"."""
    right, wrong = _split_sides(accept)
    names = "|".join(re.escape(name) for name in (*right, *wrong))
    frame = rf"(?:{names})\"?(?:和|与|跟|、).?\"?(?:{names})\"?(?:相比|比较|之间|之中|当中|中|里|这两|两)[^,]*,"
    opening = re.sub(frame, "", read_opening(answer))
    stated = [found.start() for found in _find_asserted(opening, right) if not _is_joined(found, right)]
    others = [found.start() for found in _find_asserted(opening, wrong)]
    return bool(stated) and stated[0] < min(others, default=len(opening))


def zh_yes_no(answer: str, accept: tuple[str, ...]) -> bool:
    """The first sentence says yes (`accept[0]` is "是") or no ("否"); the other strings are the verbs that say it.

    The first verb counts, and a "是的" or "不" before it may not speak against it.
    """
    opening = read_opening(answer)
    verbs = "|".join(sorted(map(re.escape, accept[1:]), key=len, reverse=True))
    found = re.search(rf"(不|没|未)?可?(?:{verbs})|(无法)", opening)
    said = [not any(found.groups())] if found else []
    lead = re.match(r"\W*(?:(是的?|对的?|正确|没错)|(?:不是的?|不对|不|否|没有|错误?))(?=[,。!\s]|$)", opening)
    if lead:
        said.append(lead.group(1) is not None)
    return bool(said) and set(said) == {accept[0] == "是"}


def zh_number(answer: str, accept: tuple[str, ...]) -> bool:
    """The last number of the first sentence is `accept[0]`; digits go before Chinese numerals ("8，是一个偶数").

    Reasons after it ("因为") are not read.
    """
    opening = re.split(r"(?<=.),?(?:因为|由于)", read_opening(answer))[0]
    places = find_numbers(opening)
    places = [place for place in places if opening[place[0]] not in NUMERALS] or places
    if not places or _is_offered_beside(opening, places[-1][0]):
        return False
    return places[-1][1] == float(accept[0])


def zh_count(answer: str, accept: tuple[str, ...]) -> bool:
    """The number before a unit is `accept[0]`; the other strings are the units. Without one, a bare number is.

    What follows "有" or "等于" is read first, since "一天有24小时" has two numbers.
    """
    opening = read_opening(answer)
    tail = re.search(r"(?:等于|[=≈有是为])(.*)", opening)
    units = "|".join(re.escape(fold_signs(unit)) for unit in accept[1:])
    for start in (tail.start(1) if tail else 0, 0):
        for match in NUMBER.finditer(opening, start):
            if re.match(rf"\s*(?:{units})(?![a-z])", opening[match.end() :]):
                alone = not _is_offered_beside(opening, match.start())
                return alone and read_number(match.group()) == float(accept[0])
    bare = [found for found in NUMBER.finditer(opening) if re.match(r"[^\w°]|$", opening[found.end() :])]
    alone = not any(_is_offered_beside(opening, found.start()) for found in bare)
    return alone and {read_number(found.group()) for found in bare} == {float(accept[0])}


def zh_exact(answer: str, accept: tuple[str, ...]) -> bool:
    """The whole answer is one of `accept`, in this case, but for spaces, quotes and final punctuation."""
    return strip_marks(answer) in {strip_marks(text) for text in accept}


def zh_list(answer: str, accept: tuple[str, ...]) -> bool:
    """One line of exactly `accept[0]` different items between the sign `accept[1]`; each is one of the others."""
    line = fold_signs(answer, lower=False).strip(PUNCTUATION)
    items = [strip_marks(item) for item in line.split(fold_signs(accept[1]))]
    return "\n" not in line and len(items) == int(accept[0]) and _are_different(items, accept[2:])


def zh_item_lines(answer: str, accept: tuple[str, ...]) -> bool:
    """Exactly `accept[0]` lines, each another one of the strings from `accept[2]` on.

    `accept[1]` says how a line begins: "1." numbers them from 1, "-" is that bullet; with "" there is no other line.
    """
    lines = [line.strip() for line in unicodedata.normalize("NFKC", answer).splitlines() if line.strip()]
    mark = re.compile(_LINE_MARKS[accept[1]])
    found = [match.groups() for line in lines if (match := mark.fullmatch(line.replace("**", "")))]
    if accept[1] == "1." and [number for number, _ in found] != [str(n) for n in range(1, len(found) + 1)]:
        return False
    items = [strip_marks(re.split(r"[:(,]| - ", text)[0]) for _, text in found]
    return len(items) == int(accept[0]) and _are_different(items, accept[2:])


def zh_starts(answer: str, accept: tuple[str, ...]) -> bool:
    """The answer begins with one of `accept` and goes on after it."""
    text = fold_signs(answer).lstrip(PUNCTUATION)
    return any(text.startswith(fold_signs(word)) and count_signs(text) > count_signs(word) for word in accept)


def zh_ends(answer: str, accept: tuple[str, ...]) -> bool:
    """The answer ends with one of `accept`, but for punctuation, and says something before it."""
    text = fold_signs(answer).rstrip(PUNCTUATION)
    return any(text.endswith(fold_signs(word)) and count_signs(text) > count_signs(word) for word in accept)


def zh_sentence(answer: str, accept: tuple[str, ...]) -> bool:
    """One whole sentence, cut off nowhere, that uses every string of `accept` and none of the wrong ones.

    "a|b" asks for a or b, "？" for a question. Words that are only quoted are not used.
    """
    bare = fold_signs(answer).strip("\"' ")
    if len(split_sentences(answer)) != 1 or not re.search(r"[。!?.]$", bare) or '"' in bare or count_signs(bare) < 4:
        return False
    right, wrong = _split_sides(accept)
    return all(any(word in bare for word in words.split("|")) for words in right) and not any(w in bare for w in wrong)


def zh_length(answer: str, accept: tuple[str, ...]) -> bool:
    """One line of `accept[0]` to `accept[1]` signs, punctuation not counted, that holds one of the other strings."""
    text = fold_signs(answer)
    fits = int(accept[0]) <= count_signs(text) <= int(accept[1])
    return fits and "\n" not in text and "{" not in text and any(fold_signs(word) in text for word in accept[2:])


CHECKS_ZH: dict[str, Callable[[str, tuple[str, ...]], bool]] = {
    check.__name__: check
    for check in (
        zh_word,
        zh_first_of,
        zh_yes_no,
        zh_number,
        zh_count,
        zh_exact,
        zh_list,
        zh_item_lines,
        zh_starts,
        zh_ends,
        zh_sentence,
        zh_length,
    )
}
"""Every check of Chinese answers by its name."""


def _split_sides(accept: Sequence[str]) -> tuple[list[str], list[str]]:
    """The right strings and the wrong ones, folded."""
    right = [fold_signs(text) for text in accept if not text.startswith("!")]
    return right, [fold_signs(text[1:]) for text in accept if text.startswith("!")]


def _read_clause(text: str, end: int) -> str:
    """What stands before `end` in its clause."""
    return re.split(r"[,;:]", text[:end])[-1]


def _bounded(word: str) -> str:
    """A pattern for `word` that does not match inside a longer number or Latin word."""
    if len(word) == 1 and not word.isascii():
        left, right = r"\s\"'(\[【《,。:、=>是为叫作做填用写成选答和与或", r"\s\"')\]】》,。!?;:、(/字和与或"
        return rf"(?<![^{left}]){re.escape(word)}(?![^{right}])"
    left = r"(?<![a-z0-9_])(?<!\d\.)" if word[0].isascii() else f"(?<![{NUMERALS}])" if word[0] in NUMERALS else ""
    right = r"(?![a-z0-9_])(?!\.\d)" if word[-1].isascii() else f"(?![{NUMERALS}])" if word[-1] in NUMERALS else ""
    return left + re.escape(word) + right


def _find_asserted(text: str, words: Sequence[str]) -> list[re.Match[str]]:
    """Where `words` stand without a denial shortly before them; a word inside a longer one of them does not count."""
    pattern = "|".join(map(_bounded, sorted(words, key=len, reverse=True))) or "(?!)"
    return [found for found in re.finditer(pattern, text) if not _DENIAL.search(_read_clause(text, found.start()))]


def _is_joined(found: re.Match[str], right: Sequence[str]) -> bool:
    """The word is joined by "和", "或" or "、" with something that is not right."""
    text = found.string
    before, after = _JOINED_LEFT.search(text[: found.start()]), _JOINED_RIGHT.match(text, found.end())
    if before and before.start() and not text[: before.start()].endswith(tuple(right)):
        return True
    return after is not None and after.end() < len(text) and not text.startswith(tuple(right), after.end())


def _is_list(answer: str, opening: str, right: Sequence[str]) -> bool:
    """Several list lines, or nothing but three and more short parts of which one is not right."""
    if len(_LIST_LINE.findall(unicodedata.normalize("NFKC", answer))) > 1:
        return True
    parts = [part.strip(PUNCTUATION) for part in re.split(r"[,;]|(?<=[^\W\da-z])\s+(?=[^\W\da-z])", opening)]
    items = [part for part in parts if part and not re.match(r"[字号又即也]", part)]
    return len(items) > 2 and all(len(item) <= 5 for item in items) and not set(items) <= set(right)


def _is_offered_beside(text: str, place: int) -> bool:
    """The number at `place` is denied, or stands beside others: "5或6", "1、2、3", "1 2 3"."""
    if _DENIAL.search(_read_clause(text, place)):
        return True
    clause = _read_clause(text, place) + re.split(r"[,;:)。]", text[place:])[0]
    bare = NUMBER.sub("#", text).strip(PUNCTUATION)
    return _SEVERAL.search(NUMBER.sub("#", clause)) is not None or re.fullmatch(r"#(?:[,\s]+#){2,}", bare) is not None


def _are_different(items: Sequence[str], words: Sequence[str]) -> bool:
    """No two of `items` are the same, and each is one of `words`."""
    return len(set(items)) == len(items) and set(items) <= {strip_marks(word) for word in words}
