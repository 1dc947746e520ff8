"""The feed-forward block keeps less and computes the same, and stands only where it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers.models.gemma.modeling_gemma import GemmaMLP
from transformers.models.llama.modeling_llama import LlamaMLP
from transformers.models.qwen2.modeling_qwen2 import Qwen2MLP

from tests.model.test_lora import count_kept, fill, find_gradients
from tuneproof.model.feed import GatedBlock, join_blocks, joins_plainly
from tuneproof.model.load import add_adapter, load_base, remove_adapter
from tuneproof.model.step import get_base


def load_tuned(folder: Path, dtype: Any = "float32") -> Any:
    base = load_base(str(folder), device="cpu", dtype=dtype).model
    return fill(add_adapter(base, rank=2, alpha=6, dropout=0.0, targets="all-linear")).train()


def find_blocks(model: nn.Module) -> list[GatedBlock]:
    return [module for module in model.modules() if isinstance(module, GatedBlock)]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_gradients_are_autograds_to_the_bit_and_less_is_kept(
    tiny_qwen_dir: Path, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_tuned(tiny_qwen_dir, dtype)
    assert len(find_blocks(model)) == 2
    found, kept = find_gradients(model), count_kept(model)
    model.zero_grad()

    def compute_plainly(block: Any, x: Tensor) -> Tensor:
        made: Tensor = block.down_proj(block.act_fn(block.gate_proj(x)) * block.up_proj(x))
        return made

    monkeypatch.setattr(GatedBlock, "forward", compute_plainly)
    wanted, before = find_gradients(model), count_kept(model)
    assert found.keys() == wanted.keys()
    for name in wanted:
        assert torch.equal(found[name], wanted[name]), name
    tokens, inner, size = 27, 64, {"float32": 4, "bfloat16": 2}[dtype]
    assert before - kept == 2 * 2 * tokens * inner * size


def test_a_switched_off_adapter_and_answers_take_the_plain_way(tiny_qwen_dir: Path) -> None:
    model = load_tuned(tiny_qwen_dir)
    ids = torch.arange(20)[None]
    plain = load_base(str(tiny_qwen_dir), device="cpu", dtype="float32").model
    with model.disable_adapter():
        torch.testing.assert_close(model(input_ids=ids).logits, plain(input_ids=ids).logits)
    with torch.no_grad():
        answered = model(input_ids=ids).logits
    torch.testing.assert_close(model(input_ids=ids).logits.detach(), answered)


def test_it_outlives_its_adapter_and_takes_the_next_one(tiny_qwen_dir: Path) -> None:
    model = load_tuned(tiny_qwen_dir)
    names = list(get_base(model).state_dict())
    remove_adapter(model)
    base = get_base(model)
    plain = load_base(str(tiny_qwen_dir), device="cpu", dtype="float32").model
    ids = torch.arange(20)[None]
    torch.testing.assert_close(base(input_ids=ids).logits, plain(input_ids=ids).logits, rtol=0, atol=0)
    again = add_adapter(base, rank=2, alpha=6, dropout=0.0, targets="all-linear")
    assert len(find_blocks(again)) == 2
    assert list(get_base(again).state_dict()) == names


def test_only_blocks_that_join_their_layers_so_are_replaced() -> None:
    class Other(nn.Module):
        def forward(self, x: Tensor) -> Any:
            block: Any = self
            return block.down_proj(block.act_fn(block.up_proj(x)) * block.gate_proj(x))

    class Scaled(nn.Module):
        def forward(self, x: Tensor) -> Any:
            block: Any = self
            return block.down_proj(block.act_fn(block.gate_proj(x)) * block.up_proj(x) * block.factor)

    kinds: list[Any] = [LlamaMLP, Qwen2MLP, GemmaMLP, Other, Scaled, nn.Linear]
    # Gemma's joins them so as well, and is left alone for its other activation.
    assert [joins_plainly(kind) for kind in kinds] == [True, True, True, False, False, False]
    bare = nn.Sequential(nn.Linear(2, 2))
    assert join_blocks(bare) == 0
