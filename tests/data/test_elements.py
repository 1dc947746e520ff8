"""An array is read the same through a window of any size, and no more of it is held than a record is long."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.data.broken import CASES
from tuneproof.data import elements, window
from tuneproof.data.elements import read_array, read_held_array
from tuneproof.data.parse import Record
from tuneproof.records import Finding

ARRAYS = {case: content for case, (name, content) in CASES.items() if name == "r.json" and case.startswith("array")}
ROWS = [{"question": f'q{number} \\ "\n', "answer": "天" * (number % 40)} for number in range(60)]
FREE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def tell(items: Iterator[Record | Finding]) -> list[object]:
    return [(item.line, item.fields) if isinstance(item, Record) else (item.place, item.message) for item in items]


def read_through(path: Path, piece: int) -> list[object]:
    """What `read_array` finds when text comes in pieces of so many characters."""
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window, "SAMPLE_BYTES", piece)
        patch.setattr(elements, "read_pieces", lambda *_: (text[at : at + piece] for at in range(0, len(text), piece)))
        return tell(read_array(path, None))


@pytest.mark.parametrize("case", ARRAYS)
@pytest.mark.parametrize("piece", [1, 7, 30])
def test_a_small_window_finds_what_a_large_one_does(tmp_path: Path, case: str, piece: int) -> None:
    content = ARRAYS[case]
    assert isinstance(content, str)
    path = tmp_path / "r.json"
    path.write_text(content, encoding="utf-8")
    assert read_through(path, piece) == tell(read_array(path, None))


@FREE
@example(at=1103, splice="}", piece=1)
@given(
    at=st.integers(1, 2000),
    splice=st.sampled_from(['"', ",", "}", "{", "]", "\\", "NaN", "\n", "x"]),
    piece=st.integers(1, 99),
)
@pytest.mark.parametrize("indent", [None, 1])
def test_the_window_does_not_change_what_a_broken_array_holds(
    tmp_path: Path, indent: int | None, at: int, splice: str, piece: int
) -> None:
    text = json.dumps(ROWS, ensure_ascii=False, indent=indent)
    path = tmp_path / "r.json"
    path.write_text(text[:at] + splice + text[at:], encoding="utf-8")
    assert read_through(path, piece) == tell(read_array(path, None))


@pytest.mark.parametrize("indent", [None, 2])
def test_every_record_around_a_broken_one_is_read(tmp_path: Path, indent: int | None) -> None:
    """The text in the middle record is broken; the 59 others come, each with its number."""
    text = json.dumps(ROWS, ensure_ascii=False, indent=indent).replace('"q30 ', '"q30" ')
    path = tmp_path / "r.json"
    path.write_text(text, encoding="utf-8")
    items = list(read_array(path, None))
    assert [item.line for item in items if isinstance(item, Record)] == [*range(1, 31), *range(32, 61)]
    assert [item.line for item in items if isinstance(item, Finding)] == [31]


@pytest.mark.parametrize("held", [False, True])
def test_memory_does_not_grow_with_the_array(tmp_path: Path, held: bool) -> None:
    """24 MB of records; a reader that held the text alone would need that much."""
    path = tmp_path / "large.json"
    record = json.dumps({"question": "q" * 400, "answer": "a" * 400})
    with path.open("w", encoding="utf-8") as file:
        file.write('{"version": 1, "rows": [' if held else "[")
        file.writelines(f"{',' * bool(number)}{record}\n" for number in range(29_000))
        file.write("]}" if held else "]")
    tracemalloc.start()
    count = sum(isinstance(item, Record) for item in (read_held_array if held else read_array)(path, None))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 29_000
    assert peak < 12_000_000
