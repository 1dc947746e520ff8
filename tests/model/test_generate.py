"""Batched answers equal answers made alone, and end where they should."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch.profiler import ProfilerActivity, profile
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    CodeGenConfig,
    FalconConfig,
    GPT2Config,
    Lfm2Config,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
)

from tuneproof.model import batch, stepping
from tuneproof.model.attention import choose_attention
from tuneproof.model.generate import LOOP, Generated, generate_answers, is_loop, sample_answers
from tuneproof.model.graph import Recording
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


def make_prompts(count: int, vocabulary: int = 250) -> list[list[int]]:
    """Prompts of several lengths, of two kinds that begin alike for long."""
    draw = random.Random(3)
    beginnings = [[draw.randrange(5, vocabulary) for _ in range(length)] for length in (90, 40)]
    ends = [[draw.randrange(5, vocabulary) for _ in range(draw.randrange(1, 30))] for _ in range(count)]
    return [beginnings[at % 3] + end if at % 3 < 2 else end for at, end in enumerate(ends)]


def build_model(config_class: Any, **options: Any) -> Any:
    """A random model whose answers depend on every token of their prompts, since its weights are large."""
    torch.manual_seed(0)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "vocab_size": 250}
    config = config_class(**{**size, "initializer_range": 0.3, "pad_token_id": 0, "eos_token_id": 1, **options})
    return AutoModelForCausalLM.from_config(config, attn_implementation=choose_attention(config)).eval()


def answer_alone(model: Any, prompt: list[int], limit: int, ends: list[int]) -> Generated:
    """As transformers answers a single prompt."""
    made = model.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=limit,
        do_sample=False,
        eos_token_id=ends or None,
    )[0, len(prompt) :].tolist()
    ids = made[:-1] if made[-1] in ends else made
    return Generated(ids, "end" if made[-1] in ends else "length")


HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2}


@pytest.mark.parametrize("batch_size", [1, 2, 5, 16])
@pytest.mark.parametrize("config_class", [LlamaConfig, Qwen2Config])
def test_rows_that_come_and_go_answer_as_alone(config_class: Any, batch_size: int) -> None:
    model = build_model(config_class, **HEADS)
    prompts, draw = make_prompts(30), random.Random(4)
    limits, ends = [draw.choice([1, 2, 9, 40, 80]) for _ in prompts], [draw.randrange(5, 250) for _ in range(8)]
    alone = [answer_alone(model, prompt, limit, ends) for prompt, limit in zip(prompts, limits, strict=True)]
    assert {answer.finish for answer in alone} == {"end", "length"}
    assert len({tuple(answer.ids) for answer in alone}) > 20
    assert generate_answers(model, prompts, limits=limits, ends=ends, batch_size=batch_size) == alone


class Repeats:
    """Does what is to be recorded each time it would be replayed, so that all but the card's own part runs here."""

    made: ClassVar[list[Any]] = []

    def __init__(self, model: Any) -> None:
        self.works, self.proven = True, False

    def prove(self, work: Any) -> bool:
        work()
        self.proven = True
        return True

    def record(self, work: Any, beside: Any = None) -> Recording | None:
        self.made.append(work)
        return Recording(work, None)


