"""The trace against what really happens: the same tracker over real CPU steps of tiny models."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import (
    AutoModelForCausalLM,
    CohereConfig,
    Gemma2Config,
    GraniteConfig,
    LlamaConfig,
    PhiConfig,
    PreTrainedModel,
    Qwen2Config,
)

from tuneproof.config import LoraSection
from tuneproof.model.attention import choose_attention
from tuneproof.model.fold import fold_adapter
from tuneproof.model.fused import fuse_layers
from tuneproof.model.generate import generate_answers
from tuneproof.model.load import add_adapter, enable_checkpointing
from tuneproof.model.offload import list_blocks, offload_layers
from tuneproof.model.step import build_optimizer, check_plain_head, sum_loss
from tuneproof.plan import tracker
from tuneproof.plan.archive import Traced
from tuneproof.plan.subject import count_nf4, describe_subject, has_plain_head
from tuneproof.plan.trace import (
    Answering,
    Step,
    _trace_answers,
    _trace_step,
    count_load,
    lay_pack,
    trace_answers,
    trace_step,
)
from tuneproof.plan.tracker import Tracker

LORA = LoraSection(rank=4, alpha=8)
MIB = 2**20


def build_base(config: Any, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    """A model with random weights, its layers as `model.load` leaves them."""
    base: PreTrainedModel = AutoModelForCausalLM.from_config(
        config, dtype=dtype, attn_implementation=choose_attention(config)
    )
    fuse_layers(base)
    return base


def build_real(config: Any, dtype: torch.dtype = torch.float32) -> PeftModel:
    """The model with its adapter on the CPU."""
    return add_adapter(build_base(config, dtype), rank=4, alpha=8, dropout=0.0, targets="all-linear")


def book_real(tracker: Tracker, model: PeftModel, optimizer: torch.optim.Optimizer | None = None) -> None:
    """Tell the tracker what lies in memory before the step."""
    for parameter in model.parameters():
        tracker.follow(parameter, "adapter" if parameter.requires_grad else "weights")
    for buffer in model.buffers():
        tracker.follow(buffer, "weights")
    for state in optimizer.state.values() if optimizer else ():
        for tensor in state.values():
            tracker.follow(tensor, "optimizer")


def measure_step(
    config: Any, step: Step, dtype: torch.dtype = torch.float32, *, plain_head: bool = True, streamed: bool = False
) -> Tracker:
    """A real optimizer step on the CPU, the second one, so that the optimizer's state is there."""
    model = build_real(config, dtype)
    kept = [weight.data for block in list_blocks(model) for weight in block] if streamed else []
    model.train()
    if step.checkpointing:
        base = model.get_base_model()
        assert isinstance(base, PreTrainedModel)
        enable_checkpointing(base)
    if streamed:
        offload_layers(model, "cpu")
    optimizer = build_optimizer(model.parameters(), 1e-4)
    packs = [lay_pack(step, "cpu")] * (2 if step.accumulating else 1)
    for _ in range(2):
        tracker = Tracker("cpu", vocabulary=config.vocab_size)
        book_real(tracker, model, optimizer)
        for tensor in kept:
            tracker.follow(tensor, "weights")
        for tensor in (packs[0].ids_T, packs[0].positions_T, packs[0].source_N, packs[0].target_N):
            tracker.follow(tensor, "activations")
        with tracker:
            for pack in packs:
                loss = sum_loss(model, pack, chunk=step.chunk, plain_head=plain_head)
                (loss / step.trained).backward()
                del loss
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
    return tracker


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("family", ["tiny_llama", "tiny_qwen"])
@pytest.mark.parametrize(
    ("segments", "trained", "chunk"),
    [((96,), 40, 256), ((64, 48, 16), 100, 32), ((40, 40), 79, 7), ((200,), 199, 64)],
)
def test_traced_peak_is_the_real_peak(
    request: pytest.FixtureRequest,
    family: str,
    checkpointing: bool,
    segments: tuple[int, ...],
    trained: int,
    chunk: int,
) -> None:
    config = request.getfixturevalue(family)
    step = Step(segments, trained, checkpointing, chunk)
    subject = describe_subject(config, dtype="float32", lora=LORA)
    real = measure_step(config, step)
    assert trace_step(subject, step, kernel="cpu").peak == pytest.approx(real.peak, rel=1e-3)


