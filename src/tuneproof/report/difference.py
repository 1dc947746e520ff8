"""Where two answers differ, word by word: words where a script has spaces, single characters for Chinese and Japanese.

In: two texts. Out: segments in reading order: `same`, `removed` (only in the first) or `added` (only in the second).
Nothing is lost: `same` and `removed` join to the first text, `same` and `added` to the second.

    find_differences("pay in May", "pay in June")  ->  same "pay in ", removed "May", added "June"
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

Kind = Literal["same", "removed", "added"]

_CHARACTERS = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORDS = re.compile(rf"[{_CHARACTERS}]|\d+(?:[.,]\d+)*|[^\W\d{_CHARACTERS}]+|\s+|[^\w\s]|\w")
_SENTENCE_ENDS = re.compile(r"(?<=[.!?。！？\n])")
# A looping answer of 500 words takes the matcher seconds; above this many word pairs sentences are compared instead.
PAIRS_LIMIT = 200_000


class Segment(NamedTuple):
    """A stretch of text that both answers have, or only one of them."""

    kind: Kind
    text: str


def split_words(text: str) -> list[str]:
    """Words, numbers, runs of white space, single CJK characters and punctuation marks; they join to `text`."""
    return _WORDS.findall(text)


def find_differences(before: str, after: str) -> list[Segment]:
    """Segments that turn `before` into `after`; a replaced stretch is `removed`, then `added`."""
    left, right = split_words(before), split_words(after)
    if len(left) * len(right) > PAIRS_LIMIT:
        left, right = _SENTENCE_ENDS.split(before), _SENTENCE_ENDS.split(after)
    segments = []
    # Without `isspace` the matcher would keep each single space between replaced words and chop the marks to pieces.
    for tag, i, j, k, m in SequenceMatcher(str.isspace, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            segments.append(Segment("same", "".join(left[i:j])))
            continue
        removed, added = "".join(left[i:j]), "".join(right[k:m])
        segments += [Segment("removed", removed)] if removed else []
        segments += [Segment("added", added)] if added else []
    return segments


def measure_likeness(segments: list[Segment]) -> float:
    """Share of characters that both texts have in common, 0 to 1; two empty texts are alike."""
    same = 2 * sum(len(segment.text) for segment in segments if segment.kind == "same")
    other = sum(len(segment.text) for segment in segments if segment.kind != "same")
    return same / (same + other) if same + other else 1.0
