"""The plan against a CUDA device: random weights of Qwen1.5-1.8B's dimensions, real optimizer steps, in 6 GB.

Predicted live bytes within 3 % of the allocator's peak, predicted reserved bytes not below the real ones, and no step
out of memory where the plan says that it fits. Nothing here has run yet where this was written: there was no GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from transformers import Qwen2Config

from tests.gpu.conftest import build_tuned
from tuneproof.config import LoraSection
from tuneproof.model.load import enable_checkpointing
from tuneproof.model.step import build_optimizer, sum_loss
from tuneproof.plan.allocator import replay_events
from tuneproof.plan.forecast import CUBLAS, CUDA_CONTEXT, CUDA_MARGIN
from tuneproof.plan.subject import describe_subject
from tuneproof.plan.trace import Step, lay_pack, trace_step

SIX_GB = 6 * 10**9
RANK = 16
SHAPES = [
    ((256,), 128, 256),
    ((1024,), 512, 256),
    ((1024,), 512, 64),
    ((512, 512), 300, 256),
    ((1024, 1024), 1000, 256),
    ((1024, 512, 256, 256), 900, 256),
    ((2048,), 1500, 256),
    ((1024,) * 3, 1500, 256),
    ((1024,) * 4, 2000, 64),
    ((100,) * 20, 800, 256),
]


@pytest.fixture(scope="module", autouse=True)
def capped() -> Iterator[None]:
    """Six gigabytes of the device, its own part taken off."""
    total = torch.cuda.mem_get_info()[1]
    torch.cuda.set_per_process_memory_fraction((SIX_GB - CUDA_CONTEXT) / total)
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)


@pytest.fixture(scope="module")
def trained(qwen_config: Qwen2Config) -> Any:
    model: Any = build_tuned(qwen_config, RANK)
    enable_checkpointing(model.get_base_model())
    model.train()
    return model, build_optimizer(model.parameters(), 1e-4)


@pytest.mark.parametrize(("segments", "count", "chunk"), SHAPES)
def test_a_planned_step_takes_what_was_planned(
    trained: Any, qwen_config: Qwen2Config, segments: tuple[int, ...], count: int, chunk: int, record_property: Any
) -> None:
    model, optimizer = trained
    step = Step(segments, count, True, chunk)
    lora = LoraSection(rank=RANK, alpha=2 * RANK)
    traced = trace_step(describe_subject(qwen_config, dtype="bfloat16", lora=lora), step, kernel="flash")
    capacity = SIX_GB - CUDA_CONTEXT - CUBLAS - CUDA_MARGIN
    grade = replay_events(traced.static, traced.events, capacity=capacity).grade
    for _ in range(2):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        try:
            loss = sum_loss(model, lay_pack(step, "cuda"), chunk=chunk)
            (loss / count).backward()
            optimizer.step()
        except torch.OutOfMemoryError:
            assert grade == "no"
            pytest.skip("the plan says that this does not fit, and it does not")
        finally:
            optimizer.zero_grad(set_to_none=True)
        del loss
    live, reserved = torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()
    for name, size in {"planned": traced.peak, "live": live, "reserved": reserved}.items():
        record_property(name, f"{size / 1e9:.3f} GB")
    assert traced.peak + CUBLAS == pytest.approx(live, rel=0.03)
    roomy = replay_events(traced.static, traced.events, capacity=None).reserved
    assert roomy + CUBLAS + CUDA_MARGIN >= reserved
