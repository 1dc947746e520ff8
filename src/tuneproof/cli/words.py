"""Words for names in the records, and text of models and files made safe to print.

What a model wrote may hold terminal commands, and a file name too: control characters never reach the terminal. In: any
text, or a name as a stage recorded it. Out: text.

    clean_text("a\\x1b[2Jb")          ->  "a[2Jb"
    name_of("report.part", "logits")  ->  "Logits"
"""

from __future__ import annotations

import re
import unicodedata

from tuneproof.messages import load_catalogue, tell

HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
LAYOUT = {"\n", "\t", "\u200c", "\u200d"}
"""Line ends and tabs; the joiners are part of emoji and of Persian and Indic spelling."""


def clean_text(text: str) -> str:
    """`text` without control, format and half characters; line ends and tabs stay."""
    if text.isprintable():
        return text
    return "".join(letter for letter in text if letter in LAYOUT or unicodedata.category(letter) not in HIDDEN)


def quote_line(text: str, limit: int = 72) -> str:
    """`text` as one clean line of at most `limit` characters; `(empty)` where nothing is left."""
    flat = re.sub(r"\s+", " ", clean_text(text)).strip()
    if not flat:
        return tell("report.empty")
    return flat if len(flat) <= limit else flat[: limit - 3] + "..."


def name_of(group: str, name: str) -> str:
    """The catalogue's word for `name`; its own name where a stage added it and the catalogue has no other."""
    key = f"{group}.{name}"
    return tell(key) if key in load_catalogue() else clean_text(name)


def say_key(text: str) -> str:
    """The sentence whose key a stage recorded; a stage may also record plain text."""
    return tell(text) if text in load_catalogue() else clean_text(text)
