"""Findings between rows: exact copies, near copies of the question, one question with answers that disagree."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tuneproof.data.findings import Case, Value, note_defect, quote_text
from tuneproof.data.language import plain_form
from tuneproof.records import Finding

NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")
SHORT_ANSWER = 60
"""Characters. Shorter answers are values and labels: they agree or they do not."""


def find_duplicates(cases: Sequence[Case]) -> Iterator[Finding]:
    """Rows whose whole conversation came before, white space apart; the first stays."""
    first: dict[tuple[str, ...], Case] = {}
    for case in cases:
        parts = [part for turn in case.row.messages for part in (turn.role, " ".join(turn.content.split()))]
        kept = first.setdefault(tuple(unicodedata.normalize("NFC", part) for part in parts), case)
        if kept is not case:
            yield note_defect(case, "duplicate", "error", related=[kept.row.line], other=tell_place(case, kept))


def find_near_duplicates(cases: Sequence[Case], clusters: Mapping[str, str]) -> Iterator[Finding]:
    """Rows whose question is nearly that of an earlier row. `clusters`: row id -> cluster."""
    first: dict[str, Case] = {}
    for case in cases:
        kept = first.setdefault(clusters[case.row.id], case)
        if kept is not case:
            yield note_defect(case, "near_duplicate", "warning", related=[kept.row.line], other=tell_place(case, kept))


def find_contradictions(cases: Sequence[Case]) -> Iterator[Finding]:
    """Rows that ask what an earlier row asks and answer something else: numbers, labels, values, or other words."""
    asked: dict[tuple[tuple[str, str], ...], list[Case]] = defaultdict(list)
    for case in cases:
        asked[tuple((turn.role, plain_form(turn.content)) for turn in case.row.prompt)].append(case)
    for group in asked.values():
        for case in group[1:]:
            values = compare_answers(group[0].answer, case.answer)
            if values:
                values["other"] = tell_place(case, group[0])
                yield note_defect(case, "contradiction", "warning", related=[group[0].row.line], **values)


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


def read_value(answer: str) -> object | None:
    """The value of an answer that is a JSON object or list; None for any other."""
    if answer.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value: object = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    return value


def tell_place(case: Case, other: Case) -> str:
    """Where the other row is, as one says it in the case's own file."""
    return str(other.row.line) if other.row.file == case.row.file else f"{other.row.file}:{other.row.line}"
