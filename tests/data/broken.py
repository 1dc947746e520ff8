"""Broken data files, and what is said about each: the corpus behind test_broken.py.

`python -m tests.data.broken` writes broken.golden.txt anew, after a sentence was changed on purpose.
"""

from __future__ import annotations

import gzip
import io
import re
import tempfile
import zipfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.data.rows import read_file
from tuneproof.errors import TuneproofError
from tuneproof.messages import Language, current_language, use_language

GOLDEN = Path(__file__).with_name("broken.golden.txt")
GOOD = '{"instruction": "q", "output": "a"}'
CHINESE = '{"instruction": "今天的天气怎么样？", "output": "今天天气晴朗，适合出门散步。"}'
SENTENCES = "今天的天气怎么样？,今天天气晴朗，适合出门散步。\n"
LARGEST = 50 * 2**20
SHEET_SPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
LINK_SPACE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE_SPACE = "http://schemas.openxmlformats.org/package/2006"
STYLES = '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/></cellXfs>'
"""Cell formats: 0 general, 1 date, 2 date and time."""


def make_workbook(**sheets: str) -> bytes:
    """A workbook (.xlsx). `sheets`: name -> rows as XML; see `make_rows`."""
    names = list(enumerate(sheets, 1))
    tabs = "".join(f'<sheet name="{name}" sheetId="{at}" r:id="r{at}"/>' for at, name in names)
    links = "".join(
        f'<Relationship Id="r{at}" Type="{LINK_SPACE}/worksheet" Target="worksheets/sheet{at}.xml"/>' for at, _ in names
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE_SPACE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE_SPACE}/relationships">'
        f'<Relationship Id="r1" Type="{LINK_SPACE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {SHEET_SPACE} xmlns:r="{LINK_SPACE}"><sheets>{tabs}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE_SPACE}/relationships">{links}'
        f'<Relationship Id="s" Type="{LINK_SPACE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f"<styleSheet {SHEET_SPACE}>{STYLES}</styleSheet>",
    }
    for (at, _), rows in zip(names, sheets.values(), strict=True):
        parts[f"xl/worksheets/sheet{at}.xml"] = f"<worksheet {SHEET_SPACE}><sheetData>{rows}</sheetData></worksheet>"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), f'<?xml version="1.0"?>{text}')
    return buffer.getvalue()


def make_rows(*rows: tuple[object, ...]) -> str:
    """Rows of a sheet as XML: a text, a truth value or a number a cell; a pair is (number, format)."""
    return "".join(
        f'<row r="{at}">'
        + "".join(make_cell(f"{chr(65 + column)}{at}", value) for column, value in enumerate(row))
        + "</row>"
        for at, row in enumerate(rows, 1)
    )


def make_cell(place: str, value: object) -> str:
    """One cell as XML."""
    if isinstance(value, str):
        text = value.replace("&", "&amp;").replace("<", "&lt;").replace("\r", "_x000D_")
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{value:d}</v></c>'
    number, style = value if isinstance(value, tuple) else (value, 0)
    return f'<c r="{place}" s="{style}"><v>{number}</v></c>'


def make_parquet(columns: dict[str, Any]) -> bytes:
    """A Parquet file of Arrow arrays or lists."""
    buffer = io.BytesIO()
    table = import_module("pyarrow").table(columns)
    import_module("pyarrow.parquet").write_table(table, buffer)
    return buffer.getvalue()


def make_bad() -> Any:
    """An Arrow array of two texts, the first of which is no UTF-8."""
    pyarrow: Any = import_module("pyarrow")
    places = pyarrow.py_buffer(b"\0\0\0\0\2\0\0\0\3\0\0\0")
    return pyarrow.Array.from_buffers(pyarrow.string(), 2, [None, places, pyarrow.py_buffer(b"\xff\xfea")])


