"""The packed, chunked step equals the plain loss of one row at a time, in value and gradient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from torch import Tensor
from transformers import AutoModelForCausalLM, Gemma2Config

from tuneproof.errors import ModelError
from tuneproof.model import hardware
from tuneproof.model.attention import choose_attention
from tuneproof.model.chat import Encoded, Likely
from tuneproof.model.load import add_adapter, enable_checkpointing, load_base
from tuneproof.model.step import (
    ChunkedCrossEntropy,
    OptimizerName,
    build_optimizer,
    build_pack,
    check_plain_head,
    count_trained,
    get_base,
    share_in_place,
    sum_loss,
)

ROWS = [
    Encoded([5, 6, 7, 8, 9], [False, False, True, True, True]),
    Encoded([10, 11, 12], [False, True, True]),
    Encoded([13, 14, 15, 16], [True, False, False, True]),
]


def load_tuned(folder: Path) -> PeftModel:
    base = load_base(str(folder), device="cpu", dtype="float32")
    torch.manual_seed(1)
    model = add_adapter(base.model, rank=2, alpha=4, dropout=0.0, targets="all-linear")
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return model


def plain_loss(model: Any, rows: list[Encoded]) -> Tensor:
    """Row by row through the model's own head and torch's own cross-entropy."""
    losses = []
    for row in rows:
        ids = torch.tensor([row.ids])
        labels = torch.tensor([[token if trained else -100 for token, trained in zip(row.ids, row.mask, strict=False)]])
        logits = model(input_ids=ids, use_cache=False).logits[:, :-1]
        losses.append(torch.nn.functional.cross_entropy(logits[0], labels[0, 1:], reduction="sum"))
    return torch.stack(losses).sum()


def gradients(model: PeftModel, loss: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    loss.backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_probabilities_and_loss_of_a_chunk_are_those_of_a_softmax(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    hidden, head = (torch.randn(shape).to(dtype) for shape in ((5, 8), (50, 8)))
    target = torch.randint(0, 50, (5, 1))
    logits = (hidden @ head.t()).float()
    shares = logits.clone()
    lost = share_in_place(shares, Likely(target, torch.ones(5, 1)))
    torch.testing.assert_close(shares, logits.softmax(-1), rtol=1e-5, atol=1e-6)
    plain = torch.nn.functional.cross_entropy(logits, target[:, 0], reduction="sum")
    torch.testing.assert_close(lost, plain, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("dtype", "near"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])
def test_the_chunked_loss_is_the_cross_entropy_of_its_logits(dtype: torch.dtype, near: float) -> None:
    """In 16 bits the logits are rounded, and so are the probabilities that the gradient is made of."""
    torch.manual_seed(0)
    hidden, head = (torch.randn(shape).to(dtype) for shape in ((5, 8), (50, 8)))
    target = torch.randint(0, 50, (5, 1))
    hidden.requires_grad_()
    wanted = Likely(target, torch.ones(5, 1))
    lost = ChunkedCrossEntropy.apply(hidden, head, wanted, 2)  # type: ignore[no-untyped-call]
    (by_hidden,) = torch.autograd.grad(lost, hidden)
    plain = torch.nn.functional.cross_entropy((hidden @ head.t()).float(), target[:, 0], reduction="sum")
    torch.testing.assert_close(lost, plain, rtol=1e-5, atol=1e-5)
    assert by_hidden.dtype == dtype
    wide = hidden.detach().float().requires_grad_()
    exact = torch.nn.functional.cross_entropy(wide @ head.float().t(), target[:, 0], reduction="sum")
    torch.testing.assert_close(by_hidden.float(), torch.autograd.grad(exact, wide)[0], rtol=near, atol=near)


@pytest.mark.parametrize("chunk", [1, 2, 256])
@pytest.mark.parametrize("plain_head", [True, False])
def test_packed_chunked_loss_equals_the_plain_one(tiny_model_dir: Path, chunk: int, plain_head: bool) -> None:
    model = load_tuned(tiny_model_dir)
    expected = plain_loss(model, ROWS)
    wanted = gradients(model, expected)
    loss = sum_loss(model, build_pack(ROWS, "cpu"), chunk=chunk, plain_head=plain_head)
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-5)
    found = gradients(model, loss)
    assert found.keys() == wanted.keys()
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], rtol=1e-4, atol=1e-5)


def test_checkpointing_changes_no_gradient(tiny_qwen_dir: Path) -> None:
    model = load_tuned(tiny_qwen_dir).train()
    pack = build_pack(ROWS, "cpu")
    wanted = gradients(model, sum_loss(model, pack, chunk=4))
    enable_checkpointing(get_base(model))
    found = gradients(model, sum_loss(model, pack, chunk=4))
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], rtol=1e-5, atol=1e-6)


def test_the_first_token_of_a_row_is_never_trained() -> None:
    pack = build_pack(ROWS, "cpu")
    assert pack.segments == [5, 3, 4]
    assert pack.target_N.tolist() == [7, 8, 9, 11, 12, 16]
    assert pack.source_N.tolist() == [1, 2, 3, 5, 6, 10]
    assert count_trained(ROWS) == 6


def test_a_soft_capped_head_is_not_plain(tiny_model_dir: Path) -> None:
    assert check_plain_head(load_tuned(tiny_model_dir))
    config = Gemma2Config(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        final_logit_softcapping=0.05,
    )
    torch.manual_seed(0)
    capped = AutoModelForCausalLM.from_config(config, attn_implementation=choose_attention(config))
    capped.requires_grad_(False)
    assert not check_plain_head(capped)


def test_only_the_adapter_is_optimized(tiny_model_dir: Path) -> None:
    model = load_tuned(tiny_model_dir)
    optimizer = build_optimizer(model.parameters(), 1e-2)
    trained = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    names = {name for name, parameter in model.named_parameters() if id(parameter) in trained}
    assert names
    assert all("lora_" in name for name in names)


def test_moments_in_8_bits_take_the_same_way(tiny_model_dir: Path) -> None:
    """bitsandbytes' optimizer against torch's, over steps that each would take; small tensors are equal to rounding."""
    pytest.importorskip("bitsandbytes", reason="the extra `4bit` is not installed")
    losses: dict[OptimizerName, list[float]] = {"adamw": [], "adamw8bit": []}
    for name, told in losses.items():
        model = load_tuned(tiny_model_dir)
        optimizer = build_optimizer(model.parameters(), 1e-2, name)
        for _ in range(5):
            loss = sum_loss(model, build_pack(ROWS, "cpu"), chunk=4)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            told.append(loss.item())
    assert losses["adamw8bit"] == pytest.approx(losses["adamw"], rel=1e-3)
    assert losses["adamw"][-1] < losses["adamw"][0]


def test_without_its_package_an_8_bit_optimizer_is_the_users_error(
    tiny_model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "find_spec", lambda name: None)
    with pytest.raises(ModelError) as caught:
        build_optimizer(load_tuned(tiny_model_dir).parameters(), 1e-2, "adamw8bit")
    assert caught.value.key == "model.no_bitsandbytes"
    assert "tuneproof[4bit]" in caught.value.hint("en")