def test_gradients_of_an_earlier_pack_are_counted(tiny_llama: LlamaConfig) -> None:
    subject = describe_subject(tiny_llama, dtype="float32", lora=LORA)
    first = Step((64,), 60, False, 64)
    later = first._replace(accumulating=True)
    traced = trace_step(subject, later, kernel="cpu")
    assert traced.peak == pytest.approx(measure_step(tiny_llama, later).peak, rel=1e-3)
    assert traced.peak > trace_step(subject, first, kernel="cpu").peak
    assert traced.parts.gradients > 0


def test_traced_peak_is_the_real_peak_in_bfloat16(tiny_qwen: Qwen2Config) -> None:
    step = Step((64, 64), 100, True, 32)
    subject = describe_subject(tiny_qwen, dtype="bfloat16", lora=LORA)
    real = measure_step(tiny_qwen, step, torch.bfloat16)
    assert trace_step(subject, step, kernel="cpu").peak == pytest.approx(real.peak, rel=1e-3)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_traced_peak_is_the_real_peak_of_streamed_layers(tiny_llama: LlamaConfig, checkpointing: bool) -> None:
    """On a CPU the layers lie in the same memory, and the two in use beside them."""
    config = tiny_llama.__class__(**{**tiny_llama.to_dict(), "num_hidden_layers": 5})
    step = Step((64, 40), 60, checkpointing, 32)
    subject = describe_subject(config, dtype="float32", lora=LORA)._replace(offload=True)
    real = measure_step(config, step, streamed=True)
    traced = trace_step(subject, step, kernel="cpu")
    assert traced.peak == pytest.approx(real.peak, rel=1e-3)
    assert traced.peak < trace_step(subject._replace(offload=False), step, kernel="cpu").peak * 1.5
    # On a GPU of all layers only the two are there.
    linear = 5 * (2 * 64 * (64 + 32) + 3 * 64 * 160) * 4
    there, whole = (
        trace_step(one, step, kernel="flash").parts.weights for one in (subject, subject._replace(offload=False))
    )
    assert whole - there == pytest.approx(linear * 3 / 5, abs=2**14)


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("family", ["tiny_llama", "tiny_qwen"])
def test_traced_answers_are_the_real_peak(request: pytest.FixtureRequest, family: str, folded: bool) -> None:
    config = request.getfixturevalue(family)
    model = build_real(config)
    real = Tracker("cpu", vocabulary=config.vocab_size)
    book_real(real, model)
    with real, fold_adapter(model) if folded else nullcontext():
        generate_answers(model, [[5] * 60, [6] * 50, [7] * 20], limits=[30, 30, 30], ends=[])
    subject = describe_subject(config, dtype="float32", lora=LORA)
    traced = trace_answers(subject, Answering(rows=3, prompt=60, new=30, folded=folded), kernel="cpu")
    assert traced.peak == pytest.approx(real.peak, rel=1e-3)
    assert traced.parts.cache > 0


def test_rows_that_join_are_read_beside_a_full_cache(tiny_llama: LlamaConfig) -> None:
    """Answers are long beside prompts here, so the peak is where rows come and go, or move to the front."""
    model, new = build_real(tiny_llama), 72
    real = Tracker("cpu", vocabulary=tiny_llama.vocab_size)
    book_real(real, model)
    with real:
        generate_answers(
            model, [[5 + row] * 8 for row in range(14)], limits=[new] * 6 + [new - 5] * 8, ends=[], batch_size=8
        )
    subject = describe_subject(tiny_llama, dtype="float32", lora=LORA)
    alone, joined = (
        trace_answers(subject, Answering(8, 8, new, False, joins), kernel="cpu") for joins in (False, True)
    )
    assert alone.peak < real.peak <= joined.peak < 1.1 * real.peak


@pytest.mark.parametrize(("prompt", "new"), [(8, 72), (100, 90)])
def test_one_batch_after_another_takes_no_more_than_one(tiny_llama: LlamaConfig, prompt: int, new: int) -> None:
    model = build_real(tiny_llama)
    real = Tracker("cpu", vocabulary=tiny_llama.vocab_size)
    book_real(real, model)
    with real:
        generate_answers(model, [[5 + row] * prompt for row in range(16)], limits=[new] * 16, ends=[], batch_size=8)
    subject = describe_subject(tiny_llama, dtype="float32", lora=LORA)
    assert real.peak <= trace_answers(subject, Answering(8, prompt, new, joining=True), kernel="cpu").peak


