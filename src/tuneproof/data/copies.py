"""Findings between rows: exact copies, near copies of the question, one question with answers that disagree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from tuneproof.data.findings import Case, Value, note_defect, quote_text
from tuneproof.data.grams import Places
from tuneproof.data.language import plain_form
from tuneproof.data.parse import read_value
from tuneproof.data.traits import Cases, find_repeats
from tuneproof.records import Finding

NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")
SHORT_ANSWER = 60
"""Characters. Shorter answers are values and labels: they agree or they do not."""


def find_duplicates(cases: Cases) -> Iterator[Finding]:
    """Rows whose whole conversation came before, white space apart; the first stays."""
    for at, first in find_repeats(cases.traits["whole"]):
        case, kept = cases[at], cases[first]
        yield note_defect(case, "duplicate", "error", related=[kept.row.line], other=tell_place(case, kept))


def find_near_duplicates(cases: Cases, groups: Sequence[int] | Places) -> Iterator[Finding]:
    """Rows whose question is nearly that of an earlier row. `groups`: for each case the number of its group."""
    for at, first in find_repeats(np.asarray(groups, dtype=np.uint64)):
        case, kept = cases[at], cases[first]
        yield note_defect(case, "near_duplicate", "warning", related=[kept.row.line], other=tell_place(case, kept))


def find_contradictions(cases: Cases) -> Iterator[Finding]:
    """Rows that ask what an earlier row asks and answer something else: numbers, labels, values, or other words."""
    said = cases.traits["said"]
    for at, first in find_repeats(cases.traits["asked"]):
        if said[at] == said[first]:
            continue
        case, other = cases[at], cases[first]
        values = compare_answers(other.answer, case.answer)
        if values:
            values["other"] = tell_place(case, other)
            yield note_defect(case, "contradiction", "warning", related=[other.row.line], **values)


def compare_answers(first: str, second: str) -> dict[str, Value]:
    """How two answers disagree, as values of the finding; empty when they say the same."""
    if plain_form(first) == plain_form(second):
        return {}
    one, two = read_value(first), read_value(second)
    if one is not None and one == two:
        return {}
    told: dict[str, Value] = {"first": quote_text(first), "second": quote_text(second)}
    if max(len(first), len(second)) <= SHORT_ANSWER or one is not None or two is not None:
        return {"variant": "value", **told}
    numbers = [NUMBER.findall(first), NUMBER.findall(second)]
    if all(numbers) and numbers[0][-1] != numbers[1][-1]:
        return {"variant": "number", "first": numbers[0][-1], "second": numbers[1][-1]}
    return {"variant": "text", **told}


def tell_place(case: Case, other: Case) -> str:
    """Where the other row is, as one says it in the case's own file."""
    return str(other.row.line) if other.row.file == case.row.file else f"{other.row.file}:{other.row.line}"
