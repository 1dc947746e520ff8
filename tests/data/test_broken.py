"""Broken files: each record that cannot be used is named with its line and the reason, the others are read."""

from __future__ import annotations

import gzip
import json
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.data.rows import read_file
from tuneproof.data.check import check_rows
from tuneproof.errors import TuneproofError
from tuneproof.records import Finding

GOOD = '{"instruction": "q", "output": "a"}'
CHINESE = '{"instruction": "今天的天气怎么样？", "output": "今天天气晴朗，适合出门散步。"}'
LARGEST = 50 * 2**20

Golden = tuple[str, int, str]
"""Kind, line, and a part of the message."""

BROKEN: dict[str, tuple[str, str | bytes, int, list[Golden]]] = {
    "cut": ("r.jsonl", f'{GOOD}\n{{"instruction": "q", "out', 1, [("bad_json", 2, "Column 22")]),
    "cut between": ("r.jsonl", f'{GOOD}\n{{"instruction": "q",', 1, [("bad_json", 2, "ends before")]),
    "no comma": ("r.jsonl", f'{{"a": "q" "b": 1}}\n{GOOD}', 1, [("bad_json", 1, "Column 11: a comma")]),
    "no colon": ("r.jsonl", f'{{"a" "q"}}\n{GOOD}', 1, [("bad_json", 1, "Column 6: a colon")]),
    "no quotes": ("r.jsonl", f"{{'a': 1}}\n{GOOD}", 1, [("bad_json", 1, "Column 2: a key")]),
    "no value": ("r.jsonl", f'{{"a": }}\n{GOOD}', 1, [("bad_json", 1, "Column 7: a value")]),
    "trailing comma": ("r.jsonl", f'{{"a": "q",}}\n{GOOD}', 1, [("bad_json", 1, "comma before")]),
    "raw tab": ("r.jsonl", f'{{"a": "q\tx"}}\n{GOOD}', 1, [("bad_json", 1, "Column 9: a raw")]),
    "raw zero": ("r.jsonl", f'{{"a": "q\0x"}}\n{GOOD}', 1, [("bad_json", 1, "Column 9: a raw")]),
    "bad escape": ("r.jsonl", f'{{"a": "C:\\data"}}\n{GOOD}', 1, [("bad_json", 1, "Column 10: a wrong backslash")]),
    "two on a line": ("r.jsonl", f"{GOOD}{GOOD}\n{GOOD}", 1, [("bad_json", 1, "Column 36: something follows")]),
    "plain text": ("r.jsonl", f"hello\n{GOOD}\nNone", 1, [("bad_json", 1, "value"), ("bad_json", 3, "value")]),
    "NaN": ("r.jsonl", f'{{"a": "NaN", "b": NaN}}\n{GOOD}', 1, [("bad_json", 1, "Column 19: NaN")]),
    "Infinity": ("r.jsonl", f'{GOOD}\n{{"a": -Infinity}}', 1, [("bad_json", 2, "-Infinity")]),
    "double key": (
        "r.jsonl",
        f'{{"output": "a", "output": "b"}}\n{GOOD}',
        1,
        [("bad_json", 1, 'Column 17: the name "o')],
    ),
    "inner double key": ("r.jsonl", f'{{"m": {{"k": 1, "k": 2}}}}\n{GOOD}', 1, [("bad_json", 1, '"k" comes twice')]),
    "too deep": ("r.jsonl", f"{GOOD}\n" + "[" * 100_000, 1, [("bad_json", 2, "nested too deeply")]),
    "deep tools": (
        "r.jsonl",
        f'{GOOD}\n{{"question": "q", "answer": "a", "tools": {"[" * 600}{"]" * 600}}}',
        1,
        [("bad_json", 2, "nested too deeply")],
    ),
    "long line": ("r.jsonl", f'{{"a": "{"x" * LARGEST}"}}\n{GOOD}', 1, [("bad_json", 1, "longer than 50")]),
    "no object": ("r.jsonl", f'{GOOD}\n"text"\n3\nnull', 1, [("wrong_type", n, "no object") for n in (2, 3, 4)]),
    "number": ("r.jsonl", f'{GOOD}\n{{"question": "q", "answer": {{"x": 1}}}}', 1, [("wrong_type", 2, "object")]),
    "no answer key": ("r.jsonl", f'{GOOD}\n{{"instruction": "q"}}', 1, [("missing_field", 2, "instruction")]),
    "no turns": ("r.jsonl", f'{GOOD}\n{{"messages": []}}', 1, [("wrong_type", 2, "messages")]),
    "turns as text": ("r.jsonl", f'{GOOD}\n{{"messages": "hello"}}', 1, [("wrong_type", 2, "string")]),
    "unknown role": (
        "r.jsonl",
        f'{GOOD}\n{{"messages": [{{"role": "narrator", "content": "x"}}]}}',
        1,
        [("wrong_type", 2, "narrator")],
    ),
    "no role": ("r.jsonl", f'{GOOD}\n{{"messages": [{{"text": "x"}}]}}', 1, [("missing_field", 2, "whose")]),
    "no text": ("r.jsonl", f'{GOOD}\n{{"messages": [{{"role": "user"}}]}}', 1, [("missing_field", 2, "no text")]),
    "no answer": (
        "r.jsonl",
        f'{GOOD}\n{{"messages": [{{"role": "user", "content": "x"}}]}}',
        1,
        [("missing_field", 2, "no answer")],
    ),
    "picture": (
        "r.jsonl",
        f'{GOOD}\n{{"messages": [{{"role": "user", "content": [{{"type": "image_url"}}]}}]}}',
        1,
        [("wrong_type", 2, "image")],
    ),
    "bad history": ("r.jsonl", f'{GOOD}\n{GOOD[:-1]}, "history": ["x"]}}', 1, [("wrong_type", 2, "history")]),
    "odd required": ("r.jsonl", f'{GOOD[:-1]}, "required": 7}}', 1, [("wrong_type", 1, "required")]),
    "half a character": (
        "r.jsonl",
        f'{GOOD}\n{{"question": "\\ud83d", "answer": "a"}}',
        1,
        [("bad_encoding", 2, "half")],
    ),
    "half a key": ("r.jsonl", f'{GOOD}\n{{"\\ud83d": "a"}}', 1, [("missing_field", 2, "ud83d")]),
    "one bad byte": (
        "r.jsonl",
        GOOD.encode() + b'\n{"instruction": "\xff", "output": "a"}',
        1,
        [("bad_encoding", 2, "UTF-8")],
    ),
    "one GBK line": (
        "r.jsonl",
        f"{GOOD}\n{CHINESE}\n".encode() + CHINESE.encode("gbk"),
        2,
        [("bad_encoding", 3, "look like gb18030")],
    ),
    "cut gzip": ("r.jsonl.gz", gzip.compress(f"{GOOD}\n".encode() * 20)[:-4], 20, [("bad_encoding", 21, "gzip")]),
    "array, broken": (
        "r.json",
        f'[\n {GOOD},\n {{"instruction": "q" "output": [{{"x": 1}}, {{"y": 2}}]}},\n {GOOD}\n]',
        2,
        [("bad_json", 3, "Column 22: a comma")],
    ),
    "array, compact": (
        "r.json",
        f'[{GOOD}, {{"instruction": }}, {GOOD}, {{"a": NaN}}, {GOOD}]',
        3,
        [("bad_json", 1, "Column 55"), ("bad_json", 1, "NaN")],
    ),
    "array, not closed": ("r.json", f"[{GOOD}, {GOOD}", 2, [("bad_json", 1, "ends before")]),
    "array, cut": ("r.json", f"[{GOOD}, {GOOD[:-4]}", 1, [("bad_json", 1, "ends before")]),
    "array, last comma": ("r.json", f"[{GOOD},\n]", 1, [("bad_json", 1, "Column 37: a comma before")]),
    "array, no comma": ("r.json", f"[{GOOD}\n{GOOD}]", 2, [("bad_json", 2, "a comma is missing")]),
    "array, then more": ("r.json", f"[{GOOD}]\n[]", 1, [("bad_json", 2, "something follows")]),
    "half a character in a part": (
        "r.json",
        f'[{GOOD}, {{"messages": [{{"role": "user", "content": [{{"text": "\\udc00"}}]}}]}}]',
        1,
        [("bad_encoding", 2, "half")],
    ),
    "array of text": ("r.json", f'["x", {GOOD}]', 1, [("wrong_type", 1, "string")]),
    "CSV, ragged": (
        "r.csv",
        "question,answer\nq,a\nq,a,b\nq\n",
        1,
        [("wrong_type", 2, "3 cells"), ("wrong_type", 3, "1")],
    ),
    "CSV, open quote": ("r.csv", 'question,answer\nq,a\nq,"a\nq,a\n', 1, [("bad_json", 2, "never closed")]),
    "CSV, stray quote": ("r.csv", 'question,answer\nq,"a"b\nq,a\n', 1, [("bad_json", 1, "rules of CSV")]),
    "CSV, twice a column": (
        "r.csv",
        "answer,question,answer,,\na,q,b,,\n",
        1,
        [("wrong_type", 1, 'two columns "answer"')],
    ),
    "CSV, GBK row": (
        "r.csv",
        b"question,answer\nq,a\n" + "今天的天气怎么样？,今天天气晴朗，适合出门散步。\n".encode("gbk"),
        1,
        [("bad_encoding", 2, "look like gb18030")],
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_record_is_named_and_the_others_are_read(tmp_path: Path, case: str) -> None:
    name, content, rows, golden = BROKEN[case]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    result = read_file(path)
    assert len(result.rows) == rows
    found = [(finding.kind, finding.line) for finding in result.findings]
    assert found == [(kind, line) for kind, line, _ in golden]
    for finding, (_, _, words) in zip(result.findings, golden, strict=True):
        assert words in finding.message
        assert_told_in_both_languages(finding)


def assert_told_in_both_languages(finding: Finding) -> None:
    """Both sentences of the finding exist in English and Chinese, with every blank filled."""
    assert (finding.message, finding.fix) == finding.told("en")
    for sentence in finding.told("zh"):
        assert re.search("[\u4e00-\u9fff]", sentence)


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


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    at=st.integers(0, len(VALID)),
    drop=st.integers(0, 40),
    splice=st.one_of(st.sampled_from(SPLICES), st.binary(max_size=8)),
    name=st.sampled_from(["r.jsonl", "r.json", "r.csv", "r.tsv", "r.jsonl.gz"]),
    encoding=st.sampled_from([None, "utf-8", "gb18030", "utf-16", "latin-1"]),
)
def test_a_mutated_file_never_ends_in_a_traceback(
    tmp_path: Path, at: int, drop: int, splice: bytes, name: str, encoding: str | None
) -> None:
    path = tmp_path / name
    path.write_bytes(VALID[:at] + splice + VALID[at + drop :])
    with suppress(TuneproofError):
        result = read_file(path, encoding)
        report, rows = check_rows(result, lengths=None, max_tokens=None)
        assert report.model_dump_json()
        assert len(rows) == report.usable <= report.rows
