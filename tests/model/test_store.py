"""Answers that were made before: the same ones, found only for the very same question to the very same model."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tuneproof.model.generate import Generated, generate_answers
from tuneproof.model.load import Base, load_base
from tuneproof.model.store import AnswerStore, Serving, cut_answer, open_store, recall_answers

PROMPTS = [[5, 6, 7], [9, 10], [11, 12, 13, 14], [5, 6, 7]]
LIMITS = [4, 4, 4, 6]


@pytest.fixture
def base(tiny_model_dir: Path) -> Base:
    return load_base(str(tiny_model_dir), device="cpu", dtype="float32")


def open_it(base: Base, how: str = "cpu float32 none") -> AnswerStore:
    store = open_store(base.model, base.path, how=how)
    assert store is not None
    return store


def ask(base: Base, store: AnswerStore | None, count: int = 4, end: int = 300) -> list[Generated]:
    heard: dict[int, Generated] = {}

    def listen(ended: Mapping[int, Generated]) -> None:
        assert not heard.keys() & ended.keys()
        heard.update(ended)

    answers = recall_answers(
        base.model, PROMPTS[:count], limits=LIMITS[:count], ends=[end], serving=Serving(2, store), on_answers=listen
    )
    assert heard == dict(enumerate(answers))
    return answers


def test_a_second_run_finds_what_the_first_one_made(base: Base) -> None:
    plain = generate_answers(base.model, PROMPTS, limits=LIMITS, ends=[300], batch_size=2)
    assert ask(base, None) == plain
    first, second = open_it(base), open_it(base)
    assert ask(base, first, count=2) == plain[:2]
    assert ask(base, second) == plain
    # The fourth prompt is the first with a longer limit: what was cut there is no whole answer here.
    assert (first.recalled, second.recalled) == (0, 2)
    third = open_it(base)
    assert ask(base, third) == plain
    assert third.recalled == 4


def test_another_question_or_another_model_finds_nothing(base: Base, tiny_model_dir: Path) -> None:
    ask(base, open_it(base))
    for store, end in ((open_it(base), 299), (open_it(base, how="cpu bfloat16 none"), 300)):
        ask(base, store, end=end)
        assert store.recalled == 0
    weights = tiny_model_dir / "model.safetensors"
    times = weights.stat()
    os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    try:
        assert open_it(base).find([b"any"]) == {}
        changed = open_it(base)
        ask(base, changed)
        assert changed.recalled == 0
    finally:
        os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_other_code_finds_nothing(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a layer computes may change in its last bits, which an answer may hang on."""
    ask(base, open_it(base))
    monkeypatch.setattr("tuneproof.model.store.digest_code", lambda *rooms: "other code")
    changed = open_it(base)
    ask(base, changed)
    assert changed.recalled == 0


def test_without_a_state_of_the_weights_to_tell_nothing_is_kept(base: Base) -> None:
    assert open_store(base.model, "some/hub-model", how="cpu float32 none") is None


def test_a_damaged_file_is_an_empty_store_and_mends_itself(base: Base) -> None:
    plain = ask(base, None)
    store = open_it(base)
    ask(base, store)
    assert store.path is not None
    store.path.write_bytes(b"no database at all, but longer than a header of one is, which is a hundred bytes" * 3)
    assert ask(base, open_it(base)) == plain
    ask(base, open_it(base))
    third = open_it(base)
    assert ask(base, third) == plain
    assert third.recalled == 4


def test_a_place_that_cannot_be_written_costs_nothing_but_time(base: Base, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert ask(base, AnswerStore(tmp_path / "file" / "store.sqlite")) == ask(base, None)


@pytest.mark.parametrize(
    ("kept", "limit", "answer"),
    [
        (Generated([1, 2, 3], "end"), 4, Generated([1, 2, 3], "end")),
        (Generated([1, 2, 3], "end"), 3, Generated([1, 2, 3], "length")),
        (Generated([1, 2, 3], "loop"), 2, Generated([1, 2], "length")),
        (Generated([1, 2, 3], "length"), 2, Generated([1, 2], "length")),
        (Generated([1, 2, 3], "length"), 3, Generated([1, 2, 3], "length")),
        (Generated([1, 2, 3], "length"), 4, None),
    ],
)
def test_a_shorter_limit_cuts_the_same_answer(kept: Generated, limit: int, answer: Generated | None) -> None:
    assert cut_answer(kept, limit) == answer


def test_answers_that_are_there_survive_a_store_that_another_process_is_writing(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, timeout=0))
    plain = ask(base, open_it(base), count=2)
    store = open_it(base)
    assert store.path is not None
    with closing(sqlite3.connect(store.path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert ask(base, store, count=2) == plain
    again = open_it(base)
    assert ask(base, again, count=2) == plain
    assert again.recalled == 2
