"""Parquet and Excel: every value arrives as the text that a user sees, and a row's number is its place."""

from __future__ import annotations

import gzip
import sys
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.data.broken import SHEET, make_parquet, make_rows, make_workbook
from tests.data.rows import read_file
from tests.data.test_read import STRANGE, tell_turns
from tuneproof.data.cells import write_cell, write_value
from tuneproof.errors import UsageError


def write(folder: Path, name: str, raw: bytes) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def read_answers(path: Path) -> list[str]:
    return [row.reference for row in read_file(path).rows]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (42.0, "42"),
        (-0.5, "-0.5"),
        (0.1 + 0.2, "0.3"),
        (1e21, "1e+21"),
        (12345678901234.0, "12345678901234"),
        (True, "TRUE"),
        ("007", "007"),
        (date(2024, 1, 5), "2024-01-05"),
        (datetime(2024, 1, 5, 9, 30), "2024-01-05 09:30:00"),
        (time(9, 30), "09:30:00"),
        (timedelta(hours=26, seconds=5), "26:00:05"),
        (-timedelta(minutes=90), "-01:30:00"),
    ],
)
def test_a_cell_becomes_the_text_that_a_user_sees(value: object, text: str) -> None:
    assert write_cell(value) == text


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (7, "7"),
        (10**25, "1" + "0" * 25),
        (0.1, "0.1"),
        (Decimal("1.50"), "1.50"),
        (float("nan"), None),
        (True, True),
        (b"\xe4\xbd\xa0", "你"),
        (datetime(2024, 1, 5, 9, 30), "2024-01-05 09:30:00"),
        ([("a", 1)], [["a", "1"]]),
        ({"role": "user", "parts": [date(2024, 1, 5)]}, {"role": "user", "parts": ["2024-01-05"]}),
    ],
)
def test_a_value_becomes_what_json_would_have(value: object, told: object) -> None:
    assert write_value(value) == told


@pytest.mark.parametrize("name", ["rows.parquet", "rows.parquet.gz"])
def test_parquet_text_stays_as_it_is_written(tmp_path: Path, name: str) -> None:
    pytest.importorskip("pyarrow")
    path = write(tmp_path, name, make_parquet({"question": STRANGE, "answer": STRANGE}))
    result = read_file(path)
    assert [row.reference for row in result.rows] == STRANGE
    assert [row.line for row in result.rows] == list(range(1, len(STRANGE) + 1))
    assert {row.task for row in result.rows} == {"rows"}


def test_parquet_holds_conversations(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    talk = [{"from": "human", "value": "p"}, {"from": "gpt", "value": "b"}]
    result = read_file(write(tmp_path, "rows.parquet", make_parquet({"messages": [turns, turns], "id": [1, 2]})))
    assert [tell_turns(row) for row in result.rows] == [[("user", "q"), ("assistant", "a")]] * 2
    assert read_answers(write(tmp_path, "more.parquet", make_parquet({"conversations": [talk]}))) == ["b"]


def test_parquet_values_of_other_types_become_their_text(tmp_path: Path) -> None:
    arrow: Any = pytest.importorskip("pyarrow")
    columns = {
        "short": arrow.array([0.1], arrow.float32()),
        "whole": arrow.array([7], arrow.int8()),
        "money": [Decimal("1.50")],
        "day": [date(2024, 1, 5)],
        "moment": arrow.array([1704447000123456789], arrow.timestamp("ns")),
        "category": arrow.array(["x"]).dictionary_encode(),
        "nothing": arrow.array([None], arrow.string()),
    }
    told = ["0.1", "7", "1.50", "2024-01-05", "2024-01-05 09:30:00.123456", "x", ""]
    for (name, column), text in zip(columns.items(), told, strict=True):
        path = write(tmp_path, f"{name}.parquet", make_parquet({"question": ["q"], "answer": column}))
        assert read_answers(path) == [text]


def test_parquet_is_read_in_batches(tmp_path: Path) -> None:
    """More rows than a batch, in more than one row group: numbers go on, and nothing comes twice."""
    pytest.importorskip("pyarrow")
    questions = [f"q{number}" for number in range(2500)]
    path = tmp_path / "rows.parquet"
    table = import_module("pyarrow").table({"question": questions, "answer": questions})
    import_module("pyarrow.parquet").write_table(table, path, row_group_size=700)
    assert [(row.line, row.reference) for row in read_file(path).rows] == list(enumerate(questions, 1))


@pytest.mark.parametrize("name", ["rows.xlsx", "rows.xlsx.gz"])
def test_cells_of_a_sheet_arrive_as_text(tmp_path: Path, name: str) -> None:
    pytest.importorskip("python_calamine")
    cells: list[object] = ["007", "  two\r\nlines ", "&<>", 42, 2.5, (45296, 1), (45296.5, 2), True, "=1+1"]
    rows = make_rows(("问题", "回答"), *[("q", cell) for cell in cells])
    result = read_file(write(tmp_path, name, make_workbook(empty="", faq=rows)))
    told = ["007", "  two\r\nlines ", "&<>", "42", "2.5", "2024-01-05", "2024-01-05 12:00:00", "TRUE", "=1+1"]
    assert [row.reference for row in result.rows] == told
    assert [row.line for row in result.rows] == list(range(1, len(cells) + 1))
    assert result.findings == []


def test_blank_rows_of_a_sheet_are_no_records(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    rows = make_rows(("", ""), ("question", "answer"), ("q", "a"), ("", ""), ("p", "b"), ("", ""))
    result = read_file(write(tmp_path, "rows.xlsx", make_workbook(faq=rows)))
    assert [(row.line, row.reference) for row in result.rows] == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    ("module", "name", "command"),
    [
        ("pyarrow", "rows.parquet", "pip install pyarrow"),
        ("python_calamine", "rows.xlsx", "pip install 'tuneproof[excel]'"),
    ],
)
def test_a_missing_reader_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, name: str, command: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    raw = b"PAR1" if name.endswith(".parquet") else make_workbook(faq=SHEET)
    with pytest.raises(UsageError) as caught:
        read_file(write(tmp_path, name, raw))
    assert caught.value.where == str(tmp_path / name)
    assert all(command in caught.value.hint(language) for language in ("en", "zh"))
