"""How to speak: language, JSON or text, traces. Read before the command line is parsed.

Help and usage errors need the language while parsing still goes on, so these three flags are looked up first; the
options themselves are declared in options.py and refused there when wrong.

    read_manner(["run", "rows.jsonl", "--lang", "zh"]).language    # "zh"
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from tuneproof.messages import Language, guess_language

LANGUAGES: dict[str, Language] = {"en": "en", "zh": "zh"}


class Manner(NamedTuple):
    """How this call of the command line speaks."""

    language: Language
    json: bool
    """One JSON object on stdout, everything else on stderr."""
    debug: bool
    """Show the traceback of a user error."""


def read_manner(arguments: Sequence[str]) -> Manner:
    """The manner that the arguments ask for; the locale's language where they name none that is known."""
    flags = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    named = [after for flag, after in pairwise(flags) if flag == "--lang"]
    named += [flag.partition("=")[2] for flag in flags if flag.startswith("--lang=")]
    language = LANGUAGES.get(named[-1]) if named else None
    return Manner(language or guess_language(), "--json" in flags, "--debug" in flags)
