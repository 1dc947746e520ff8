"""A JSON file of any layout -> records: JSON lines, an array, or an object that holds one list of records.

Which of them a `.json` or `.jsonl` file really is, is told by how it begins. Out: a `Record` for each object, a finding
for each that is broken; reading goes on behind it, so that all come in one pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tuneproof.data.columns import is_row
from tuneproof.data.decode import UNDECODED, file_kind, guess_encoding, read_lines, read_start, read_text
from tuneproof.data.elements import LIST, read_array, read_held_array
from tuneproof.data.findings import Value, make_finding
from tuneproof.data.parse import DECODER, Record, explain_fault, make_record, name_undecoded, parse_line, parse_quietly
from tuneproof.records import Finding

LARGEST_ROW = 8 * 2**20
"""Characters of a file that may be one row."""


def read_json(path: Path, encoding: str | None) -> Iterator[Record | Finding]:
    """Records and findings of a JSON file of any of the three layouts."""
    start = read_start(path, encoding)
    first = start.lstrip(" \t\r\n")[:1]
    if first == "[":
        return read_array(path, encoding)
    if file_kind(path) == ".jsonl" or holds_lines(start):
        return read_json_lines(path, encoding)
    return read_object(path, encoding)


def holds_lines(start: str) -> bool:
    """Whether a text that begins so, with an object, is JSON lines: one of its first lines is JSON, not the whole."""
    lines = [line for line in start.split("\n", 11)[:11] if line.strip()]
    if len(lines) < 2 or parse_quietly(start) is not None:
        return False
    return any(isinstance(parse_quietly(line), dict) for line in lines)


def read_json_lines(path: Path, encoding: str | None) -> Iterator[Record | Finding]:
    """One record a line."""
    guess: str | None = None
    for item in read_lines(path, encoding):
        if isinstance(item, Finding):
            yield item
            continue
        number, line = item
        if not line.strip():
            continue
        broken = UNDECODED.search(line)
        if broken:
            guess = guess_encoding(path, line, encoding) if guess is None else guess
            finding = name_undecoded(path, number, guess, encoding)
            yield finding.model_copy(update={"column": broken.start() + 1})
            continue
        yield from parse_line(path, number, line)


def read_object(path: Path, encoding: str | None) -> Iterator[Record | Finding]:
    """The records of an object that holds one list of objects; an object that is itself a row is one record.

    An object that is too large for one row, or broken, is read by its first list of objects alone.
    """
    text, damage = read_text(path, encoding, LARGEST_ROW)
    if not text.strip():
        return
    value, broken = parse_object(path, text, encoding)
    if len(text) >= LARGEST_ROW or (broken and LIST.search(text)):
        yield from read_held_array(path, encoding)
        return
    if broken:
        yield broken
    elif isinstance(value, dict):
        yield from list_records(path, value)
    else:
        yield make_record(path, 1, value)
    if damage:
        yield damage


def parse_object(path: Path, text: str, encoding: str | None) -> tuple[object, Finding | None]:
    """The value of a whole file, or what is wrong with it."""
    if UNDECODED.search(text):
        return None, name_undecoded(path, 1, guess_encoding(path, text, encoding), encoding)
    start = len(text) - len(text.lstrip(" \t\r\n"))
    try:
        value, end = DECODER.raw_decode(text, start)
        if text[end:].strip():
            raise json.JSONDecodeError("Extra data", text, len(text) - len(text[end:].lstrip()))
    except (ValueError, RecursionError) as error:
        at, values = explain_fault(text, start, error)
        values |= {"column": at - text.rfind("\n", 0, at), "in_line": text.count("\n", 0, at) + 1}
        return None, make_finding("bad_json", "error", (str(path), 1), values)
    return value, None


def list_records(path: Path, value: dict[str, object]) -> Iterator[Record | Finding]:
    """The records of a whole file's object."""
    lists = {name: items for name, items in value.items() if isinstance(items, list) and items}
    if is_row(value):
        yield Record(1, value)
    elif len(lists) == 1:
        for number, item in enumerate(next(iter(lists.values())), 1):
            yield make_record(path, number, item)
    else:
        names: dict[str, Value] = {"variant": "no_list", "columns": ", ".join(lists or value)}
        yield make_finding("wrong_type", "error", (str(path), 1), names)