PARQUET = {"question": ["q"], "answer": ["a"]}
SHEET = make_rows(("question", "answer"), ("q", "a"))
LIBRARY = re.compile(r"((?:is none|as text) \(|(?:并非该格式|文本的值)（).+([)）])")
"""What the libraries for Parquet and Excel say differs from release to release."""
Content = str | bytes | Callable[[], bytes]
CASES: dict[str, tuple[str, Content]] = {
    "cut": ("r.jsonl", f'{GOOD}\n{{"instruction": "q", "out'),
    "cut between": ("r.jsonl", f'{GOOD}\n{{"instruction": "q",'),
    "no comma": ("r.jsonl", f'{{"a": "q" "b": 1}}\n{GOOD}'),
    "no colon": ("r.jsonl", f'{{"a" "q"}}\n{GOOD}'),
    "no quotes": ("r.jsonl", f"{{'a': 1}}\n{GOOD}"),
    "no value": ("r.jsonl", f'{{"a": }}\n{GOOD}'),
    "trailing comma": ("r.jsonl", f'{{"a": "q",}}\n{GOOD}'),
    "raw tab": ("r.jsonl", f'{{"a": "q\tx"}}\n{GOOD}'),
    "raw zero": ("r.jsonl", f'{{"a": "q\0x"}}\n{GOOD}'),
    "bad escape": ("r.jsonl", f'{{"a": "C:\\data"}}\n{GOOD}'),
    "two on a line": ("r.jsonl", f"{GOOD}{GOOD}\n{GOOD}"),
    "plain text": ("r.jsonl", f"hello\n{GOOD}\nNone"),
    "NaN": ("r.jsonl", f'{{"a": "NaN", "b": NaN}}\n{GOOD}'),
    "Infinity": ("r.jsonl", f'{GOOD}\n{{"a": -Infinity}}'),
    "double key": ("r.jsonl", f'{{"output": "a", "output": "b"}}\n{GOOD}'),
    "inner double key": ("r.jsonl", f'{{"m": {{"k": 1, "k": 2}}}}\n{GOOD}'),
    "too deep": ("r.jsonl", f"{GOOD}\n" + "[" * 100_000),
    "deep tools": ("r.jsonl", f'{GOOD}\n{{"question": "q", "answer": "a", "tools": {"[" * 600}{"]" * 600}}}'),
    "long line": ("r.jsonl", f'{{"a": "{"x" * LARGEST}"}}\n{GOOD}'),
    "no object": ("r.jsonl", f'{GOOD}\n"text"\n3\nnull'),
    "number": ("r.jsonl", f'{GOOD}\n{{"question": "q", "answer": {{"x": 1}}}}'),
    "no answer key": ("r.jsonl", f'{GOOD}\n{{"instruction": "q"}}'),
    "no turns": ("r.jsonl", f'{GOOD}\n{{"messages": []}}'),
    "turns as text": ("r.jsonl", f'{GOOD}\n{{"messages": "hello"}}'),
    "unknown role": ("r.jsonl", f'{GOOD}\n{{"messages": [{{"role": "narrator", "content": "x"}}]}}'),
    "no role": ("r.jsonl", f'{GOOD}\n{{"messages": [{{"text": "x"}}]}}'),
    "no text": ("r.jsonl", f'{GOOD}\n{{"messages": [{{"role": "user"}}]}}'),
    "no answer": ("r.jsonl", f'{GOOD}\n{{"messages": [{{"role": "user", "content": "x"}}]}}'),
    "no question": ("r.jsonl", f'{GOOD}\n{{"messages": [{{"role": "assistant", "content": "x"}}]}}'),
    "commas behind lines": ("r.jsonl", f"{GOOD},\n{GOOD}"),
    "unanswered": ("r.jsonl", '{"conversations": [{"human": "q", "gpt": "a"}, {"from": "human", "value": "more"}]}'),
    "picture": ("r.jsonl", f'{GOOD}\n{{"messages": [{{"role": "user", "content": [{{"type": "image_url"}}]}}]}}'),
    "bad history": ("r.jsonl", f'{GOOD}\n{GOOD[:-1]}, "history": ["x"]}}'),
    "odd required": ("r.jsonl", f'{GOOD[:-1]}, "required": 7}}'),
    "half a character": ("r.jsonl", f'{GOOD}\n{{"question": "\\ud83d", "answer": "a"}}'),
    "half a key": ("r.jsonl", f'{GOOD}\n{{"\\ud83d": "a"}}'),
    "one bad byte": ("r.jsonl", GOOD.encode() + b'\n{"instruction": "\xff", "output": "a"}'),
    "one GBK line": ("r.jsonl", f"{GOOD}\n{CHINESE}\n".encode() + CHINESE.encode("gbk")),
    "all of it GB18030": ("r.jsonl", f"{CHINESE}\n".encode("gb18030") * 3),
    "all of it UTF-16": ("r.jsonl", f"{CHINESE}\n{CHINESE}".encode("utf-16")),
    "UTF-16 without a mark": ("r.jsonl", f"{CHINESE}\n{CHINESE}".encode("utf-16-be")),
    "mark and CRLF": ("r.jsonl", f'\ufeff{GOOD}\r\n{{"instruction": "q"\r\n{GOOD}\r\n'),
    "empty": ("r.jsonl", ""),
    "only a mark": ("r.jsonl", "\ufeff\n\n"),
    "cut gzip": ("r.jsonl.gz", gzip.compress(f"{GOOD}\n".encode() * 20, mtime=0)[:-4]),
    "cut gzip, array": ("r.json.gz", gzip.compress(f"[{GOOD},\n{GOOD}]".encode(), mtime=0)[:-4]),
    "no gzip": ("r.jsonl.gz", GOOD),
    "gzip by another name": ("r.jsonl", gzip.compress(GOOD.encode(), mtime=0)),
    "PDF by another name": ("r.csv", "%PDF-1.7\nquestion,answer\nq,a\n"),
    "array, broken": (
        "r.json",
        f'[\n {GOOD},\n {{"instruction": "q" "output": [{{"x": 1}}, {{"y": 2}}]}},\n {GOOD}\n]',
    ),
    "array, compact": ("r.json", f'[{GOOD}, {{"instruction": }}, {GOOD}, {{"a": NaN}}, {GOOD}]'),
    "array, broken turns": (
        "r.json",
        '[{"messages": [{"role": "user" "content": "q"}, {"role": "assistant", "content": "a"}]}, '
        '{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}]',
    ),
    "array, not closed": ("r.json", f"[{GOOD}, {GOOD}"),
    "array, cut": ("r.json", f"[{GOOD}, {GOOD[:-4]}"),
    "array, last comma": ("r.json", f"[{GOOD},\n]"),
    "array, no comma": ("r.json", f"[{GOOD}\n{GOOD}]"),
    "array, then more": ("r.json", f"[{GOOD}]\n[]"),
    "array, half a character": (
        "r.json",
        f'[{GOOD}, {{"messages": [{{"role": "user", "content": [{{"text": "\\udc00"}}]}}]}}]',
    ),
    "array of text": ("r.json", f'["x", {GOOD}]'),
    "object, broken list": ("r.json", f'{{"version": 2,\n "data": [{GOOD}, {{"instruction": "q"; }}, {GOOD}]}}'),
    "object, two lists": ("r.json", f'{{"train": [{GOOD}], "test": [{GOOD}]}}'),
    "object, broken": ("r.json", '{"title": "t",\n "body": }'),
    "another shape": ("r.json", '[{"title": "t", "body": "b"}]'),
    "CSV, ragged": ("r.csv", "question,answer\nq,a\nq,a,b\nq\n"),
    "CSV, open quote": ("r.csv", 'question,answer\nq,a\nq,"a\nq,a\n'),
    "CSV, stray quote": ("r.csv", 'question,answer\nq,"a"b\nq,a\n'),
    "CSV, twice a column": ("r.csv", "answer,question,answer,,\na,q,b,,\n"),
    "CSV, GBK row": ("r.csv", b"question,answer\nq,a\n" + SENTENCES.encode("gbk")),
    "CSV, header alone": ("r.csv", "question,answer\n"),
    "Parquet, cut": ("r.parquet", lambda: make_parquet(PARQUET)[:-20]),
    "Parquet, text that is none": (
        "r.parquet",
        lambda: make_parquet({"question": ["p", "q"], "answer": make_bad()}),
    ),
    "Parquet, numbers in lists": ("r.parquet", lambda: make_parquet({"question": ["q"], "answer": [[1, 2]]})),
    "Parquet by name": ("r.parquet", f"{GOOD}\n"),
    "Excel, cut": ("r.xlsx", make_workbook(rows=SHEET)[:-40]),
    "Excel, two sheets": ("r.xlsx", make_workbook(faq=SHEET, notes=SHEET)),
    "Excel, no sheet filled": ("r.xlsx", make_workbook(faq="")),
    "Excel by another name": ("r.csv", make_workbook(rows=SHEET)),
}
"""What is wrong -> the file's name and what it holds."""


