"""Every sentence a user reads, in English and Chinese: a catalogue a stage.

A catalogue is a module with `MESSAGES = {key: (english, chinese)}`; placeholders are `str.format` fields and are the
same in both languages (a test holds that, and that every key used in the code exists).

    tell("data.no_usable_row", "zh", files="rows.jsonl")
"""

from __future__ import annotations

import locale
import os
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from typing import Literal, get_args

Language = Literal["en", "zh"]
CATALOGUES = (
    "answer",
    "bases",
    "blame",
    "chat",
    "clean",
    "cli",
    "cluster",
    "compare",
    "config",
    "cure",
    "data",
    "errors",
    "evals",
    "export",
    "kinds",
    "machine",
    "plan",
    "timing",
    "report",
    "serve",
    "sources",
    "store",
    "training",
    "trials",
    "web",
)

_LANGUAGE: ContextVar[Language] = ContextVar("language", default="en")


def use_language(language: Language) -> None:
    """Make `language` the default of `tell` in this context."""
    _LANGUAGE.set(language)


def current_language() -> Language:
    """The language in use."""
    return _LANGUAGE.get()


def guess_language() -> Language:
    """The language of the locale: Chinese for `zh*`, English for everything else."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name):
            return "zh" if os.environ[name].lower().startswith("zh") else "en"
    return "zh" if (locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"


@cache
def load_catalogue() -> dict[str, tuple[str, str]]:
    """All catalogues in one: key -> (English, Chinese). Raises ValueError when two catalogues share a key."""
    merged: dict[str, tuple[str, str]] = {}
    for name in CATALOGUES:
        messages: dict[str, tuple[str, str]] = import_module(f"tuneproof.messages.{name}").MESSAGES
        doubled = merged.keys() & messages.keys()
        if doubled:
            raise ValueError(f"two catalogues share {sorted(doubled)}")
        merged.update(messages)
    return merged


def tell(key: str, language: Language | None = None, /, **values: object) -> str:
    """The sentence `key`, filled with `values`. Raises KeyError for a key that no catalogue has."""
    english_chinese = load_catalogue()[key]
    return english_chinese[get_args(Language).index(language or current_language())].format(**values)