@pytest.mark.parametrize("batch_size", [1, 5, 16])
@pytest.mark.parametrize("config_class", [LlamaConfig, Qwen2Config])
def test_recorded_steps_answer_as_alone(config_class: Any, batch_size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that come and go, columns that are forgotten, and answers that outgrow the cache's room twice."""
    monkeypatch.setattr(stepping, "Recorder", Repeats)
    Repeats.made.clear()
    steps = count_calls(monkeypatch)
    model = build_model(config_class, **HEADS)
    prompts, draw = make_prompts(30), random.Random(4)
    limits, ends = [draw.choice([1, 2, 9, 40, 150]) for _ in prompts], [draw.randrange(5, 250) for _ in range(8)]
    alone = [answer_alone(model, prompt, limit, ends) for prompt, limit in zip(prompts, limits, strict=True)]
    assert {answer.finish for answer in alone} == {"end", "length"}
    steps.clear()
    assert generate_answers(model, prompts, limits=limits, ends=ends, batch_size=batch_size) == alone
    # Every step is a recorded one; of these far fewer are recorded than done.
    assert sum(tokens == 1 for tokens, _ in steps) < 30, steps
    assert 0 < len(Repeats.made) < 30


def test_a_recorder_that_fails_leaves_the_answers_to_steps_launched_one_by_one(
    tiny_model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_base(str(tiny_model_dir), device="cpu", dtype="float32").model
    wanted = generate_answers(model, PROMPTS, limits=[9] * 5, ends=[], batch_size=2)
    tried = []

    class Fails(Repeats):
        def record(self, work: Any, beside: Any = None) -> Any:
            tried.append(work)
            self.works = False

    monkeypatch.setattr(stepping, "Recorder", Fails)
    assert generate_answers(model, PROMPTS, limits=[9] * 5, ends=[], batch_size=2) == wanted
    assert len(tried) == 1

    class Waits(Fails):
        def prove(self, work: Any) -> bool:
            self.works = not super().prove(work)
            return True

    monkeypatch.setattr(stepping, "Recorder", Waits)
    assert generate_answers(model, PROMPTS, limits=[9] * 5, ends=[], batch_size=2) == wanted
    assert len(tried) == 1


OWN = {"hidden_size": 32, "n_layer": 2, "vocab_size": 250, "initializer_range": 0.3}


@pytest.mark.parametrize(
    ("config_class", "options"),
    [
        (BloomConfig, {**OWN, "n_head": 4}),
        (FalconConfig, {**OWN, "num_attention_heads": 4, "alibi": True}),
        (CodeGenConfig, {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256, "rotary_dim": 8}),
    ],
)
def test_models_with_attention_of_their_own_answer_as_alone(
    config_class: Any, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on a card that could record: their attention would add up the mask of a recorded step, so none is."""
    model = build_model(config_class, **options)
    prompts, limits = make_prompts(9), [4, 30, 9, 30, 2, 11, 5, 8, 30]
    alone = [answer_alone(model, prompt, limit, []) for prompt, limit in zip(prompts, limits, strict=True)]
    assert generate_answers(model, prompts, limits=limits, ends=[], batch_size=3) == alone
    monkeypatch.setattr(stepping, "Recorder", Repeats)
    Repeats.made.clear()
    assert generate_answers(model, prompts, limits=limits, ends=[], batch_size=3) == alone
    assert Repeats.made == []


LIQUID = {**HEADS, "layer_types": ["conv", "full_attention"], "block_auto_adjust_ff_dim": False}


@pytest.mark.parametrize(
    ("config_class", "options"),
    [
        (MistralConfig, {**HEADS, "sliding_window": 8}),
        (MistralConfig, {**HEADS, "sliding_window": 32}),
        (Lfm2Config, LIQUID),
    ],
)
def test_a_cache_that_is_more_than_a_list_of_tokens_answers_batch_by_batch(config_class: Any, options: Any) -> None:
    model = build_model(config_class, **options)
    # All of them begin alike, which must not be read apart: a window counts the columns between.
    prompts, limits = make_prompts(27)[::3], [4, 30, 9, 30, 2, 11, 5, 8, 30]
    alone = [answer_alone(model, prompt, limit, []) for prompt, limit in zip(prompts, limits, strict=True)]
    assert generate_answers(model, prompts, limits=limits, ends=[], batch_size=3) == alone


def test_who_has_ended_takes_no_positions() -> None:
    """The model knows 64 of them, and one answer goes on while another has ended near the last one."""
    model = build_model(GPT2Config, n_embd=32, n_layer=2, n_head=4, n_positions=64)
    prompts, limits = [[7] * 54, [8, 9, 10]], [10, 40]
    alone = [answer_alone(model, prompt, limit, []) for prompt, limit in zip(prompts, limits, strict=True)]
    assert generate_answers(model, prompts, limits=limits, ends=[]) == alone


def test_short_answers_come_and_go_beside_a_long_one(tiny_model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch by batch they would take 60 and three times 6 steps."""
    steps = count_calls(monkeypatch)
    model = load_base(str(tiny_model_dir), device="cpu", dtype="float32").model
    answers = generate_answers(model, make_prompts(15), limits=[60] + [6] * 14, ends=[], batch_size=4)
    assert [len(answer.ids) for answer in answers] == [60] + [6] * 14
    assert sum(tokens == 1 for tokens, _ in steps) == 59
    groups = [rows for tokens, rows in steps if tokens > 1 < rows]
    assert groups[0] == 4
    assert max(groups[1:]) == 2


def test_what_follows_begins_where_the_last_one_began(tiny_model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read once, though no two groups of rows are read together."""
    steps = count_calls(monkeypatch)
    model = load_base(str(tiny_model_dir), device="cpu", dtype="float32").model
    beginning = list(range(10, 210))
    prompts = [[*beginning, 300 + at, 301 + at] for at in range(12)]
    generate_answers(model, prompts, limits=[1 + at % 3 for at in range(12)], ends=[], batch_size=2)
    assert [step for step in steps if step[0] > 2] == [(len(beginning), 1)]


def count_calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """(tokens a row, rows) that each call of the model reads from now on."""
    steps: list[tuple[int, int]] = []
    read = batch.read_next

    def read_next(model: Any, cache: Any, ids_BT: torch.Tensor, *others: Any) -> torch.Tensor:
        steps.append((ids_BT.shape[1], ids_BT.shape[0]))
        return read(model, cache, ids_BT, *others)

    monkeypatch.setattr(batch, "read_next", read_next)
    return steps


def test_an_end_token_ends_the_answer_and_is_not_part_of_it(tiny_model_dir: Path) -> None:
    model = load_base(str(tiny_model_dir), device="cpu", dtype="float32").model
    free = generate_answers(model, PROMPTS, limits=[8] * 5, ends=[])
    assert all(len(answer.ids) == 8 and answer.finish == "length" for answer in free)
    end = free[0].ids[3]
    first = free[0].ids.index(end)
    cut = generate_answers(model, PROMPTS, limits=[8] * 5, ends=[end])
    assert cut[0].ids == free[0].ids[:first]
    assert cut[0].finish == "end"


def test_progress_hears_of_every_answer_once(tiny_model_dir: Path) -> None:
    model = load_base(str(tiny_model_dir), device="cpu", dtype="float32").model
    heard: list[tuple[int, Generated]] = []
    answers = generate_answers(
        model, PROMPTS, limits=[2] * 5, ends=[], batch_size=2, on_answers=lambda ended: heard.extend(ended.items())
    )
    assert sorted(heard) == list(enumerate(answers))


def test_the_head_multiplies_all_rows_at_once(tiny_model_dir: Path) -> None:
    """As a batch of products, a row each, PyTorch copies the head for every row: seconds and gigabytes."""
    model = load_base(str(tiny_model_dir), device="cpu", dtype="float32").model
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiled:
        generate_answers(model, PROMPTS, limits=[3] * 5, ends=[])
    vocabulary = model.config.vocab_size
    heads = {event.key for event in profiled.key_averages(group_by_input_shape=True) if uses(event, vocabulary)}
    assert "aten::mm" in heads
    assert "aten::bmm" not in heads


def uses(event: Any, size: int) -> bool:
    """Whether an operator multiplies a matrix of that size."""
    return any(size in shape for shape in event.input_shapes or [] if isinstance(shape, list) and len(shape) > 1)


def test_drawn_answers_follow_the_model_and_the_seed(tiny_model_dir: Path) -> None:
    model = load_base(str(tiny_model_dir), device="cpu", dtype="float32").model
    with torch.no_grad():
        model.get_output_embeddings().weight *= 8
        expected = model(input_ids=torch.tensor([PROMPTS[0]])).logits[0, -1].softmax(-1)
    draws = 2000

    def draw(seed: int) -> list[list[int]]:
        prompts = [PROMPTS[0]] * draws
        return [
            one.ids for one in sample_answers(model, prompts, limits=[1] * draws, ends=[], seed=seed, batch_size=500)
        ]

    first = draw(1)
    counts = torch.bincount(torch.tensor(first)[:, 0], minlength=len(expected)) / draws
    assert expected.max() < 0.9
    assert (counts - expected).abs().max() < 5 * (0.25 / draws) ** 0.5
    assert draw(1) == first
    assert draw(2) != first


def test_an_answer_that_only_repeats_itself_is_stopped(tiny_model_dir: Path) -> None:
    model = load_base(str(tiny_model_dir), device="cpu", dtype="float32").model
    limit = 300
    whole = model.generate(  # type: ignore[operator]
        torch.tensor([PROMPTS[1]]), attention_mask=torch.ones(1, 1, dtype=torch.long), max_new_tokens=limit,
        do_sample=False, eos_token_id=None,
    )[0, 1:].tolist()  # fmt: skip
    (answer,) = generate_answers(model, [PROMPTS[1]], limits=[limit], ends=[])
    assert answer.finish == "loop"
    assert LOOP <= len(answer.ids) < limit
    assert answer.ids == whole[: len(answer.ids)]


@pytest.mark.parametrize(
    ("ids", "loops"),
    [
        ([7] * LOOP, True),
        ([7] * (LOOP - 1), False),
        ([1, 2, 3] * 40, True),
        (list(range(500)) + [5, 6] * 48, True),
        (list(range(32)) * 3, True),
        (list(range(33)) * 3, False),
        ([7] * (LOOP - 1) + [8], False),
    ],
)
def test_a_loop_is_one_period_three_times_or_more(ids: list[int], loops: bool) -> None:
    assert is_loop(ids) is loops
