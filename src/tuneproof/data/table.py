"""CSV and TSV -> records. The first row names the columns; every cell is text, as it is written.

Out: a `Record` a row, numbered from 1 behind the header, or a finding for a row that cannot be read.
"""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator
from itertools import chain
from pathlib import Path

from tuneproof.data.decode import DAMAGE, LONGEST_LINE, UNDECODED, file_kind, guess_encoding, name_damage, open_text
from tuneproof.data.findings import Value, make_finding
from tuneproof.data.parse import Record, name_undecoded
from tuneproof.records import Finding


def read_table(path: Path, encoding: str | None) -> Iterator[Record | Finding]:
    """Records and findings of a table."""
    csv.field_size_limit(LONGEST_LINE)
    with open_text(path, encoding) as stream:
        number = 0
        try:
            lines = iter(lambda: stream.readline(LONGEST_LINE), "")
            first = next(lines, "").lstrip("\ufeff")
            cells = csv.reader(chain([first], lines), delimiter=find_delimiter(path, first), strict=True)
            rows = read_rows_of(cells)
            header = next(rows, [])
            if isinstance(header, csv.Error):
                yield make_row(path, 1, [], header, encoding)
                return
            header = yield from name_header(path, header)
            for number, row in enumerate(rows, 1):
                yield make_row(path, number, header, row, encoding)
        except DAMAGE as error:
            yield name_damage(path, number + 1, error)


def name_header(path: Path, header: list[str]) -> Generator[Finding, None, list[str]]:
    """The names of the columns, each once: a name that comes again is named, and its column is not read by it."""
    for name in {name: None for name in header if name and header.count(name) > 1}:
        told: dict[str, Value] = {"variant": "double_column", "column": name}
        yield make_finding("wrong_type", "warning", (str(path), 1), told)
    return [name if name not in header[:at] else f"{name}.{at}" for at, name in enumerate(header)]


def find_delimiter(path: Path, header: str) -> str:
    """A tab in a `.tsv`; in a `.csv` the comma, or what a spreadsheet writes instead where commas are decimal."""
    if file_kind(path) == ".tsv":
        return "\t"
    return "," if "," in header else max(";", "\t", ",", key=header.count)


def read_rows_of(cells: Iterator[list[str]]) -> Iterator[list[str] | csv.Error]:
    """The rows that are not blank, and the error of each that breaks the rules of quoting."""
    while True:
        try:
            row = next(cells)
        except StopIteration:
            return
        except csv.Error as error:
            yield error
            continue
        if row:
            yield row


def make_row(
    path: Path, number: int, header: list[str], row: list[str] | csv.Error, encoding: str | None
) -> Record | Finding:
    """A record of a row's cells, or why there is none."""
    if isinstance(row, csv.Error):
        variant = "open_quote" if "end of data" in str(row) else "table"
        return name_row(path, number, variant, reason=str(row))
    text = "\n".join(row)
    if UNDECODED.search(text):
        return name_undecoded(path, number, guess_encoding(path, text, encoding), encoding)
    if len(row) != len(header):
        values: dict[str, Value] = {"variant": "cells", "found": len(row), "expected": len(header)}
        return make_finding("wrong_type", "error", (str(path), number), values)
    return Record(number, dict(zip(header, row, strict=True)))


def name_row(path: Path, number: int, variant: str, **values: Value) -> Finding:
    """The finding for a row or header that is no table row."""
    return make_finding("bad_json", "error", (str(path), number), {"variant": variant, **values})
