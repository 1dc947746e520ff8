"""docs/reliability.md names a test for each promise, and each of these exists; both languages say the same."""

from __future__ import annotations

import ast
import re

import pytest

from tests.source import ROOT

PAGES = ("docs/reliability.md", "docs/reliability.zh-CN.md")


def list_rows(page: str) -> dict[str, list[str]]:
    """Promise -> tests that its row names."""
    text = (ROOT / page).read_text(encoding="utf-8")
    rows = re.findall(r"^\| (P\d+) \|[^|]*\|([^|]*)\|", text, re.M)
    return {name: re.findall(r"`([^`]+)`", cell) for name, cell in rows}


def names_a_test(place: str) -> bool:
    file, _, name = place.partition("::")
    if not (ROOT / file).is_file():
        return False
    found = ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))) if name else ()
    return not name or any(isinstance(node, ast.FunctionDef) and node.name == name for node in found)


@pytest.mark.parametrize("page", PAGES)
def test_every_promise_names_tests_that_exist(page: str) -> None:
    rows = list_rows(page)
    assert list(rows) == [f"P{number}" for number in range(1, 37)]
    assert [name for name, tests in rows.items() if not tests] == []
    assert [place for tests in rows.values() for place in tests if not names_a_test(place)] == []


def test_both_languages_name_the_same_tests() -> None:
    english, chinese = map(list_rows, PAGES)
    assert english == chinese


def test_the_soak_names_its_commit() -> None:
    text = (ROOT / "benchmarks" / "SOAK.md").read_text(encoding="utf-8")
    assert re.search(r"Commit `[0-9a-f]{7,}`", text)
    results = re.findall(r"(\d+) of (\d+) the same", text)
    assert results
    assert all(same == of for same, of in results)
