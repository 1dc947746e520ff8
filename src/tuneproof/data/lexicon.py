"""What the answers of a task say about their words: which there are, and which never stand at the end of anything.

A text that was cut ends with half a word, or with a word that wants another. Function words want one in every text;
the others are learnt from the answers themselves, Latin words only: Chinese has no spaces to tell words by.

    lexicon = learn_words(["The river rises in the hills and the river ends in the sea.", ...])
    lexicon.is_half("riv"), lexicon.wants_another("the")
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?")
INNER = re.compile(r"([A-Za-z]+(?:['’][A-Za-z]+)?)(?= +[A-Za-z(\"“'‘$\d])")
"""A word with another word, a number or a bracket behind it."""
INFLECTIONS = {
    "s",
    "'s",
    "’s",
    "d",
    "ed",
    "es",
    "r",
    "er",
    "ing",
    "ly",
    "y",
    "n",
    "al",
    "ion",
    "ist",
    "ism",
    "ful",
    "less",
}
"""Endings behind a word that is whole without them."""
KNOWN = 3
"""A word that comes so often is one, whatever longer words begin with it."""
FREQUENT, FINAL_SHARE = 10, 0.04
"""A word that comes so often, and so rarely ends a phrase, wants another behind it."""


class Lexicon(NamedTuple):
    """Counts of the words of some texts, in lower case."""

    words: Counter[str]
    inner: Counter[str]
    """How often a word stands with another behind it."""
    beginnings: frozenset[str]
    """The proper beginnings of all words."""

    def is_half(self, word: str) -> bool:
        """Whether `word` (the last one of a text, counted in) is no word that is known, but the beginning of one."""
        low = word.lower()
        return self.words[low] < KNOWN and low in self.beginnings

    def wants_another(self, word: str) -> bool:
        """Whether `word` next to never ends a phrase."""
        low = word.lower()
        count = self.words[low]
        return count >= FREQUENT and count - self.inner[low] <= FINAL_SHARE * count + 1


def learn_words(texts: Iterable[str]) -> Lexicon:
    """The words of the texts."""
    words, inner = Counter[str](), Counter[str]()
    for text in texts:
        low = text.lower()
        words.update(WORD.findall(low))
        inner.update(INNER.findall(low))
    beginnings = {
        word[:size]
        for word, count in words.items()
        if count > 1
        for size in range(1, len(word))
        if word[size:] not in INFLECTIONS
    }
    return Lexicon(words, inner, frozenset(beginnings))
