"""Rows and files for the tests of the data stage.

cases = make_cases(("What is 2+2?", "4"), ("Name a colour.", "Blue"))
kinds = list_kinds(tmp_path, '{"instruction": "q", "output": "a"}')
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tuneproof.data.check import check_rows
from tuneproof.data.read import ReadResult, read_rows
from tuneproof.data.traits import Cases, gather_cases
from tuneproof.records import DataReport, Message, Row


def make_row(question: str, answer: str, number: int = 1, task: str = "rows") -> Row:
    """One row of a question and an answer."""
    messages = [Message(role="user", content=question), Message(role="assistant", content=answer)]
    return Row(id=f"{number:012x}", file="rows.jsonl", line=number, task=task, messages=messages)


def make_cases(*pairs: tuple[str, str]) -> Cases:
    """Cases of questions and answers, on lines 1, 2, ..."""
    return gather_cases([make_row(*pair, number) for number, pair in enumerate(pairs, 1)])


def read_file(path: Path, encoding: str | None = None, columns: Mapping[str, str] | None = None) -> ReadResult:
    """The rows of one file, read without any flag but these."""
    return read_rows([path], columns=columns, task=None, system_prompt=None, encoding=encoding)


def read_text(folder: Path, text: str, name: str = "rows.jsonl") -> ReadResult:
    """The rows of a file that holds `text`."""
    path = folder / name
    path.write_bytes(text.encode())
    return read_file(path)


def check_pairs(folder: Path, *pairs: tuple[str, str]) -> tuple[DataReport, list[Row]]:
    """The report on a JSON lines file of questions and answers."""
    lines = [json.dumps({"instruction": question, "output": answer}) for question, answer in pairs]
    return check_rows(read_text(folder, "\n".join(lines)))
