"""Text of models and users, made safe to look at: what cannot be seen is written out.

A right-to-left override can make a sentence read backwards, a zero-width space makes two equal-looking answers differ,
and most control characters are not allowed in HTML or XML at all. In: any text. Out: the same text, with each such
character as `‹U+202E›`. Escaping of markup is not done here: the template engine and `svg.py` do it.

    show_controls("a\\u202eb")  ->  "a‹U+202E›b"
"""

from __future__ import annotations

import unicodedata

HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Line breaks and tabs are layout; the joiners are part of emoji and of Persian and Indic spelling.
SHOWN_AS_THEY_ARE = {"\n", "\r", "\t", "\u200c", "\u200d"}


def show_controls(text: str) -> str:
    """`text` with every invisible control, format or lone surrogate character written as its code point."""
    return "".join(_write_out(character) for character in text)


def _write_out(character: str) -> str:
    if character.isprintable() or character in SHOWN_AS_THEY_ARE:
        return character
    return f"‹U+{ord(character):04X}›" if unicodedata.category(character) in HIDDEN_CATEGORIES else character
