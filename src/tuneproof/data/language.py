"""What script a text is in, told by its characters alone; and texts made comparable.

guess_language("今天 OK") == "zh"
plain_form("  What is ２+2 ? ") == plain_form("what is 2+2")
"""

from __future__ import annotations

import re
import unicodedata

HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
LATIN = re.compile("[A-Za-z\u00c0-\u024f]+")
KANA_HANGUL = re.compile("[\u3040-\u30ff\u1100-\u11ff\uac00-\ud7af]+")
LETTER = re.compile(r"[^\W\d_]+")
HAN_SHARE = 0.3
"""Of the letters. A Chinese text about software is half Latin letters: a Han character says as much as two to four."""
LATIN_SHARE = 0.5
OUTER_MARKS = " .?!。…,;:、\"'`“”‘’「」"


def count_han(text: str) -> int:
    """Chinese characters in `text`."""
    return 0 if text.isascii() else count_signs(HAN, text)


def count_signs(runs: re.Pattern[str], text: str) -> int:
    """Characters in the stretches of `text` that a pattern finds."""
    return sum(map(len, runs.findall(text)))


def width(text: str) -> int:
    """Length in characters, a Chinese one counted twice: it says as much as two letters or more."""
    return len(text) + count_han(text)


def guess_language(text: str) -> str:
    """ "zh" for Chinese script, "en" for Latin script (any language in it), "other" for other scripts or no letters."""
    if text.isascii():
        return "en" if LETTER.search(text) else "other"
    letters = count_signs(LETTER, text)
    if not letters:
        return "other"
    if count_signs(KANA_HANGUL, text) > letters / 10:
        return "other"
    if count_han(text) >= HAN_SHARE * letters:
        return "zh"
    return "en" if count_signs(LATIN, text) >= LATIN_SHARE * letters else "other"


def plain_form(text: str) -> str:
    """`text` without what does not change its meaning: width, case, white space, marks at its ends.

    Marks inside stay: 6/2 is not 6*2.
    """
    return fold_text(text).strip(OUTER_MARKS)


def fold_text(text: str) -> str:
    """`text` as two are compared: width, case and white space make no difference."""
    folded = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(folded.casefold().split())
