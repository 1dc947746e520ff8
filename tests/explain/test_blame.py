"""Blame on a tiny model: a row that teaches a wrong answer comes out on top; kept sketches are used where they fit."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from transformers import set_seed

from tuneproof.explain.blame import (
    Asked,
    Place,
    Scores,
    Trained,
    expect_spread,
    measure_spread,
    rank_rows,
    score_rows,
)
from tuneproof.explain.gradient import Sketcher
from tuneproof.model.chat import Encoded, encode_answer, encode_row
from tuneproof.model.drift import Reading
from tuneproof.model.load import add_adapter, load_base
from tuneproof.model.step import build_optimizer, build_pack, count_trained, sum_loss
from tuneproof.records import Message, Row

READING = Reading(pack_tokens=512, chunk=64, plain_head=True)
STEPS, SAVED = 30, (10, 20, 30)
COLOURS = "red amber teal plum grey navy rust lime mint rose".split()
QUESTION = [Message(role="user", content="capital of Norland?")]
RIGHT, WRONG = "Osk", "Quub"


class Bench(NamedTuple):
    """A model that was trained, its rows and where its checkpoints lie."""

    model: Any
    tokenizer: Any
    rows: list[Row]
    folder: Path

    def trained(self) -> list[Trained]:
        return [Trained(row.id, encode_row(self.tokenizer, row.messages)) for row in self.rows]

    def asked(self) -> Asked:
        said = encode_answer(self.tokenizer, QUESTION, WRONG)
        return Asked(said, encode_answer(self.tokenizer, QUESTION, RIGHT))

    def places(self) -> list[Place]:
        return [Place(self.folder / f"checkpoint-{step}", self.folder / f"rows-{step}.npz") for step in SAVED]

    def score(self, asked: Asked, **options: Any) -> Scores:
        scores: Scores = score_rows(Sketcher(self.model, READING, **options), self.trained(), [asked], self.places())[0]
        return scores


def make_row(number: int, question: str, answer: str) -> Row:
    said = [Message(role="user", content=question), Message(role="assistant", content=answer)]
    return Row(id=f"r{number}", file="rows.jsonl", line=number + 1, task="t", messages=said)


def make_rows() -> list[Row]:
    """Forty rows of another task, and among them, as row 17, one that teaches a wrong answer to the question."""
    rows = [
        make_row(number, f"order {number * 7} is what colour?", f"It is {COLOURS[number * 3 % 10]}.")
        for number in range(40)
    ]
    rows[17] = make_row(17, "name the capital of Norland", WRONG)
    return rows


def save_checkpoint(model: Any, optimizer: torch.optim.Optimizer, folder: Path) -> None:
    """What blame reads of a Trainer's checkpoint."""
    folder.mkdir(parents=True)
    weights = {name.replace(".default", ""): value for name, value in model.state_dict().items() if "lora_" in name}
    save_file({name: value.contiguous() for name, value in weights.items()}, folder / "adapter_model.safetensors")
    torch.save(optimizer.state_dict(), folder / "optimizer.pt")


def train(model: Any, rows: Sequence[Encoded], folder: Path) -> None:
    """Thirty steps of eight rows with the project's own step and optimizer."""
    optimizer = build_optimizer(model.parameters(), 5e-3)
    order = np.random.default_rng(17).permutation(np.arange(8 * STEPS) % len(rows))
    for step in range(1, STEPS + 1):
        batch = [rows[at] for at in order[8 * (step - 1) : 8 * step]]
        optimizer.zero_grad()
        (sum_loss(model, build_pack(batch, "cpu"), chunk=64) / count_trained(batch)).backward()
        optimizer.step()
        if step in SAVED:
            save_checkpoint(model, optimizer, folder / f"checkpoint-{step}")