def tell_case(folder: Path, name: str, content: Content) -> str:
    """What is said about a file, in both languages, with the rows that can be used all the same."""
    path = folder / name
    raw = content() if callable(content) else content
    path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    english, chinese = tell_in(path, "en"), tell_in(path, "zh")
    told = [head for head, _ in english]
    assert told == [head for head, _ in chinese]
    parts = [[head, *first, *second] for (head, first), (_, second) in zip(english, chinese, strict=True)]
    return LIBRARY.sub(r"\1...\2", "\n".join(line for part in parts for line in part).replace(f"{folder}/", ""))


def tell_in(path: Path, language: Language) -> list[tuple[str, list[str]]]:
    """Heads (what may be used; a place and a kind) and, below each, the sentences in one language."""
    before = current_language()
    use_language(language)
    try:
        result = read_file(path)
    except TuneproofError as error:
        return [(f"{error.where}: {type(error).__name__}", [f"  {error.message()}", f"  {error.hint()}"])]
    finally:
        use_language(before)
    heads = [(f"{len(result.rows)} of {result.total} rows", list[str]())]
    for one in result.findings:
        heads.append((f"{one.place}: {one.severity} {one.kind}", [f"  {one.message}", f"  {one.fix}"]))
    return heads


def tell_all(folder: Path) -> dict[str, str]:
    """What is said about each case."""
    return {case: tell_case(folder, *CASES[case]) for case in CASES}


def read_golden() -> dict[str, str]:
    """What is to be said about each case."""
    parts = GOLDEN.read_text(encoding="utf-8").split("\n== ")
    return {case: told.strip("\n") for case, _, told in (part.removeprefix("== ").partition("\n") for part in parts)}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        told = tell_all(Path(folder))
    GOLDEN.write_text("\n".join(f"== {case}\n{text}\n" for case, text in told.items()), encoding="utf-8")
