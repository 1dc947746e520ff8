"""Records -> a file in the shape of the one they came from: JSON lines, a JSON array, CSV or TSV, each also as .gz.

In: records with the fields as the reader gave them; numbers keep their digits. The file is there whole or not at all.

    write_records(Path("clean.csv"), [{"question": "1+1?", "answer": "2"}], Shape(("question", "answer")))
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TextIO

from tuneproof.data.decode import file_kind
from tuneproof.data.parse import JsonNumber

KINDS = (".jsonl", ".json", ".csv", ".tsv")


class Shape(NamedTuple):
    """What a table needs to be written as it was."""

    columns: tuple[str, ...] = ()
    delimiter: str = ","
    marked: bool = False
    """Whether it begins with a byte order mark, by which spreadsheets know UTF-8."""


def write_records(path: Path, records: Iterable[Mapping[str, object]], shape: Shape) -> int:
    """Write the records, in the format that the file's name says; how many they are."""
    kind, count = file_kind(path), 0
    with open_whole(path) as file:
        if kind in (".csv", ".tsv"):
            if shape.marked:
                file.write("\ufeff")
            delimiter = "\t" if kind == ".tsv" else shape.delimiter
            table = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")
            table.writerow(shape.columns)
            for record in records:
                table.writerow([write_cell(record.get(column)) for column in shape.columns])
                count += 1
        elif kind == ".json":
            for count, record in enumerate(records, 1):
                file.write(("[\n" if count == 1 else ",\n") + write_value(record))
            file.write("\n]\n" if count else "[]\n")
        else:
            for record in records:
                file.write(write_value(record) + "\n")
                count += 1
    return count


@contextmanager
def open_whole(path: Path) -> Iterator[TextIO]:
    """A text file that takes its name when it is written to its end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as raw:
            packed = gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) if path.suffix.lower() == ".gz" else raw
            # Half a character becomes its JSON escape: no UTF-8 file can hold it.
            with io.TextIOWrapper(packed, encoding="utf-8", errors="backslashreplace", newline="") as file:
                yield file
        # A temporary file is closed to all others; what is written here is an ordinary file.
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_value(value: object) -> str:
    """A value as JSON text on one line."""
    if isinstance(value, JsonNumber):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{write_value(str(key))}: {write_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(write_value(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False, default=str)


def write_cell(value: object) -> str:
    """A value as the text of a table's cell: JSON where it is a list or an object."""
    if value is None:
        return ""
    return str(value) if isinstance(value, str) else write_value(value)
