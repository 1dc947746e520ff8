"""Speed and memory of the step on a CUDA device: its share of the card's rate, offloaded layers, rows in one kernel."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import Qwen2Config
from transformers.models.qwen2.modeling_qwen2 import Qwen2RMSNorm

from benchmarks import recording
from benchmarks.recording import LENGTHS
from tuneproof.config import LoraSection
from tuneproof.model.attention import attend_at_once, attend_row, lay_rows, takes_flash
from tuneproof.model.chat import Encoded
from tuneproof.model.decoder import RecordedDecoder, Room
from tuneproof.model.liger import load_kernels
from tuneproof.model.load import enable_checkpointing
from tuneproof.model.norms import FusedNorm
from tuneproof.model.offload import offload_layers
from tuneproof.model.step import build_optimizer, build_pack, count_trained, sum_loss
from tuneproof.plan.formula import count_adapter, count_linear, read_dimensions
from tuneproof.plan.subject import describe_subject
from tuneproof.plan.trace import Step, trace_step

VOCABULARY, RANK = 151936, 8
PEAK_4X1024 = 5 * 2**30
WARM, TIMED = 3, 10


def make_rows(lengths: Sequence[int]) -> list[Encoded]:
    return recording.make_rows(lengths, VOCABULARY)


def load(config: Qwen2Config) -> Any:
    return recording.build_stirred(config, RANK)


def run_step(
    model: Any,
    rows: Sequence[Encoded],
    optimizer: torch.optim.Optimizer | None = None,
    decoder: RecordedDecoder | None = None,
) -> float:
    if decoder:
        decoder.begin()
    loss = sum_loss(model, build_pack(rows, "cuda"), chunk=256, decoder=decoder) / count_trained(rows)
    loss.backward()
    if optimizer is not None:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return float(loss)


def measure_rate() -> float:
    """Floating-point operations a second of a large bf16 product on this card."""
    left, right = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    for _ in range(3):
        left @ right
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(20):
        left @ right
    torch.cuda.synchronize()
    return 20 * 2 * 8192**3 / (time.perf_counter() - started)


def test_the_share_of_the_cards_rate(qwen_config: Qwen2Config) -> None:
    """Told, and at least 45 % with 8,192 tokens a step and nothing recomputed, as the target says for an H100.

    With Liger installed, as its extra asks for.
    """
    model = load(qwen_config)
    optimizer = build_optimizer(model.parameters(), 1e-4)
    rows = make_rows(LENGTHS * 2)
    decoder = RecordedDecoder(model, Room(sum(len(row.ids) for row in rows), len(rows), max(LENGTHS)))
    decoder.fused = load_kernels() is not None
    for _ in range(WARM):
        run_step(model, rows, optimizer, decoder)
    assert decoder.works
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(TIMED):
        run_step(model, rows, optimizer, decoder)
    torch.cuda.synchronize()
    seconds = (time.perf_counter() - started) / TIMED
    sizes, tokens = read_dimensions(qwen_config), sum(len(row.ids) for row in rows)
    pairs = sum(len(row.ids) ** 2 / 2 for row in rows)
    needed = 4.0 * count_linear(sizes) * tokens + 6 * count_adapter(sizes, RANK) * tokens
    needed += 4 * sizes.vocabulary * sizes.hidden * count_trained(rows)
    needed += 14 * pairs * sizes.layers * sizes.heads * sizes.head_size
    share = needed / seconds / measure_rate()
    sys.stdout.write(
        f"\n{tokens / seconds:.0f} tokens/s, {needed / seconds / 1e12:.0f} TFLOP/s, {share:.0%} of the card's rate, "
        f"Liger {decoder.fused}"
    )
    if "H100" in torch.cuda.get_device_name() and decoder.fused:
        assert share >= 0.45


def test_4x1024_tokens_take_less_than_5_gib(qwen_config: Qwen2Config) -> None:
    model = load(qwen_config)
    enable_checkpointing(model.get_base_model())
    optimizer = build_optimizer(model.parameters(), 1e-4)
    rows = make_rows((1024,) * 4)
    torch.cuda.reset_peak_memory_stats()
    for _ in range(2):
        run_step(model, rows, optimizer)
    peak = torch.cuda.max_memory_allocated()
    sys.stdout.write(f"\npeak {peak / 2**30:.2f} GiB")
    assert peak < PEAK_4X1024


def test_offloaded_layers_give_the_gradients_of_resident_ones_and_take_less(qwen_config: Qwen2Config) -> None:
    rows = make_rows((512, 300))
    resident = load(qwen_config)
    run_step(resident, rows)
    wanted = {name: p.grad.cpu() for name, p in resident.named_parameters() if p.grad is not None}
    state = {name: p.detach().cpu() for name, p in resident.named_parameters()}
    del resident
    gc.collect()
    model = load(qwen_config).cpu()
    model.load_state_dict(state, strict=False)
    gc.collect()
    before = torch.cuda.memory_allocated()
    offload_layers(model, "cuda")
    enable_checkpointing(model.get_base_model())
    held = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    run_step(model, rows)
    peak = torch.cuda.max_memory_allocated()
    subject = describe_subject(qwen_config, dtype="bfloat16", lora=LoraSection(rank=RANK, alpha=2 * RANK))
    step = Step((512, 300), count_trained(rows), True, 256)
    # No optimizer here: its states are not there.
    planned = trace_step(subject._replace(offload=True), step, kernel="flash")
    wanted_peak = planned.peak - planned.parts.optimizer
    told = (before, held, peak, wanted_peak)
    sys.stdout.write(
        "\noffloaded: {:.2f} GiB before, {:.2f} held, {:.2f} at the peak, {:.2f} planned".format(
            *(size / 2**30 for size in told)
        )
    )
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            torch.testing.assert_close(parameter.grad.cpu(), wanted[name], rtol=2e-2, atol=1e-3)
    assert peak < wanted_peak + 2**27, "the plan, and 128 MiB of cuBLAS' workspaces"


@pytest.mark.parametrize(("heads", "width"), [(16, 128), (4, 64)])
def test_rows_in_one_kernel_attend_as_alone(heads: int, width: int) -> None:
    torch.manual_seed(0)
    shapes = ((1, 16, 150, width), (1, heads, 150, width), (1, heads, 150, width))
    together = [torch.randn(shape, device="cuda", dtype=torch.bfloat16, requires_grad=True) for shape in shapes]
    single = [one.detach().clone().requires_grad_() for one in together]
    assert takes_flash(together[0])
    lengths = [100, 1, 49]
    query, key, value = together
    found = attend_at_once((query, key, value), lay_rows(lengths, query.device), None, None)
    parts = zip(*(states.split(lengths, 2) for states in single), strict=True)
    alone: Tensor = torch.cat([attend_row(one, other, third, None) for one, other, third in parts], 2)
    torch.testing.assert_close(found, alone.transpose(1, 2), rtol=2e-2, atol=2e-2)
    outer = torch.randn_like(found)
    found.backward(outer)
    alone.transpose(1, 2).backward(outer)
    for one, other in zip(together, single, strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=3e-2, atol=3e-2)


def test_the_fused_norm_is_transformers_norm() -> None:
    torch.manual_seed(0)
    norm = Qwen2RMSNorm(2048, eps=1e-6).to("cuda", torch.bfloat16).requires_grad_(False)
    norm.weight.normal_()
    fused = FusedNorm(norm)
    one = torch.randn(3, 5, 2048, device="cuda", dtype=torch.bfloat16, requires_grad=True)
    other = one.detach().clone().requires_grad_()
    outer = torch.randn_like(one)
    found, wanted = fused(one), norm(other)
    found.backward(outer)
    wanted.backward(outer)
    torch.testing.assert_close(found, wanted, rtol=2e-2, atol=2e-2)
    torch.testing.assert_close(one.grad, other.grad, rtol=2e-2, atol=2e-2)
