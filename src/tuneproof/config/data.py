"""Config section `data`: which rows, and how to read them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from tuneproof.config.knob import Section, knob

LONGEST = 2048
"""Tokens a row may have unless the user says otherwise: longer rows are rare and set the memory of every step."""
STDIN = "-"
"""The file that stands for standard input."""
WORD = r"[A-Za-z0-9][\w.-]*"
HUB_NAME = re.compile(rf"(?P<repo>{WORD}/{WORD})(@(?P<revision>[\w./-]+))?(:(?P<part>[^:]+))?", re.ASCII)
FILE_NAME = re.compile(r"\.(jsonl?|csv|tsv|txt|parquet|xlsx|gz)", re.IGNORECASE)


def names_hub(file: str) -> bool:
    """Whether a name that no file or folder bears may be that of a data set of a hub: `owner/name@revision:part`."""
    match = HUB_NAME.fullmatch(file)
    return match is not None and not FILE_NAME.fullmatch(match["repo"][match["repo"].rfind(".") :] or "-")


class DataSection(Section):
    """The user's rows."""

    files: list[str] = knob(
        [], "Data files, folders, data sets of a hub (`owner/name`), or `-`.", "Given on the command line."
    )
    test: str | None = knob(None, "The user's own test rows.", "Without it a part of the data is held out.")
    columns: dict[str, str] | None = knob(
        None, "Our column -> yours, for columns that are not recognised.", "Common names are recognised."
    )
    task: str | None = knob(
        None, "Column that names a row's task.", "A column called `task`; without one the file is the task."
    )
    system_prompt: str | None = knob(
        None, "System prompt put before every row that has none.", "The template's own default."
    )
    encoding: str | None = knob(None, "Encoding of the files.", "UTF-8; another one is proposed, never guessed.")
    weights: dict[str, Annotated[float, Field(gt=0, le=100)]] | None = knob(
        None,
        "File -> how often training sees its rows, against 1 for the others; below 1 a file is for training only.",
        "All rows count alike.",
    )
    outliers: bool = knob(
        False,
        "Name answers that stand out by the base model's loss.",
        "It reads all rows twice with the model; it says what to look at, not what is wrong.",
    )
    max_tokens: int | None = knob(
        None, "Longest row in tokens; a longer one is left out and named.", "The longest row, up to 2048.", ge=16
    )

    def limit_row(self, tokens: Iterable[int]) -> int:
        """Tokens a row may have, given those of the rows: the user's number, or the longest row up to `LONGEST`."""
        return self.max_tokens or min(LONGEST, max(tokens, default=LONGEST))
