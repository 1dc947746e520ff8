"""Findings about the whole set."""

from __future__ import annotations

import pytest

from tests.data.rows import make_cases
from tuneproof.data.balance import find_imbalance, find_moulds, find_too_few

BODY = "the matter of number {0} was looked at with care, and the result of it is that all is well with {0}."


def test_answers_from_one_mould_are_found_once() -> None:
    cases = make_cases(*((f"q{n}", f"Thank you for your question, {BODY.format(n)}") for n in range(30)))
    (found,) = find_moulds(cases)
    assert (found.kind, found.line, found.values["count"]) == ("templated_output", 1, 30)
    varied = make_cases(*((f"q{n}", f"{n * 7919} is what {BODY.format(n)}") for n in range(30)))
    assert not list(find_moulds(varied))


@pytest.mark.parametrize(("common", "rare", "count"), [(90, 10, 1), (60, 40, 0), (100, 0, 1)])
def test_a_label_that_is_nearly_all_is_found(common: int, rare: int, count: int) -> None:
    cases = make_cases(*[("q", "normal")] * common, *[("q", "urgent")] * rare)
    assert len(list(find_imbalance(cases))) == count


def test_free_text_has_no_labels() -> None:
    assert not list(find_imbalance(make_cases(*((f"q{n}", f"answer {n}") for n in range(100)))))


@pytest.mark.parametrize(
    ("rows", "severity"), [(1, "warning"), (59, "warning"), (60, "info"), (299, "info"), (300, None)]
)
def test_too_few_rows_are_said(rows: int, severity: str | None) -> None:
    found = list(find_too_few(make_cases(*((f"q{n}", "a") for n in range(rows)))))
    assert [finding.severity for finding in found] == ([severity] if severity else [])