def test_parts_add_up_to_the_peak(tiny_llama: LlamaConfig) -> None:
    subject = describe_subject(tiny_llama, dtype="bfloat16", lora=LORA)
    for kernel in ("cpu", "flash", "efficient"):
        traced = trace_step(subject, Step((64, 64), 100, True, 32), kernel=kernel)
        assert traced.parts.total() == traced.peak
        assert traced.parts.context == 0


def test_everything_made_in_a_step_is_freed_in_it(tiny_llama: LlamaConfig) -> None:
    subject = describe_subject(tiny_llama, dtype="bfloat16", lora=LORA)
    step = trace_step(subject, Step((64, 64), 100, True, 32, accumulating=True), kernel="flash")
    recorded = trace_step(subject, Step((64, 64), 100, False, 32), kernel="flash")
    answers = trace_answers(subject, Answering(2, 30, 10), kernel="flash")
    for events in (step.events, recorded.events, answers.events):
        made = [number for number, size in events if size]
        freed = [number for number, size in events if not size]
        assert len(made) > 100
        assert sorted(made) == sorted(freed)


def test_attention_without_a_fused_kernel_costs_the_square(tiny_llama: LlamaConfig) -> None:
    """The memory-efficient kernel knows no grouped heads: fp32 on CUDA holds all scores, bf16 does not."""
    step = Step((256,), 200, False, 64)
    half = describe_subject(tiny_llama, dtype="bfloat16", lora=LORA)
    full = describe_subject(tiny_llama, dtype="float32", lora=LORA)
    scores = 4 * 4 * 256 * 256
    assert trace_step(full, step, kernel="efficient").peak > trace_step(full, step, kernel="cpu").peak + 2 * scores
    assert trace_step(half, step, kernel="flash").peak < trace_step(half, step, kernel="efficient").peak


def test_nf4_takes_half_a_byte_a_weight(qwen18: Qwen2Config) -> None:
    subject = describe_subject(qwen18, dtype="bfloat16", lora=LORA, quantization="nf4")
    weights, _ = count_load(subject)
    # 598 MiB of linear layers, 1187 MiB of embedding and head, which stay in bfloat16 (docs/evidence.md, `Memory`).
    assert weights / MIB == pytest.approx(1785, abs=2)
    assert count_nf4(2048 * 5504) / (2048 * 5504) == pytest.approx(0.516, abs=5e-4)


def test_loading_counts_all_weights_and_the_largest(tiny_qwen: Qwen2Config) -> None:
    subject = describe_subject(tiny_qwen, dtype="float32", lora=LORA)
    weights = trace_step(subject, Step((16,), 8, False, 8), kernel="cpu").parts.weights
    assert count_load(subject) == (weights, 4 * 512 * 64)


TINY_HEADS: dict[str, Any] = {
    "vocab_size": 128,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


@pytest.mark.parametrize(
    ("config", "plain"),
    [
        (LlamaConfig(**TINY_HEADS), True),
        (Qwen2Config(**TINY_HEADS), True),
        (GraniteConfig(**TINY_HEADS, logits_scaling=4.0), False),
        (CohereConfig(**TINY_HEADS), False),
        (Gemma2Config(**TINY_HEADS, head_dim=16), False),
        (PhiConfig(**TINY_HEADS), False),
    ],
    ids=lambda value: getattr(value, "model_type", ""),
)
def test_plain_head_is_seen_without_values(config: Any, plain: bool) -> None:
    with torch.device("meta"):
        traced = build_base(config)
    real = build_base(config)
    for parameter in (*traced.parameters(), *real.parameters()):
        parameter.requires_grad_(False)
    assert has_plain_head(traced) is plain
    # A fresh head's bias is zero and fresh logits are far below the soft cap: there the numbers cannot tell.
    if config.model_type not in ("phi", "gemma2"):
        assert check_plain_head(real) is plain


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_results_made_from_their_shapes_change_no_trace(
    tiny_qwen: Qwen2Config, dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every allocation and every end of one, in their order, as where PyTorch is asked for each result."""
    subject = describe_subject(tiny_qwen, dtype=dtype, lora=LORA)
    step, answering = Step((40, 24), 50, True, 32), Answering(3, 20, 10, folded=dtype == "float32")

    def trace() -> list[Traced]:
        return [_trace_step(subject, step, "efficient"), _trace_answers(subject, answering, "cpu")]

    fast = trace()
    asked: list[str] = []
    monkeypatch.setattr(tracker, "make_result", lambda name, args: asked.append(name))
    assert trace() == fast
    assert len(asked) > 500
