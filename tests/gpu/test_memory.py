"""The plan against a CUDA device: random weights of Qwen1.5-1.8B's dimensions, real optimizer steps, in 6 GB.

Predicted live bytes within 3 % of the allocator's peak, predicted reserved bytes not below the real ones, and no step
out of memory where the plan says that it fits. Each case prints what was planned and what was measured.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from transformers import Qwen2Config

from benchmarks.recording import build_tuned
from tuneproof.config import LoraSection
from tuneproof.model.generate import generate_answers
from tuneproof.model.hardware import inspect_hardware, is_hopper
from tuneproof.model.load import enable_checkpointing
from tuneproof.model.step import build_optimizer, sum_loss
from tuneproof.plan.allocator import replay_events
from tuneproof.plan.archive import Traced
from tuneproof.plan.forecast import CUBLAS, CUBLAS_HOPPER, CUDA_CONTEXT, CUDA_MARGIN
from tuneproof.plan.subject import describe_subject
from tuneproof.plan.trace import Answering, Step, lay_pack, trace_answers, trace_step

SIX_GB = 6 * 10**9
RANK = 16
WORKSPACE = CUBLAS_HOPPER if is_hopper(inspect_hardware()) else CUBLAS
CAPACITY = SIX_GB - CUDA_CONTEXT - WORKSPACE - CUDA_MARGIN
STEPS = [
    Step((256,), 128, True, 256),
    Step((1024,), 512, True, 256),
    Step((1024,), 512, True, 64),
    Step((512, 512), 300, True, 256),
    Step((1024, 1024), 1000, True, 256),
    Step((1024, 512, 256, 256), 900, True, 256),
    Step((2048,), 1500, True, 256),
    Step((1024,) * 3, 1500, True, 256),
    Step((1024,) * 4, 2000, True, 64),
    Step((100,) * 20, 800, True, 256),
    Step((256,), 128, False, 256),
    Step((512,), 300, False, 256),
    Step((512, 256, 128), 500, False, 256),
]
ANSWERS = [Answering(8, 64, 16), Answering(32, 64, 32), Answering(8, 512, 64)]


@pytest.fixture(scope="module", autouse=True)
def capped() -> Iterator[None]:
    """Six gigabytes of the device, its own part taken off."""
    total = torch.cuda.mem_get_info()[1]
    torch.cuda.set_per_process_memory_fraction((SIX_GB - CUDA_CONTEXT) / total)
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)


@pytest.fixture
def tuned(qwen_config: Qwen2Config, free: None) -> Any:
    """A model for each test: what the one before has left of the allocator's segments would be reserved as well."""
    return build_tuned(qwen_config, RANK)


def assert_planned(name: str, traced: Traced) -> None:
    """Print one line, and hold the prediction against the allocator's own figures."""
    live, taken = torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()
    roomy = replay_events(traced.static, traced.events, capacity=None)
    planned, reserved = roomy.allocated + WORKSPACE, roomy.reserved + WORKSPACE + CUDA_MARGIN
    grade = replay_events(traced.static, traced.events, capacity=CAPACITY).grade
    sys.stdout.write(
        f"\n| {name} | {planned / 1e9:.3f} | {live / 1e9:.3f} | {planned / live - 1:+.1%} "
        f"| {reserved / 1e9:.3f} | {taken / 1e9:.3f} | {grade} |"
    )
    assert planned == pytest.approx(live, rel=0.03)
    assert reserved >= taken


def run_step(model: Any, optimizer: torch.optim.Optimizer, step: Step) -> None:
    loss = sum_loss(model, lay_pack(step, "cuda"), chunk=step.chunk)
    (loss / step.trained).backward()
    optimizer.step()


@pytest.mark.parametrize("answering", ANSWERS, ids=str)
def test_answers_take_what_was_planned(tuned: Any, qwen_config: Qwen2Config, answering: Answering) -> None:
    model = tuned.eval()
    subject = describe_subject(qwen_config, dtype="bfloat16", lora=LoraSection(rank=RANK, alpha=2 * RANK))
    traced = trace_answers(subject, answering, kernel="flash")
    generator = torch.Generator().manual_seed(1)
    prompts = torch.randint(0, 151936, (answering.rows, answering.prompt), generator=generator).tolist()
    torch.cuda.reset_peak_memory_stats()
    generate_answers(model, prompts, limits=[answering.new] * answering.rows, ends=[], batch_size=answering.rows)
    assert_planned(str(answering), traced)


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_planned_step_takes_what_was_planned(tuned: Any, qwen_config: Qwen2Config, step: Step) -> None:
    model, optimizer = tuned.train(), build_optimizer(tuned.parameters(), 1e-4)
    subject = describe_subject(qwen_config, dtype="bfloat16", lora=LoraSection(rank=RANK, alpha=2 * RANK))
    check_step(model, optimizer, trace_step(subject, step, kernel="flash"), step)


def check_step(model: Any, optimizer: torch.optim.Optimizer, traced: Traced, step: Step) -> None:
    """Take a step twice in 6 GB, the second one from the cache that the first one left."""
    base = model.get_base_model()
    if step.checkpointing:
        enable_checkpointing(base)
    else:
        base.gradient_checkpointing_disable()
    torch.cuda.reset_peak_memory_stats()
    fits = True
    try:
        for _ in range(2):
            run_step(model, optimizer, step)
            optimizer.zero_grad(set_to_none=True)
    except torch.OutOfMemoryError:
        fits = False
    optimizer.zero_grad(set_to_none=True)
    if not fits:
        assert replay_events(traced.static, traced.events, capacity=CAPACITY).grade == "no"
        pytest.skip("the plan says that this does not fit, and it does not")
    assert_planned(str(step), traced)
