"""JSON text of one record -> the record, or what is wrong with it: line, column and reason.

Numbers keep their digits (`JsonNumber`). NaN, doubled keys and bottomless nesting are faults: Python would take them,
and no two tools would read them alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from tuneproof.data.findings import Value, make_finding
from tuneproof.records import Finding

REASONS = {
    "Expecting value": "value",
    "Expecting ',' delimiter": "comma",
    "Expecting ':' delimiter": "colon",
    "Expecting property name": "name",
    "Unterminated string": "open_string",
    "Invalid control character": "control",
    "Invalid \\": "escape",
    "Extra data": "extra",
    "Illegal trailing comma": "trailing_comma",
}
CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|(NaN|-?Infinity)')


class JsonNumber(str):
    """A number as the file writes it: 1e400, 1.10 and integers of any length stay as they are."""


class JsonFault(ValueError):
    """JSON that Python would accept and that no two tools read alike."""

    def __init__(self, variant: str, word: str) -> None:
        super().__init__(variant)
        self.variant = variant
        self.word = word


@dataclass(frozen=True)
class Record:
    """One object of the file: its 1-based line (JSON lines) or number (array, table), and its fields."""

    line: int
    fields: Mapping[str, object]
    text: str = ""
    """The line itself, where it is one: to find the column of a field that cannot be used."""


def refuse_constant(word: str) -> NoReturn:
    """NaN and Infinity are no JSON."""
    raise JsonFault("constant", word)


def refuse_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The object, unless a key comes twice: which of the two is meant, nobody knows."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        raise JsonFault("double_key", next(name for name in names if names.count(name) > 1))
    return fields


DECODER = json.JSONDecoder(
    parse_float=JsonNumber, parse_int=JsonNumber, parse_constant=refuse_constant, object_pairs_hook=refuse_doubles
)
LENIENT = json.JSONDecoder(parse_float=JsonNumber, parse_int=JsonNumber, parse_constant=JsonNumber)


def parse_quietly(text: str) -> object | None:
    """The value of `text`, or None when it is no JSON."""
    try:
        value: object = LENIENT.decode(text.strip())
    except (ValueError, RecursionError):
        return None
    return value


def read_value(answer: str) -> object | None:
    """The value of an answer that is a JSON object or list; None for any other."""
    if answer.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value: object = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    return value


def name_undecoded(path: Path, line: int, guess: str, encoding: str | None) -> Finding:
    """The finding for bytes that do not fit the encoding, with what they look like (`guess`)."""
    variant = "bytes" if encoding else "looks_like" if guess else "unknown"
    values: dict[str, Value] = {"variant": variant, "encoding": encoding or guess}
    return make_finding("bad_encoding", "error", (str(path), line), values)


def parse_line(path: Path, number: int, line: str) -> Iterator[Record | Finding]:
    """The record on one line, or what is wrong with it; of a comma behind the record, as lines that were cut out of an
    array have it, both."""
    start = len(line) - len(line.lstrip())
    try:
        value, end = DECODER.raw_decode(line, start)
    except (ValueError, RecursionError) as error:
        yield name_fault(path, line, start, error, line=number)
        return
    if line[end:].strip():
        extra = json.JSONDecodeError("Extra data", line, len(line) - len(line[end:].lstrip()))
        finding = name_fault(path, line, start, extra, line=number)
        if finding.values["variant"] != "line_comma":
            yield finding
            return
        yield finding.model_copy(update={"severity": "warning"})
    yield make_record(path, number, value, line)


def make_record(path: Path, number: int, value: object, text: str = "") -> Record | Finding:
    """A record of a JSON value, which must be an object. `text`: the line that it is, if it is one."""
    if isinstance(value, dict):
        return Record(number, value, text)
    values: dict[str, Value] = {"variant": "record", "got": name_type(value)}
    finding = make_finding("wrong_type", "error", (str(path), number), values)
    return finding.model_copy(update={"column": 1}) if text else finding


def find_field(record: Record, name: str) -> int | None:
    """The column at which a field of the record begins, or the record; None where the record is no line of its own."""
    if not record.text:
        return None
    at = record.text.find(json.dumps(name.partition("[")[0], ensure_ascii=False)) if name else -1
    return at + 1 if at >= 0 else len(record.text) - len(record.text.lstrip()) + 1


def name_type(value: object) -> str:
    """The JSON name of a value's type."""
    names = {dict: "object", list: "array", JsonNumber: "number", str: "string", bool: "boolean", type(None): "null"}
    return names[type(value)]


def name_fault(path: Path, text: str, start: int, error: Exception, *, line: int) -> Finding:
    """The finding for broken JSON that begins at `start` of a line: column of the fault, and the reason."""
    at, values = explain_fault(text, start, error)
    column = at + 1
    finding = make_finding("bad_json", "error", (str(path), line), {**values, "column": column})
    return finding.model_copy(update={"column": column})


def explain_fault(text: str, start: int, error: Exception) -> tuple[int, dict[str, Value]]:
    """Where in `text` the JSON that begins at `start` is broken, and what the sentence about it needs."""
    if isinstance(error, json.JSONDecodeError):
        return error.pos, {"variant": find_reason(error, start)}
    if isinstance(error, JsonFault):
        return start + find_word(text[start:], error), {"variant": error.variant, "word": error.word}
    return start, {"variant": "too_deep"}


def find_word(text: str, fault: JsonFault) -> int:
    """Where in `text` the constant or the last of the doubled keys stands."""
    if fault.variant == "double_key":
        return max(0, text.rfind(json.dumps(fault.word, ensure_ascii=False)))
    return next((match.start(1) for match in CONSTANT.finditer(text) if match[1]), 0)


def find_reason(error: json.JSONDecodeError, start: int) -> str:
    """The name of the reason; the same for all versions of Python, which word it differently.

    `start`: where the record begins; what stands before it need not be there any more.
    """
    rest = error.doc[error.pos :].lstrip(", \t\r\n")
    before = error.doc[start : error.pos + 1].rstrip()
    if rest[:1] in ("}", "]") and "," in (before[-1:], before[:-1].rstrip()[-1:]):
        return "trailing_comma"
    if not rest:
        # Behind a whole value nothing is missing, as in lines that were cut out of an array.
        return "line_comma" if error.msg.startswith("Extra data") else "cut"
    return next((name for words, name in REASONS.items() if error.msg.startswith(words)), "value")
