"""Batched answers equal answers made alone, and end where they should."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tuneproof.model.generate import READ_TOKENS, form_batches, generate_answers
from tuneproof.model.load import load_base

PROMPTS = [[5, 6, 7], [8], [9, 10, 11, 12, 13, 14], [15, 16], [17, 18, 19, 20]]
SHARED = [[30, 31, 32, *prompt] for prompt in PROMPTS]


@pytest.mark.parametrize("prompts", [PROMPTS, SHARED, [[30, 31], [30, 31, 32], [30, 31], [30, 31, 33], [30, 31]]])
def test_batched_answers_equal_single_ones_and_transformers(tiny_model_dir: Path, prompts: list[list[int]]) -> None:
    model = load_base(str(tiny_model_dir), device="cpu", dtype="float32").model
    limits = [6, 9, 3, 7, 5]
    ends = [model.config.eos_token_id]
    batched = generate_answers(model, prompts, limits=limits, ends=ends, batch_size=4)
    for prompt, limit, answer in zip(prompts, limits, batched, strict=True):
        alone = generate_answers(model, [prompt], limits=[limit], ends=ends)[0]
        assert alone == answer
        theirs = model.generate(  # type: ignore[operator]
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            max_new_tokens=limit,
            do_sample=False,
        )[0, len(prompt) :].tolist()
        assert answer.ids == [token for token in theirs if token != ends[0]]


def test_an_end_token_ends_the_answer_and_is_not_part_of_it(tiny_model_dir: Path) -> None:
    model = load_base(str(tiny_model_dir), device="cpu", dtype="float32").model
    free = generate_answers(model, PROMPTS, limits=[8] * 5, ends=[])
    assert all(len(answer.ids) == 8 and answer.finish == "length" for answer in free)
    end = free[0].ids[3]
    first = free[0].ids.index(end)
    cut = generate_answers(model, PROMPTS, limits=[8] * 5, ends=[end])
    assert cut[0].ids == free[0].ids[:first]
    assert cut[0].finish == "end"


def test_batches_are_bounded_by_rows_and_by_tokens_to_read() -> None:
    prompts = [[1] * 5 + [at] * 300 for at in range(20)]
    batches = form_batches(prompts, range(20), batch_size=16, read_tokens=READ_TOKENS)
    assert [index for batch in batches for index in batch] == list(range(20))
    assert all(len(batch) * 300 <= READ_TOKENS for batch in batches)
    assert [len(batch) for batch in form_batches([[1, 2]] * 20, range(20), batch_size=16, read_tokens=None)] == [16, 4]


def test_progress_hears_of_every_answer_once(tiny_model_dir: Path) -> None:
    model = load_base(str(tiny_model_dir), device="cpu", dtype="float32").model
    heard: list[int] = []
    generate_answers(model, PROMPTS, limits=[2] * 5, ends=[], batch_size=2, on_answers=heard.extend)
    assert sorted(heard) == [0, 1, 2, 3, 4]
