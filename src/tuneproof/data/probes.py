"""The user's own probes: which rows of a file can be asked to see what was forgotten, and which cannot, and why.

In: rows as `read_rows(..., answered=False)` gives them, the training rows. Out: rows that have a question and an answer
and that training has not seen. A question that is trained on would show what was learnt, not what was kept.

    sifted = sift_probes(rows, train_rows)
    sifted.left_out[0].why        # "trained"
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from tuneproof.data.findings import make_case
from tuneproof.data.language import HAN, fold_text
from tuneproof.data.near import group_texts
from tuneproof.records import Row

Why = Literal["empty", "trained", "twice"]
MOST_WORDS = 0.7
"""Share of a question's words in another from which both may ask the same."""
WORD = re.compile(r"\w+")
COMMON = frozenset(
    "a an and answer are as at be by can do does for from give have how i if in is it its me my name of on one only or"
    " please say tell that the this to was we what when where which who why will with word write you your".split()
)
"""English words of a question that do not say what it is about."""


class LeftOut(NamedTuple):
    """A row that is no probe, and why."""

    row: Row
    why: Why
    other: Row | None = None
    """The training row that asks nearly the same, or the probe that asks the same."""


class Sifted(NamedTuple):
    """Probes, and what is left out."""

    rows: list[Row]
    left_out: list[LeftOut]


def sift_probes(rows: Sequence[Row], train: Sequence[Row]) -> Sifted:
    """Leave out what has no question or no answer, what a training row nearly asks, and what is asked twice."""
    asked, left_out = [], []
    for row in rows:
        if row.question.strip() and row.reference.strip():
            asked.append(row)
        else:
            left_out.append(LeftOut(row, "empty"))
    groups = group_texts([make_case(row).prompt for row in (*train, *asked)])
    trained: dict[int, Row] = {}
    for group, row in zip(groups, train, strict=False):
        trained.setdefault(group, row)
    kept: dict[str, Row] = {}
    for group, row in zip(groups[len(train) :], asked, strict=True):
        first = kept.setdefault(fold_text(row.question), row)
        if group in trained:
            left_out.append(LeftOut(row, "trained", trained[group]))
        elif first is not row:
            left_out.append(LeftOut(row, "twice", first))
    out = {id(one.row) for one in left_out}
    return Sifted([row for row in asked if id(row) not in out], left_out)


def name_families(rows: Sequence[Row], taken: Collection[str]) -> list[Row]:
    """The rows with their task as a probe family; a name in `taken` gets the file's name in front of it."""
    return [
        row.model_copy(update={"task": f"{Path(row.file).name}: {row.task}"}) if row.task in taken else row
        for row in rows
    ]


def find_alike(prompt: str, asked: Sequence[frozenset[str]]) -> bool:
    """Whether a prompt has most of the words of a question in `asked` (as `list_words` gives them), in any order.

    Coarser than `drop_asked`, for prompts that nobody has read: "the capital city of France, please" asks what "What is
    the capital of France?" asks. Some that ask something else are taken for it.
    """
    words = list_words(prompt)
    return any(len(words & other) >= MOST_WORDS * len(other) for other in asked if other)


def list_words(text: str) -> frozenset[str]:
    """The words of a text that say what it is about, and its Chinese characters in pairs."""
    folded = fold_text(text)
    pairs = {run[at : at + 2] for run in HAN.findall(folded) for at in range(len(run) - 1)}
    return frozenset(WORD.findall(HAN.sub(" ", folded))) - COMMON | pairs


def drop_asked(prompts: Sequence[str], probes: Sequence[Row]) -> list[str]:
    """The prompts that ask nothing that a probe nearly asks."""
    if not probes:
        return list(prompts)
    groups = group_texts([*(make_case(row).prompt for row in probes), *prompts])
    asked = set(groups[: len(probes)])
    return [prompt for prompt, group in zip(prompts, groups[len(probes) :], strict=True) if group not in asked]
