"""Findings about the set: answers from one mould, labels out of balance, too few rows, rows that are too long."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tuneproof.data.findings import Case, Value, make_finding, note_defect, quote_text
from tuneproof.data.language import plain_form
from tuneproof.records import Finding
from tuneproof.records.data import Severity

FEW_ROWS, ENOUGH_ROWS = 60, 300
"""Below the first there is no test split; below the second it is smaller than 100 rows (docs/evidence.md, rule 17)."""
MOULD_ANSWER = 80
"""Characters; shorter answers share their openings because they are labels and values."""
MOULD_OPENING = 24
MOULD_ROWS, MOULD_SHARE = 20, 0.1
LABEL_ROWS, LABEL_KINDS, LABEL_LENGTH = 50, 20, 40
LABEL_SHARE = 0.8


def group_tasks(cases: Sequence[Case]) -> dict[str, list[Case]]:
    """The cases of each task."""
    tasks: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        tasks[case.row.task].append(case)
    return tasks


def find_moulds(cases: Sequence[Case]) -> Iterator[Finding]:
    """Long answers of one task that open with the same words: the tuned model will open all of its answers so."""
    for task, members in group_tasks(cases).items():
        long = [case for case in members if len(case.answer) >= MOULD_ANSWER and case.answer.lstrip()[:1] not in "{["]
        openings = Counter(case.answer.lstrip()[:MOULD_OPENING] for case in long)
        for opening, count in openings.most_common(3):
            if count >= max(MOULD_ROWS, MOULD_SHARE * len(members)):
                same = [case for case in long if case.answer.lstrip().startswith(opening)]
                lines = [case.row.line for case in same]
                told: dict[str, Value] = {
                    "text": quote_text(opening),
                    "count": count,
                    "rows": len(members),
                    "task": task,
                }
                place = (same[0].row.file, lines[0])
                yield make_finding("templated_output", "warning", place, told, lines[1:MOULD_ROWS])


def find_imbalance(cases: Sequence[Case]) -> Iterator[Finding]:
    """A task of labels whose commonest label is nearly all of them: always saying it would score well."""
    for task, members in group_tasks(cases).items():
        labels = Counter(plain_form(case.answer) for case in members)
        label, count = labels.most_common(1)[0]
        if len(members) < LABEL_ROWS or len(labels) > LABEL_KINDS or max(map(len, labels)) > LABEL_LENGTH:
            continue
        if count >= LABEL_SHARE * len(members):
            share = round(100 * count / len(members))
            told: dict[str, Value] = {"task": task, "label": quote_text(label), "count": count, "share": share}
            place = (members[0].row.file, members[0].row.line)
            yield make_finding("label_imbalance", "warning", place, {**told, "rows": len(members)})


def find_too_few(cases: Sequence[Case]) -> Iterator[Finding]:
    """Fewer rows than a test split needs."""
    if 0 < len(cases) < ENOUGH_ROWS:
        severity: Severity = "warning" if len(cases) < FEW_ROWS else "info"
        variant = "no_test" if len(cases) < FEW_ROWS else "small_test"
        yield note_defect(cases[0], "too_few_rows", severity, variant=variant, rows=len(cases), needed=ENOUGH_ROWS)
