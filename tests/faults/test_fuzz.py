"""Whatever stands in a run folder, reading it gives a record or a user's error (rows and config: their own tests)."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("resource", reason="Windows has no resource limits")

from tests.faults.fuzz import TARGETS, change, feed, fuzz_randomly

SPLICES = [
    b"",
    b"\0",
    b"\xff\xfe",
    b"[" * 50_000,
    b'{"a":' * 50_000,
    b"1e999",
    b"NaN",
    b"9" * 5000,
    b'"\\ud800"',
    b"\n",
]


@given(
    name=st.sampled_from(["run folder", "checkpoint", "config"]),
    at=st.floats(0, 1),
    drop=st.integers(0, 40),
    splice=st.integers(0, len(SPLICES) - 1) | st.binary(max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_a_mutated_record_never_ends_in_a_traceback(name: str, at: float, drop: int, splice: int | bytes) -> None:
    """`splice`: bytes, or the number of one of SPLICES, which are too long for hypothesis to print."""
    content = TARGETS[name][1]
    place = int(at * len(content))
    put = splice if isinstance(splice, bytes) else SPLICES[splice]
    with tempfile.TemporaryDirectory() as folder:
        feed(name, Path(folder), content[:place] + put + content[place + drop :])


def test_the_soak_s_fuzzing_runs_and_finds_what_is_no_user_s_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fuzz_randomly("checkpoint", 0.3, seed=1).runs > 5

    def fail(folder: Path, content: bytes) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(TARGETS, "bad", (fail, b"x"))
    with pytest.raises(ZeroDivisionError):
        fuzz_randomly("bad", 1.0, seed=1)
    assert change(b"abc", random.Random(1)) != b"abc"
