"""Findings about the set: placeholders for answers, answers from one mould, labels out of balance, too few rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tuneproof.data.findings import Value, make_finding, note_defect, quote_text
from tuneproof.data.language import plain_form
from tuneproof.data.traits import MOULD_OPENING, Cases
from tuneproof.records import Finding
from tuneproof.records.data import Severity

FEW_ROWS, ENOUGH_ROWS = 60, 300
"""Below the first there is no test split; below the second it is smaller than 100 rows (docs/evidence.md, rule 17)."""
SHORT_ANSWER = 30
"""Characters; a task whose median answer is shorter has labels and values for answers."""
MOULD_ROWS, MOULD_SHARE = 20, 0.1
LABEL_ROWS, LABEL_KINDS, LABEL_LENGTH = 50, 20, 40
LABEL_SHARE = 0.8


def find_placeholders(cases: Cases) -> Iterator[Finding]:
    """Answers that stand for an answer. In a task of labels "none" is an answer."""
    for _, places in cases.group_tasks():
        traits = cases.traits[places]
        certain = 2 if np.median(traits["answer"]) < SHORT_ANSWER else 1
        for at in places[traits["stand_in"] >= certain]:
            case = cases[at]
            yield note_defect(case, "placeholder_output", "warning", text=quote_text(case.answer))


def find_moulds(cases: Cases) -> Iterator[Finding]:
    """Long answers of one task that open with the same words: the tuned model will open all of its answers so."""
    for task, places in cases.group_tasks():
        openings = cases.traits["opening"][places]
        found, counts = np.unique(openings[openings > 0], return_counts=True)
        for number in np.argsort(-counts, kind="stable")[:3]:
            if counts[number] >= max(MOULD_ROWS, MOULD_SHARE * len(places)):
                same = places[openings == found[number]]
                some = [cases[at] for at in same[:MOULD_ROWS]]
                told: dict[str, Value] = {
                    "text": quote_text(some[0].answer.lstrip()[:MOULD_OPENING]),
                    "count": len(same),
                    "rows": len(places),
                    "task": task,
                }
                place, *others = [(case.row.file, case.row.line) for case in some]
                yield make_finding("templated_output", "warning", place, told, [line for _, line in others])


def find_imbalance(cases: Cases) -> Iterator[Finding]:
    """A task of labels whose commonest label is nearly all of them: always saying it would score well."""
    for task, places in cases.group_tasks():
        traits = cases.traits[places]
        labels, firsts, counts = np.unique(traits["said"], return_index=True, return_counts=True)
        if len(places) < LABEL_ROWS or len(labels) > LABEL_KINDS or traits["label"].max() > LABEL_LENGTH:
            continue
        most = int(np.argmax(counts))
        count = int(counts[most])
        if count >= LABEL_SHARE * len(places):
            label = plain_form(cases[places[firsts[most]]].answer)
            told: dict[str, Value] = {"task": task, "label": quote_text(label), "count": count}
            first = cases[places[0]].row
            share = round(100 * count / len(places))
            place = (first.file, first.line)
            yield make_finding("label_imbalance", "warning", place, {**told, "share": share, "rows": len(places)})


def find_too_few(cases: Cases) -> Iterator[Finding]:
    """Fewer rows than a test split needs."""
    if 0 < len(cases) < ENOUGH_ROWS:
        severity: Severity = "warning" if len(cases) < FEW_ROWS else "info"
        variant = "no_test" if len(cases) < FEW_ROWS else "small_test"
        yield note_defect(cases[0], "too_few_rows", severity, variant=variant, rows=len(cases), needed=ENOUGH_ROWS)
