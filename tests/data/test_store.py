"""Rows in a file are the same rows, and are gone when nobody needs them."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from tests.data.rows import make_row
from tuneproof.data.store import PART_ROWS, Picked, fill_store, list_ids, read_part
from tuneproof.errors import FitError
from tuneproof.records import Message

ODD = ["line\nend", "\u2028", "\r", "\x85", "\0", "你好", "👩\u200d💻", "", '"quoted\\"']
ROWS = [make_row(text, f"{text}!", number) for number, text in enumerate(ODD)]


def test_rows_come_back_as_they_were() -> None:
    store = fill_store(ROWS)
    assert list(store) == ROWS == [store[at] for at in range(len(store))]
    assert (store[-1], list(store[2:4])) == (ROWS[-1], ROWS[2:4])
    assert list(reversed(store)) == ROWS[::-1]
    with pytest.raises(IndexError):
        store[len(ROWS)]


def test_rows_can_be_read_while_more_are_added() -> None:
    store = fill_store(ROWS)
    assert store[0] == ROWS[0]
    later = ROWS[1].model_copy(update={"id": "later", "copies": 2})
    later = later.model_copy(update={"messages": [Message(role="tool", content="42"), *later.messages]})
    store.add(later)
    assert store[-1] == later
    assert store.ids == [*(row.id for row in ROWS), "later"]


def test_the_parts_are_all_of_it() -> None:
    rows = [make_row(f"q{number}", "a" * (number % 7), number) for number in range(2 * PART_ROWS + 5)]
    store = fill_store(rows)
    parts = store.list_parts()
    assert [part.first for part in parts] == [0, PART_ROWS, 2 * PART_ROWS]
    assert [row for part in parts for row in read_part(store.folder, part)] == rows
    assert store.list_parts(PART_ROWS) == parts[1:]
    assert fill_store([]).list_parts() == []


def test_some_rows_of_some_rows_are_rows() -> None:
    some = Picked(fill_store(ROWS), [7, 1, 3])
    assert list(some) == [ROWS[7], ROWS[1], ROWS[3]]
    assert list(some[1:]) == [ROWS[1], ROWS[3]]
    assert list_ids(some) == [row.id for row in some] == list_ids(list(some))


def test_the_file_goes_with_the_last_that_needs_it() -> None:
    store = fill_store(ROWS)
    folder, some = store.folder, Picked(store, [1])
    del store
    gc.collect()
    assert some[0] == ROWS[1]
    del some
    gc.collect()
    assert not folder.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk_is_told_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    store = fill_store([])
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(store, "_out", full)
        with pytest.raises(FitError) as caught:
            store.add(ROWS[0])
    assert caught.value.where == str(store.folder)
    assert "TMPDIR" in caught.value.hint()
