"""A JSON array of records, read record by record however long the file is.

Out: a `Record` for each object, numbered from 1, or a finding for one that is broken; behind it reading goes on with
the next that begins like the first did. The same for the list of records that a large object holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from pathlib import Path

from tuneproof.data.decode import LONGEST_LINE, UNDECODED, guess_encoding, name_damage, read_pieces
from tuneproof.data.findings import Value, make_finding
from tuneproof.data.parse import DECODER, LENIENT, JsonFault, Record, explain_fault, make_record, name_undecoded
from tuneproof.data.window import Window
from tuneproof.records import Finding

CUT = 16
"""Characters before the end of what was read within which a fault may be no more than that end."""
FIRST_KEY = re.compile(r'\{[ \t\r\n]*("[^"]*"[ \t\r\n]*:)')
LIST = re.compile(r':[ \t\r\n]*\[(?=[ \t\r\n]*\{[ \t\r\n]*"[^"]*"[ \t\r\n]*:)')
"""Where an object begins a list of objects that have fields."""
OPENING = 1000
"""Characters that are looked at where a record begins: white space, and its first key."""


def read_array(path: Path, encoding: str | None) -> Iterator[Record | Finding]:
    """The records of a file that opens with "["."""
    window = Window(read_pieces(path, encoding))
    reader = ArrayReader(path, window, encoding)
    start = window.skip_space(0)
    at = yield from reader.read_records(window.text.find("[", start) + 1)
    tail = window.skip_space(at + 1)
    if tail < len(window.text):
        yield reader.name_punctuation(tail, "extra")
    yield from reader.tell_damage()


def read_held_array(path: Path, encoding: str | None) -> Iterator[Record | Finding]:
    """The records of the first list of objects that an object holds; a further one is named and not read."""
    window = Window(read_pieces(path, encoding))
    reader = ArrayReader(path, window, encoding)
    match = window.search(LIST, 0, OPENING)
    at = yield from reader.read_records(match.end() if match else len(window.text))
    if window.search(LIST, at, OPENING):
        yield make_finding("wrong_type", "warning", (str(path), max(1, reader.number)), {"variant": "second_list"})
    yield from reader.tell_damage()


class ArrayReader:
    """Reads the records of one array; knows how many it has read and how the first began."""

    def __init__(self, path: Path, window: Window, encoding: str | None) -> None:
        self.path = path
        self.window = window
        self.encoding = encoding
        self.number = 0
        self.opening = self.key = ""
        self.guess: str | None = None

    def read_records(self, at: int) -> Generator[Record | Finding, None, int]:
        """The records from behind the "[" on; returns where the "]" is."""
        start, at = at, self.window.skip_space(at)
        self.opening = self.window.text[start:at]
        while len(self.window.text) < at + OPENING and self.window.grow():
            pass
        key = FIRST_KEY.match(self.window.text, at)
        self.key = key[1] if key else ""
        while self.window.peek(at) not in ("]", ""):
            self.number += 1
            item, end, whole = self.read_element(at)
            if whole:
                fault_at, following, fault = self.step_over(end)
            else:
                fault_at, following, fault = end, self.find_next(end), ""
            if UNDECODED.search(self.window.text, at, following):
                item = self.name_bytes(at, following)
            punctuation = self.name_punctuation(fault_at, fault) if fault else None
            at = self.window.forget(following)
            yield item
            if punctuation:
                yield punctuation
        return at

    def read_element(self, at: int) -> tuple[Record | Finding, int, bool]:
        """The record at `at`, or what is wrong with it; where it ends, or how far it could be read; which of these."""
        try:
            value, end = self.decode(DECODER, at)
            return make_record(self.path, self.number, value), end, True
        except json.JSONDecodeError as error:
            return self.name(at, error), error.pos, False
        except RecursionError as error:
            return self.name(at, error), at, False
        except JsonFault as fault:
            finding = self.name(at, fault)
        try:
            return finding, self.decode(LENIENT, at)[1], True
        except (ValueError, RecursionError):
            return finding, at, False

    def decode(self, decoder: json.JSONDecoder, at: int) -> tuple[object, int]:
        """The value at `at` and where it ends; reads on while only the end of what was read may be what is wrong."""
        while True:
            text = self.window.text
            try:
                value, end = decoder.raw_decode(text, at)
                if end < len(text) or not self.window.grow():
                    return value, end
            except json.JSONDecodeError as error:
                open_end = error.pos > len(text) - CUT or error.msg.startswith("Unterminated string")
                if not open_end or len(text) - at > LONGEST_LINE or not self.window.grow():
                    raise

    def step_over(self, end: int) -> tuple[int, int, str]:
        """From the end of a record over the comma: (where a fault is, where the next record or "]" is, fault or "")."""
        window = self.window
        at = window.skip_space(end)
        comma = window.peek(at) == ","
        following = window.skip_space(at + 1) if comma else at
        sign = window.peek(following)
        if not sign:
            return at, following, "cut"
        if comma:
            return at, following, "trailing_comma" if sign == "]" else ""
        if sign in "]{":
            return at, following, "between" if sign == "{" else ""
        return at, self.find_next(at), "between"

    def find_next(self, at: int) -> int:
        """Where the next record begins: an object behind a comma, indented as the first one or with its first key."""
        space, key = r"[ \t\r\n]*", re.escape(self.key)
        patterns = [re.escape(self.opening) + r"(?=\{)"] if "\n" in self.opening else []
        for pattern in [*patterns, space + r"(?=\{" + space + key + ")"]:
            match = self.window.search(re.compile("," + pattern), at, OPENING)
            if match:
                return match.end()
        return len(self.window.text)

    def name(self, at: int, error: Exception) -> Finding:
        """The finding for broken JSON in the record that begins at `at`."""
        at, values = explain_fault(self.window.text, at, error)
        line, column = self.window.find_place(at)
        values |= {"column": column, "in_line": line}
        return make_finding("bad_json", "error", (str(self.path), self.number), values)

    def name_bytes(self, at: int, following: int) -> Finding:
        """The finding for a record with bytes that do not fit the encoding."""
        if self.guess is None:
            self.guess = guess_encoding(self.path, self.window.text[at:following], self.encoding)
        return name_undecoded(self.path, self.number, self.guess, self.encoding)

    def name_punctuation(self, at: int, variant: str) -> Finding:
        """The finding for a fault behind a record, which costs no record."""
        line, column = self.window.find_place(at)
        values: dict[str, Value] = {"variant": variant, "column": column, "in_line": line}
        return make_finding("bad_json", "warning", (str(self.path), max(1, self.number)), values)

    def tell_damage(self) -> Iterator[Finding]:
        """What stopped the reading, if anything did."""
        if self.window.damage:
            yield name_damage(self.path, self.number + 1, self.window.damage)