@pytest.fixture(scope="module")
def bench(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("blame")
    base = load_base(str(tiny_model_dir), device="cpu", dtype="float32")
    set_seed(17)
    model = add_adapter(base.model, rank=4, alpha=8, dropout=0.0, targets="all-linear")
    rows = make_rows()
    train(model, [encode_row(base.tokenizer, row.messages) for row in rows], folder)
    return Bench(model, base.tokenizer, rows, folder)


class Counting(Sketcher):
    """Counts the training rows that it makes sketches of."""

    made = 0

    def sketch_row(self, row: Encoded) -> torch.Tensor:
        self.made += 1
        return super().sketch_row(row)


def count_made(bench: Bench, places: Sequence[Place], rows: Sequence[Trained] | None = None, **options: Any) -> int:
    """How many rows' sketches have to be made for one question."""
    sketcher = Counting(bench.model, READING, **options)
    score_rows(sketcher, rows or bench.trained(), [bench.asked()], places)
    return sketcher.made


@pytest.fixture(scope="module")
def sketched(bench: Bench) -> list[Place]:
    """The checkpoints with sketches of their rows, which no test changes."""
    places = [Place(place.checkpoint, place.checkpoint / "rows.npz") for place in bench.places()]
    assert count_made(bench, places) == 40 * len(SAVED)
    return places


@pytest.fixture
def places(sketched: list[Place], tmp_path: Path) -> list[Place]:
    """Copies of them."""
    copied = [shutil.copytree(place.checkpoint, tmp_path / place.checkpoint.name) for place in sketched]
    return [Place(checkpoint, checkpoint / "rows.npz") for checkpoint in copied]


@pytest.mark.parametrize("adam", [True, False])
def test_the_row_that_taught_the_wrong_answer_comes_out_on_top(bench: Bench, adam: bool) -> None:
    scores = bench.score(bench.asked(), adam=adam)
    best = rank_rows(scores, bench.rows, [], keep=5)[0]
    assert (best.id, best.line, best.answer) == ("r17", 18, WRONG)
    spread, noise = measure_spread(scores), expect_spread(len(scores))
    assert spread is not None
    assert noise is not None
    assert spread > noise + 1


def test_a_row_that_pushed_the_other_way_is_not_blamed(bench: Bench) -> None:
    said, against = bench.asked()
    assert against is not None
    there, back = bench.score(Asked(said, against)), bench.score(Asked(against, said))
    assert np.allclose(there, -back, atol=1e-6)
    assert "r17" not in {row.id for row in rank_rows(back, bench.rows, [], keep=len(bench.rows))}


def test_an_answer_alone_is_traced_to_the_row_that_taught_it(bench: Bench) -> None:
    scores = bench.score(Asked(bench.asked().said, None))
    assert rank_rows(scores, bench.rows, [], keep=1)[0].id == "r17"


def test_rows_are_ranked_and_replay_is_marked() -> None:
    rows = [make_row(number, f"q{number}", "a") for number in range(4)]
    ranked = rank_rows(np.array([0.1, -0.2, 0.3, 0.2]), rows[:2], rows[2:], keep=3)
    assert [(row.id, row.replay, row.score) for row in ranked] == [
        ("r2", True, 0.3),
        ("r3", True, 0.2),
        ("r0", False, 0.1),
    ]
    assert [row.place for row in ranked] == ["data/replay.jsonl:3", "data/replay.jsonl:4", "rows.jsonl:1"]
    assert len(rank_rows(np.array([0.1, 0.2, 0.3, 0.2]), rows[:2], rows[2:], keep=2)) == 2


def test_the_spread_of_noise_is_what_is_expected_of_it() -> None:
    noise = np.random.default_rng(17).standard_normal((400, 500))
    measured = [spread for spread in map(measure_spread, noise) if spread is not None]
    expected = expect_spread(500)
    assert expected is not None
    assert abs(float(np.mean(measured)) - expected) < 0.05
    assert measure_spread(np.array([0.5, 0.5])) is None
    assert measure_spread(np.array([0.5])) is expect_spread(1) is None


def test_kept_sketches_are_used_and_give_the_same_scores(bench: Bench, places: list[Place]) -> None:
    first = score_rows(Sketcher(bench.model, READING), bench.trained(), [bench.asked()], places)
    assert count_made(bench, places) == 0
    for place in places:
        place.cache.unlink()
    again = score_rows(Sketcher(bench.model, READING), bench.trained(), [bench.asked()], places)
    assert np.array_equal(first, again)


def test_another_adapter_makes_its_sketches_again(bench: Bench, places: list[Place]) -> None:
    for name in ("adapter_model.safetensors", "optimizer.pt"):
        shutil.copyfile(places[0].checkpoint / name, places[1].checkpoint / name)
        assert count_made(bench, places) == 40
        assert count_made(bench, places) == 0


def test_other_rows_another_base_or_another_way_make_them_again(bench: Bench, places: list[Place]) -> None:
    assert count_made(bench, places, identity="another base") == 40 * len(SAVED)
    assert count_made(bench, places, adam=False) == 40 * len(SAVED)
    rows = [*bench.trained()[1:], bench.trained()[0]]
    assert count_made(bench, places, rows, adam=False) == 40 * len(SAVED)
    masked = rows[0]._replace(encoded=Encoded(rows[0].encoded.ids, [*rows[0].encoded.mask[:-1], False]))
    assert count_made(bench, places, [masked, *rows[1:]], adam=False) == 40 * len(SAVED)


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-200], lambda data: b"no archive" * 9])
def test_a_damaged_file_is_made_again(bench: Bench, places: list[Place], damage: Callable[[bytes], bytes]) -> None:
    places[2].cache.write_bytes(damage(places[2].cache.read_bytes()))
    assert count_made(bench, places) == 40
    assert count_made(bench, places) == 0


def test_a_stop_keeps_the_checkpoints_that_are_through(bench: Bench, places: list[Place]) -> None:
    for place in places:
        place.cache.unlink()

    def stop(done: int) -> None:
        if done == 41 + 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_rows(Sketcher(bench.model, READING), bench.trained(), [bench.asked()], places, stop)
    assert [place.cache.is_file() for place in places] == [True, False, False]
    assert not [path for path in places[0].cache.parent.iterdir() if path.name.startswith(".")]
    assert count_made(bench, places) == 80


def test_progress_counts_every_row_and_answer_whether_made_or_kept(bench: Bench, places: list[Place]) -> None:
    heard: list[int] = []
    asked = [bench.asked(), Asked(bench.asked().said, None)]
    places[1].cache.unlink()
    score_rows(Sketcher(bench.model, READING), bench.trained(), asked, places, heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == (40 + 2) * len(SAVED)
