"""The words that the scripts show, in one piece: they stand in the page, so that a script holds no sentence.

In: a language. Out: name -> text; `{}` stands where a script puts a number or a name.
"""

from __future__ import annotations

from tuneproof.messages import Language, load_catalogue, tell

FAMILY = "web.js."


def list_words(language: Language) -> dict[str, str]:
    """Every sentence of the family `web.js.`, by what follows it."""
    keys = (key for key in load_catalogue() if key.startswith(FAMILY))
    return {key.removeprefix(FAMILY): tell(key, language) for key in keys}
