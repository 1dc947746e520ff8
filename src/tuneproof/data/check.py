"""The data doctor: rows in, a report of every finding and the rows that can be used out.

The checks are the functions listed in ROW_CHECKS (one row each) and SET_CHECKS (all sound rows); each lives in the file
of its theme. Rows with a finding of severity `error` are left out: empty questions and answers, and exact copies but
for the first. Warnings stay in, contradictions too: which of two answers is right, only the user knows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from tuneproof.data.answers import (
    find_echoes,
    find_empty_instruction,
    find_empty_output,
    find_leaked_turns,
    find_placeholders,
    find_refusals,
)
from tuneproof.data.arithmetic import find_wrong_arithmetic
from tuneproof.data.balance import find_imbalance, find_moulds, find_too_few
from tuneproof.data.copies import find_contradictions, find_duplicates, find_near_duplicates
from tuneproof.data.ending import find_truncated
from tuneproof.data.findings import Case, RowCheck, SetCheck, make_case, note_defect
from tuneproof.data.language import guess_language
from tuneproof.data.near import THRESHOLD, cluster_rows
from tuneproof.data.people import find_people
from tuneproof.data.read import ReadResult
from tuneproof.data.text import (
    find_absent_files,
    find_control_characters,
    find_mojibake,
    find_script_mismatch,
    find_template_tokens,
)
from tuneproof.records import DataReport, Finding, Row, TokenSummary

ROW_CHECKS: tuple[RowCheck, ...] = (
    find_empty_instruction,
    find_empty_output,
    find_refusals,
    find_leaked_turns,
    find_echoes,
    find_mojibake,
    find_control_characters,
    find_template_tokens,
    find_script_mismatch,
    find_absent_files,
    find_people,
    find_wrong_arithmetic,
)
SET_CHECKS: tuple[SetCheck, ...] = (
    find_placeholders,
    find_truncated,
    find_contradictions,
    find_moulds,
    find_imbalance,
    find_too_few,
)


class Checked(NamedTuple):
    """What was found, and what can be used."""

    report: DataReport
    rows: list[Row]
    """Usable rows, in their order."""
    clusters: dict[str, str]
    """Row id -> cluster of near-duplicates."""


def check_rows(
    read: ReadResult, *, lengths: Sequence[int] | None, max_tokens: int | None
) -> tuple[DataReport, list[Row]]:
    """The report on what was read (without `split`), and the usable rows in their order. Arguments: `examine_rows`."""
    checked = examine_rows(read, lengths=lengths, max_tokens=max_tokens)
    return checked.report, checked.rows


def examine_rows(
    read: ReadResult, *, lengths: Sequence[int] | None, max_tokens: int | None, threshold: float = THRESHOLD
) -> Checked:
    """The report on what was read (without `split`), the usable rows, and their clusters.

    `lengths`: tokens of each of `read.rows`, None when no tokenizer is at hand; `max_tokens`: rows above it are named;
    `threshold`: Jaccard similarity (0 to 1) of two questions from which they are near-duplicates.
    """
    cases = [make_case(row) for row in read.rows]
    findings: list[Finding] = []
    findings += chain.from_iterable(check(case) for case in cases for check in ROW_CHECKS)
    cases = leave_out(cases, findings)
    findings += find_duplicates(cases)
    cases = leave_out(cases, findings)
    rows = [case.row for case in cases]
    clusters = cluster_rows(rows, threshold)
    findings += find_near_duplicates(cases, clusters)
    findings += chain.from_iterable(check(cases) for check in SET_CHECKS)
    if lengths is not None and max_tokens is not None:
        tokens = {row.id: length for row, length in zip(read.rows, lengths, strict=True)}
        findings += find_too_long(cases, tokens, max_tokens)
    findings += read.findings
    order = {file: number for number, file in enumerate(read.files)}
    findings.sort(key=lambda finding: (order.get(finding.file, 0), finding.line))
    edges, counts = count_lengths(rows)
    report = DataReport(
        rows=read.total,
        usable=len(rows),
        files=read.files,
        tokens=summarize_tokens(lengths),
        findings=findings,
        counts=dict(Counter(finding.kind for finding in findings)),
        tasks=dict(Counter(row.task for row in rows)),
        languages=dict(Counter(guess_language(case.prompt + case.answer) for case in cases)),
        lengths=counts,
        length_edges=edges,
    )
    return Checked(report, rows, clusters)


def leave_out(cases: Sequence[Case], findings: Sequence[Finding]) -> list[Case]:
    """The cases without an error."""
    wrong = {(finding.file, finding.line) for finding in findings if finding.severity == "error"}
    return [case for case in cases if (case.row.file, case.row.line) not in wrong]


def find_too_long(cases: Sequence[Case], tokens: Mapping[str, int], max_tokens: int) -> Iterator[Finding]:
    """Rows of more than `max_tokens` tokens: they would lose the end of their answer. `tokens`: row id -> length."""
    for case in cases:
        if tokens[case.row.id] > max_tokens:
            yield note_defect(case, "over_length", "warning", tokens=tokens[case.row.id], limit=max_tokens)


def summarize_tokens(lengths: Sequence[int] | None) -> TokenSummary:
    """Median, 95th percentile and maximum of the rows' tokens."""
    if not lengths:
        return TokenSummary()
    ranked = sorted(lengths)
    return TokenSummary(p50=ranked[len(ranked) // 2], p95=ranked[int(0.95 * (len(ranked) - 1))], max=ranked[-1])


def count_lengths(rows: Sequence[Row]) -> tuple[list[int], list[int]]:
    """Edges (characters, doubling from 25) and counts of a histogram of row lengths; the last edge is above all."""
    lengths = [sum(len(message.content) for message in row.messages) for row in rows]
    edges = [0, 25]
    while edges[-1] <= max(lengths, default=0):
        edges.append(2 * edges[-1])
    bins = Counter(next(number for number, edge in enumerate(edges[1:]) if length < edge) for length in lengths)
    return edges, [bins[number] for number in range(len(edges) - 1)]
