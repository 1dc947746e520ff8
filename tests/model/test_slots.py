"""Rows that come and go get the answers that each gets alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, MistralConfig

from tuneproof.model.batch import read_prompt
from tuneproof.model.cache import open_cache
from tuneproof.model.generate import generate_answers
from tuneproof.model.load import load_base
from tuneproof.model.slots import OneSlot, Rows, Slots, check_slots, open_slots

PROMPTS = [[5, 6, 7, 8], [9, 10], list(range(30, 150)), [11, 12, 13], [40] * 9]
LIMITS = [12, 40, 5, 20, 9]


def answer_as_they_come(model: Any, slots: Rows, rows: int) -> list[list[int]]:
    """Greedy answers, a new row at each step while there is room for it, each leaving when it is done."""
    said: list[list[int]] = [[] for _ in PROMPTS]
    waiting, active = list(range(len(PROMPTS))), list[int]()
    while waiting or active:
        while waiting and len(active) < rows and slots.fits(len(PROMPTS[waiting[0]]) + LIMITS[waiting[0]]):
            row = waiting.pop(0)
            cache = open_cache(model.config)
            said[row].append(int(read_prompt(model, cache, PROMPTS[row], 0).argmax()))
            slots.join(cache, length=len(PROMPTS[row]), room=len(PROMPTS[row]) + LIMITS[row])
            active.append(row)
            break
        picked = slots.read(model, [said[row][-1] for row in active]).argmax(-1).tolist()
        for row, token in zip(active, picked, strict=True):
            said[row].append(token)
        for place in reversed(range(len(active))):
            if len(said[active[place]]) >= LIMITS[active[place]]:
                slots.leave(place)
                active[place] = active[-1]
                active.pop()
    return said


@pytest.mark.parametrize("kind", ["tiny_model_dir", "tiny_qwen_dir"])
def test_answers_are_those_of_each_row_alone(kind: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(kind)
    model = load_base(str(folder), device="cpu", dtype="float32").model.eval()
    alone = [
        generate_answers(model, [prompt], limits=[limit], ends=[])[0].ids
        for prompt, limit in zip(PROMPTS, LIMITS, strict=True)
    ]
    with torch.inference_mode():
        slots = open_slots(model, tokens=4096)
        assert isinstance(slots, Slots)
        assert answer_as_they_come(model, slots, rows=3) == alone
        # Empty again, and again the same: nothing of the rows before is left.
        assert not slots.rooms
        assert answer_as_they_come(model, slots, rows=5) == alone
        assert answer_as_they_come(model, OneSlot(torch.device("cpu")), rows=1) == alone


def test_slots_stay_within_their_tokens_and_become_small_again(tiny_model_dir: Path) -> None:
    model = load_base(str(tiny_model_dir), device="cpu", dtype="float32").model.eval()

    def join(slots: Slots, room: int) -> None:
        cache = open_cache(model.config)
        read_prompt(model, cache, [5, 6], 0)
        slots.join(cache, length=2, room=room)

    with torch.inference_mode():
        slots = Slots(2, torch.device("cpu"), tokens=1024)
        assert slots.fits(10**6), "the first row is the caller's to bound"
        join(slots, 500)
        assert not slots.fits(513)
        assert slots.fits(512)
        join(slots, 20)
        assert (slots.slots, slots.room) == (2, 512)
        assert not slots.fits(20), "all slots are as large as the largest row needs"
        slots.leave(0)
        for _ in range(7):
            assert slots.fits(100)
            join(slots, 100)
            assert slots.slots * slots.room <= 1024
        assert (slots.slots, slots.room) == (8, 128)
        assert not slots.fits(20)


def test_a_model_with_a_sliding_window_has_one_slot() -> None:
    config = MistralConfig(
        vocab_size=64, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, sliding_window=8,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config).eval()
    assert not check_slots(model)
    assert isinstance(open_slots(model, tokens=4096), OneSlot)


def test_a_model_that_answers_otherwise_in_slots_is_found_out(tiny_model_dir: Path) -> None:
    model = load_base(str(tiny_model_dir), device="cpu", dtype="float32").model.eval()
    assert check_slots(model)
    plain = model.forward

    def without_mask(*args: Any, **options: Any) -> Any:
        return plain(*args, **{**options, "attention_mask": None})

    model.forward = without_mask
    assert not check_slots(model)
