"""Rows in a temporary file, so that memory does not grow with their text: a sequence like any list of rows.

What is held of a row is its id and its place in the file. Parts of the file can be handed to other processes, by their
bytes. The file goes when the last sequence over it does.

    store = Store()
    store.add(row)
    store[0], [one.id for one in store]
    Picked(store, [4, 7])               # two of them, in this order
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import IO, NamedTuple, overload

from tuneproof.errors import FitError
from tuneproof.records import Row

PART_ROWS = 1_000
"""Rows of a part: a fraction of a second's work, so that no process waits long for the others at the end."""
FILE = "rows.jsonl"


class Part(NamedTuple):
    """Some rows that follow each other: the first one's number, and the bytes of the file that hold them."""

    first: int
    start: int
    end: int


class Store(Sequence[Row]):
    """Rows in the order in which they were added."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tuneproof-rows-"))
        self.ids: list[str] = []
        self._ends = array("q", [0])
        self._out: IO[bytes] = (self.folder / FILE).open("wb")
        self._in: IO[bytes] = (self.folder / FILE).open("rb", buffering=0)
        self._flushed = 0
        weakref.finalize(self, remove_store, self.folder, self._out, self._in)

    def add(self, row: Row) -> None:
        """Add a row at the end. Raises FitError where the disk is full."""
        raw = row.model_dump_json().encode()
        with self._explained():
            self._out.write(raw + b"\n")
        self._ends.append(self._ends[-1] + len(raw) + 1)
        self.ids.append(row.id)

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | Sequence[Row]:
        """One row, read anew; of a slice a sequence over the same file."""
        places = range(len(self))[at]
        if isinstance(places, range):
            return Picked(self, places)
        self._flush(places + 1)
        start, end = self._ends[places], self._ends[places + 1]
        self._in.seek(start)
        return Row.model_validate_json(self._in.read(end - start))

    def __iter__(self) -> Iterator[Row]:
        for part in self.list_parts():
            yield from read_part(self.folder, part)

    def list_parts(self, start: int = 0) -> list[Part]:
        """The rows from `start` on, so many at a time."""
        self._flush(len(self))
        bounds = [*range(start, len(self), PART_ROWS), len(self)]
        return [Part(first, self._ends[first], self._ends[last]) for first, last in pairwise(bounds)]

    def _flush(self, rows: int) -> None:
        """See to it that the first `rows` rows can be read by others."""
        if rows > self._flushed:
            with self._explained():
                self._out.flush()
            self._flushed = len(self)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise FitError("data.no_room", where=str(self.folder), why=error.strerror or str(error)) from error


class Picked(Sequence[Row]):
    """Some rows of a sequence, by their places in it."""

    def __init__(self, rows: Sequence[Row], places: Sequence[int]) -> None:
        self.rows = rows
        self.places = places

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | Sequence[Row]:
        if isinstance(at, slice):
            return Picked(self.rows, self.places[at])
        return self.rows[self.places[at]]


def fill_store(rows: Iterable[Row]) -> Store:
    """A store of rows that are held in memory."""
    store = Store()
    for row in rows:
        store.add(row)
    return store


def list_ids(rows: Sequence[Row]) -> list[str]:
    """The ids of rows, without reading them where they are known."""
    if isinstance(rows, Store):
        return rows.ids
    if isinstance(rows, Picked):
        ids = list_ids(rows.rows)
        return [ids[place] for place in rows.places]
    return [row.id for row in rows]


def read_part(folder: Path, part: Part) -> list[Row]:
    """The rows of a part of the store in `folder`."""
    with (folder / FILE).open("rb", buffering=0) as file:
        file.seek(part.start)
        raw = file.read(part.end - part.start)
    return [Row.model_validate_json(line) for line in raw.splitlines()]


def remove_store(folder: Path, *files: IO[bytes]) -> None:
    """Close the files and remove the folder."""
    for file in files:
        # What could not be written is tried once more when a file is closed.
        with suppress(OSError):
            file.close()
    shutil.rmtree(folder, ignore_errors=True)
