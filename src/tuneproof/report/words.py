"""Words of the catalogue for names that the records carry.

In: a name as a stage recorded it, a language. Out: what the page calls it.

    name_of("report.part", "logits", "zh")
"""

from __future__ import annotations

import re

from tuneproof.messages import Language, load_catalogue, tell


def name_of(group: str, name: str, language: Language) -> str:
    """What the page calls `name`; its own name where a stage added it and the catalogue has no other."""
    key = f"{group}.{name}"
    return tell(key, language) if key in load_catalogue() else name


def name_family(family: str, language: Language) -> str:
    """A family of general questions as the records name it, `calendar (en)`, in the page's words."""
    found = re.fullmatch(r"(\w+) \((en|zh)\)", family)
    if found is None:
        return family
    names = {
        "family": name_of("report.family", found[1], language),
        "spoken": name_of("report.family", found[2], language),
    }
    return tell("report.family_of", language, **names)


def say_key(text: str, language: Language) -> str:
    """The sentence whose key a stage recorded; a stage may also record plain text, as measured facts are."""
    return tell(text, language) if text in load_catalogue() else text
