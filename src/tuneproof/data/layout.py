"""A JSON file of any layout -> records: JSON lines, an array, or an object that holds one list of records.

Which of them a `.json` or `.jsonl` file really is, is told by how it begins. Out: a `Record` for each object, a finding
for each that is broken; reading goes on behind it, so that all come in one pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from tuneproof.data.columns import is_row
from tuneproof.data.decode import LONGEST_LINE, UNDECODED, file_kind, guess_encoding, read_lines, read_start, read_text
from tuneproof.data.findings import Value, make_finding
from tuneproof.data.parse import (
    DECODER,
    LENIENT,
    JsonFault,
    Record,
    make_record,
    name_fault,
    name_undecoded,
    parse_line,
    parse_quietly,
)
from tuneproof.records import Finding


def read_json(path: Path, encoding: str | None) -> Iterator[Record | Finding]:
    """Records and findings of a JSON file of any of the three layouts."""
    first = read_start(path, encoding).lstrip("\ufeff \t\r\n")[:1]
    if first != "[" and file_kind(path) == ".jsonl":
        yield from read_json_lines(path, encoding)
        return
    text, damage = read_text(path, encoding)
    if first == "[":
        yield from read_array(path, text, encoding)
    elif holds_lines(text):
        yield from read_json_lines(path, encoding)
        return
    elif text.strip():
        yield from read_object(path, text, encoding)
    if damage:
        yield damage


def holds_lines(text: str) -> bool:
    """Whether a text that opens with an object is JSON lines: no JSON as a whole, but one of its first lines is."""
    lines = [line for line in text[:LONGEST_LINE].split("\n", 11)[:11] if line.strip()]
    if len(lines) < 2 or parse_quietly(text) is not None:
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
        if UNDECODED.search(line):
            guess = guess_encoding(path, line, encoding) if guess is None else guess
            yield name_undecoded(path, number, guess, encoding)
            continue
        yield parse_line(path, number, line)


def read_array(path: Path, text: str, encoding: str | None) -> Iterator[Record | Finding]:
    """The records of an array; behind a broken one it goes on with the next that begins like the first did."""
    start = text.index("[") + 1
    at, number = skip_space(text, start), 0
    opening, guess = text[start:at], None
    while at < len(text) and text[at] != "]":
        number += 1
        item, end, whole = read_element(path, text, at, number)
        fault_at, following, fault = (
            step_over(text, end, opening) if whole else (end, find_next(text, end, opening), "")
        )
        if UNDECODED.search(text, at, following):
            guess = guess_encoding(path, text[at:following], encoding) if guess is None else guess
            item = name_undecoded(path, number, guess, encoding)
        yield item
        if fault:
            yield name_punctuation(path, text, fault_at, fault)
        at = following
    tail = skip_space(text, at + 1)
    if tail < len(text):
        yield name_punctuation(path, text, tail, "extra")


def read_element(path: Path, text: str, at: int, number: int) -> tuple[Record | Finding, int, bool]:
    """The record that begins at `at`, or what is wrong with it; where it ends, or how far it could be read; which."""
    try:
        value, end = DECODER.raw_decode(text, at)
        return make_record(path, number, value), end, True
    except json.JSONDecodeError as error:
        return name_fault(path, text, at, error), error.pos, False
    except RecursionError as error:
        return name_fault(path, text, at, error), at, False
    except JsonFault as fault:
        finding = name_fault(path, text, at, fault)
    try:
        return finding, LENIENT.raw_decode(text, at)[1], True
    except (ValueError, RecursionError):
        return finding, at, False


def step_over(text: str, end: int, opening: str) -> tuple[int, int, str]:
    """From the end of a record over the comma: (where a fault is, where the next record or "]" is, the fault or "")."""
    at = skip_space(text, end)
    comma = text[at : at + 1] == ","
    following = skip_space(text, at + 1) if comma else at
    sign = text[following : following + 1]
    if not sign:
        return at, following, "cut"
    if comma:
        return at, following, "trailing_comma" if sign == "]" else ""
    if sign in "]{":
        return at, following, "comma" if sign == "{" else ""
    return at, find_next(text, at, opening), "comma"


def find_next(text: str, at: int, opening: str) -> int:
    """Where the next record begins: an object behind a comma, indented as the array's first one is."""
    gap = re.escape(opening) if "\n" in opening else r"[ \t\r\n]*"
    match = re.compile("," + gap + r"(?=\{)").search(text, at)
    return match.end() if match else len(text)


def name_punctuation(path: Path, text: str, at: int, variant: str) -> Finding:
    """The finding for a fault between two records, which costs no record."""
    values: dict[str, Value] = {"variant": variant, "column": at - text.rfind("\n", 0, at)}
    return make_finding("bad_json", "warning", (str(path), text.count("\n", 0, at) + 1), values)


def skip_space(text: str, at: int) -> int:
    """The next position that is no JSON white space."""
    match = re.compile(r"[ \t\r\n]*").match(text, at)
    return match.end() if match else at


def read_object(path: Path, text: str, encoding: str | None) -> Iterator[Record | Finding]:
    """The records of an object that holds one list of objects; an object that is itself a row is one record."""
    start = skip_space(text, 0)
    if UNDECODED.search(text):
        yield name_undecoded(path, 1, guess_encoding(path, text, encoding), encoding)
        return
    try:
        value, end = DECODER.raw_decode(text, start)
    except (ValueError, RecursionError) as error:
        yield name_fault(path, text, start, error)
        return
    if text[end:].strip():
        yield name_punctuation(path, text, skip_space(text, end), "extra")
    if not isinstance(value, dict):
        yield make_record(path, 1, value)
        return
    lists = {name: items for name, items in value.items() if isinstance(items, list) and items}
    if is_row(value):
        yield Record(1, value)
    elif len(lists) == 1:
        for number, item in enumerate(next(iter(lists.values())), 1):
            yield make_record(path, number, item)
    else:
        names: dict[str, Value] = {"variant": "no_list", "columns": ", ".join(lists or value)}
        yield make_finding("wrong_type", "error", (str(path), 1), names)
