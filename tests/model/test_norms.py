"""The fused norm is the norm, forward and backward, and stands only in the place of one that it equals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM
from transformers.models.gemma.modeling_gemma import GemmaRMSNorm
from transformers.models.llama.modeling_llama import LlamaRMSNorm
from transformers.models.qwen3.modeling_qwen3 import Qwen3RMSNorm

from tuneproof.model import norms
from tuneproof.model.load import add_adapter
from tuneproof.model.norms import FusedNorm, RootNorm, fuse_norms, is_plain_norm
from tuneproof.plan.kernels import Kernel, name_kernels


def step_back_on_cpu(
    outer: Tensor, x: Tensor, shape: list[int], scale: Tensor, weight: Tensor, mask: list[bool]
) -> tuple[Tensor, Tensor | None]:
    """The operator of the backward, written out for a CPU, which has none."""
    assert (shape, mask) == ([x.shape[-1]], [True, False])
    by_normal = outer * weight
    return scale * by_normal - scale**3 * x * (by_normal * x).mean(-1, keepdim=True), None


@pytest.mark.parametrize("kernel", [False, True], ids=["passes", "kernel"])
def test_value_and_gradient_are_those_of_transformers_module(kernel: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel on CUDA: tests/gpu/test_speed.py."""
    monkeypatch.setattr(norms, "KERNEL_DEVICES", {"cpu"} if kernel else {"cuda"})
    torch.manual_seed(0)
    norm = LlamaRMSNorm(16, eps=1e-5)
    norm.weight.data.normal_()
    norm.weight.requires_grad_(False)
    found, wanted = (torch.randn(2, 3, 16, dtype=torch.float32).requires_grad_() for _ in range(2))
    found.data.copy_(wanted.data)
    outer = torch.randn(2, 3, 16)
    with torch.library._scoped_library("aten", "IMPL") as library:
        library.impl("_fused_rms_norm_backward", step_back_on_cpu, "CPU")
        made = RootNorm.apply(found, norm.weight, 1e-5)  # type: ignore[no-untyped-call]
        made.backward(outer)
    norm(wanted).backward(outer)
    torch.testing.assert_close(made, norm(wanted))
    torch.testing.assert_close(found.grad, wanted.grad)


def test_in_16_bits_the_passes_round_once() -> None:
    """Beside fp32 they are off by the rounding of what they return, and not by more."""
    torch.manual_seed(0)
    x, outer, weight_H = torch.randn(5, 64), torch.randn(5, 64), torch.randn(64)
    narrow, narrow_outer, narrow_weight_H = (one.bfloat16() for one in (x, outer, weight_H))
    found, wanted = narrow.clone().requires_grad_(), narrow.float().requires_grad_()
    made = RootNorm.apply(found, narrow_weight_H, 1e-5)  # type: ignore[no-untyped-call]
    made.backward(narrow_outer)
    exact = nn.functional.rms_norm(wanted, (64,), narrow_weight_H.float(), 1e-5)
    exact.backward(narrow_outer.float())
    assert found.grad is not None
    assert wanted.grad is not None
    assert torch.equal(made, exact.bfloat16())
    torch.testing.assert_close(found.grad, wanted.grad.bfloat16(), rtol=2**-8, atol=1e-6)


def test_only_classes_that_compute_the_same_are_replaced() -> None:
    assert is_plain_norm(LlamaRMSNorm)
    assert is_plain_norm(Qwen3RMSNorm)
    assert not is_plain_norm(GemmaRMSNorm)
    assert not is_plain_norm(nn.Linear)


def test_a_norm_without_a_weight_or_a_small_number_of_its_own_stays() -> None:
    """Gemma 4 normalises values so, and DiffLlama heads."""
    bare = nn.RMSNorm(8, eps=1e-5, elementwise_affine=False)
    free, plain = nn.RMSNorm(8), nn.RMSNorm(8, eps=1e-5)
    model = nn.ModuleDict({"bare": bare, "free": free, "plain": plain})
    assert fuse_norms(model) == 1
    assert (model["bare"], model["free"]) == (bare, free)
    assert isinstance(model["plain"], FusedNorm)


def test_a_fused_model_answers_as_before_and_keeps_its_names(tiny_qwen_dir: Path) -> None:
    model: Any = AutoModelForCausalLM.from_pretrained(tiny_qwen_dir)
    ids = torch.arange(20)[None]
    with torch.no_grad():
        wanted, names = model(input_ids=ids).logits, list(model.state_dict())
        assert fuse_norms(model) == 5
        assert fuse_norms(model) == 0
        torch.testing.assert_close(model(input_ids=ids).logits, wanted)
    assert list(model.state_dict()) == names
    adapted = add_adapter(model, rank=2, alpha=4, dropout=0.0, targets="all-linear")
    assert sum(isinstance(module, FusedNorm) for module in adapted.modules()) == 5


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kernel", ["cpu", "efficient"])
def test_on_meta_it_keeps_its_input_and_a_number_a_row(dtype: torch.dtype, kernel: Kernel) -> None:
    kept: list[tuple[tuple[int, ...], torch.dtype]] = []

    def pack(tensor: Tensor) -> Tensor:
        kept.append((tuple(tensor.shape), tensor.dtype))
        return tensor

    with torch.device("meta"), name_kernels(kernel):
        norm = FusedNorm(LlamaRMSNorm(16).to(dtype))
        norm.weight.requires_grad_(False)
        x = torch.empty(2, 3, 16, dtype=dtype, requires_grad=True)
    with name_kernels(kernel), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        made = norm(x)
        made.sum().backward()
    assert (made.shape, made.dtype) == (x.shape, dtype)
    assert kept == [((2, 3, 16), dtype), ((2, 3, 1), torch.float32), ((16,), dtype)]
    assert x.grad is not None
