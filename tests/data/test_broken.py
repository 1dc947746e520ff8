"""Broken files: each record that cannot be used is named with its line and the reason, the others are read."""

from __future__ import annotations

import gzip
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.data.broken import CASES, SHEET, make_parquet, make_workbook, read_golden, tell_case
from tests.data.rows import read_file
from tuneproof.data.check import check_rows
from tuneproof.data.read import ReadResult
from tuneproof.errors import TuneproofError

GOLDEN = read_golden()


@pytest.mark.parametrize("case", CASES)
def test_what_is_said_about_a_broken_file_is_what_was_agreed(tmp_path: Path, case: str) -> None:
    """Each record that cannot be used, with its place, its reason and the way out, in both languages, in one pass."""
    if case.startswith(("Parquet", "Excel")):
        pytest.importorskip("pyarrow" if case.startswith("Parquet") else "python_calamine")
    told = tell_case(tmp_path, *CASES[case])
    assert told == GOLDEN[case]
    sentences = [line for line in told.splitlines() if line.startswith("  ")]
    assert not sentences or any(re.search("[\u4e00-\u9fff]", line) for line in sentences)


def test_every_agreed_sentence_has_its_file() -> None:
    assert list(GOLDEN) == list(CASES)
    assert len(CASES) >= 40


def check_whole(result: ReadResult) -> None:
    """Rows and findings that the rest of the chain can work with."""
    report, rows = check_rows(result)
    assert report.model_dump_json()
    assert len(rows) == report.usable <= report.rows
    for finding in result.findings:
        assert all(finding.told("en"))
        assert all(finding.told("zh"))


VALID = "\n".join(
    json.dumps(record, ensure_ascii=False)
    for record in (
        {"instruction": "Add 2 and 3.", "input": "", "output": "2 + 3 = 5", "history": [["hi", "hello"]]},
        {"messages": [{"role": "user", "content": "你好"}, {"role": "assistant", "content": "您好，a@b.cn。"}]},
        {"question": "1e400?", "answer": 1.5, "tools": [{"name": "f"}], "required": ["x"]},
    )
).encode()
SPLICES = [
    b"",
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"[" * 3000,
    b'"',
    b"\n",
    b"{}",
    b"NaN",
    b",",
    b"\x1f\x8b",
]


PARQUET_ROWS = {"question": ["Add 2 and 3.", "你好"], "answer": ["5", "您好"], "history": [[["hi", "hello"]], []]}
BINARY = {"r.xlsx": make_workbook(rows=SHEET, more=SHEET)}
with suppress(ImportError):
    BINARY["r.parquet"] = make_parquet(PARQUET_ROWS)
TEXTS = dict.fromkeys(("r.jsonl", "r.json", "r.csv", "r.tsv", "r.jsonl.gz"), VALID)
ARRAY = b"[" + VALID.replace(b"\n", b",\n") + b"]"
FILES = {
    **TEXTS,
    **BINARY,
    "array.json": ARRAY,
    "object.json": b'{"rows": ' + ARRAY + b"}",
    "packed.json.gz": gzip.compress(ARRAY, mtime=0),
    **{f"{name}.gz": gzip.compress(raw, mtime=0) for name, raw in BINARY.items()},
}
PLAIN = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@PLAIN
@given(
    name=st.sampled_from(sorted(FILES)),
    at=st.floats(0, 1),
    drop=st.integers(0, 40),
    splice=st.one_of(st.sampled_from(SPLICES), st.binary(max_size=8)),
    encoding=st.sampled_from([None, "utf-8", "gb18030", "utf-16", "latin-1"]),
)
def test_a_mutated_file_never_ends_in_a_traceback(
    tmp_path: Path, name: str, at: float, drop: int, splice: bytes, encoding: str | None
) -> None:
    place = int(at * len(FILES[name]))
    path = tmp_path / name
    path.write_bytes(FILES[name][:place] + splice + FILES[name][place + drop :])
    with suppress(TuneproofError):
        check_whole(read_file(path, encoding))


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)
TURN_KEYS = st.sampled_from(["role", "from", "content", "value", "tool_calls", "human", "gpt", "text"])
TURNS = st.lists(st.one_of(VALUES, st.dictionaries(TURN_KEYS, VALUES, max_size=3)), max_size=3)
KEYS = st.sampled_from("instruction input output messages history system tools task required prompt 问题 回答".split())


@PLAIN
@given(records=st.lists(st.dictionaries(KEYS, st.one_of(VALUES, TURNS), max_size=5), min_size=1, max_size=4))
@pytest.mark.parametrize("name", ["r.jsonl", "r.json"])
def test_records_of_any_values_are_rows_or_are_named(tmp_path: Path, name: str, records: list[Any]) -> None:
    """JSON that is sound, and whose fields hold anything: each record is one row or has an error of its own."""
    path = tmp_path / name
    told = [json.dumps(record) for record in records]
    path.write_text("\n".join(told) if name == "r.jsonl" else f"[{', '.join(told)}]", encoding="utf-8")
    with suppress(TuneproofError):
        result = read_file(path)
        errors = {finding.line for finding in result.findings if finding.severity == "error"}
        lines = {row.line for row in result.rows}
        assert lines.isdisjoint(errors)
        assert lines | errors == set(range(1, len(records) + 1))
        check_whole(result)
