"""Weights of files: exact shares, chosen by the rows alone, under every name that a file goes by."""

from __future__ import annotations

import random

import pytest

from tests.data.rows import make_row
from tuneproof.data.weigh import match_weights, weigh_rows
from tuneproof.errors import UsageError
from tuneproof.records import Row

ORIGINS = {
    "data/own.jsonl": "data/own.jsonl",
    "public/a.jsonl": "public",
    "public/b.jsonl": "public",
    "/cache/datasets/owner/name/train.parquet": "owner/name@0123abc:train",
}


def make_rows(file: str, count: int) -> list[Row]:
    made = [make_row(f"question {file} {number}", "answer", number) for number in range(count)]
    return [row.model_copy(update={"file": file, "id": f"{file}{row.id}"}) for row in made]


@pytest.mark.parametrize(
    ("weights", "found"),
    [
        ({"own.jsonl": 2.0}, {"data/own.jsonl": 2.0}),
        ({"data/own.jsonl": 2.0, "own.jsonl": 3.0}, {"data/own.jsonl": 2.0}),
        ({"public": 0.5}, {"public/a.jsonl": 0.5, "public/b.jsonl": 0.5}),
        ({"public/": 0.5, "a.jsonl": 0.1}, {"public/a.jsonl": 0.1, "public/b.jsonl": 0.5}),
        ({"owner/name": 0.2}, {"/cache/datasets/owner/name/train.parquet": 0.2}),
        ({"owner/name:train": 0.2, "owner/name": 0.3}, {"/cache/datasets/owner/name/train.parquet": 0.2}),
    ],
)
def test_a_file_has_the_weight_of_its_narrowest_name(weights: dict[str, float], found: dict[str, float]) -> None:
    assert match_weights(weights, ORIGINS) == found


def test_a_weight_of_no_file_is_an_error() -> None:
    with pytest.raises(UsageError) as caught:
        match_weights({"own.jsonl": 1.0, "other.jsonl": 0.5}, ORIGINS)
    assert (caught.value.key, caught.value.values["name"]) == ("data.unknown_weight", "other.jsonl")
    assert "data/own.jsonl" in caught.value.message()


@pytest.mark.parametrize(
    ("weight", "copies"),
    [(0.2, {1: 20}), (0.001, {1: 1}), (1.0, {1: 100}), (2.0, {2: 100}), (2.25, {2: 75, 3: 25}), (1.004, {1: 100})],
)
def test_a_weight_is_kept_to_the_row(weight: float, copies: dict[int, int]) -> None:
    heavy, light = weigh_rows(make_rows("a", 100), {"a": weight}, seed=0)
    assert (light if weight >= 1 else heavy) == []
    kept = heavy or light
    assert {times: sum(row.copies == times for row in kept) for times in {row.copies for row in kept}} == copies


def test_files_without_a_weight_count_once_and_stay_of_the_task() -> None:
    own, public = make_rows("own", 30), make_rows("public", 50)
    heavy, light = weigh_rows([*own, *public], {"public": 0.5}, seed=0)
    assert heavy == own
    assert (len(light), {row.file for row in light}) == (25, {"public"})


def test_the_choice_rests_on_the_rows_and_the_seed_alone() -> None:
    rows = make_rows("a", 200)
    chosen = {row.id for row in weigh_rows(rows, {"a": 0.3}, seed=0)[1]}
    shuffled = random.Random(1).sample(rows, len(rows))
    assert {row.id for row in weigh_rows(shuffled, {"a": 0.3}, seed=0)[1]} == chosen
    assert {row.id for row in weigh_rows(rows, {"a": 0.3}, seed=1)[1]} != chosen
    # Ten rows more, three of which may be chosen, each in the place of another or as one more.
    grown = {row.id for row in weigh_rows(make_rows("a", 210), {"a": 0.3}, seed=0)[1]}
    assert len(grown) == 63
    assert len(chosen - grown) <= 7
