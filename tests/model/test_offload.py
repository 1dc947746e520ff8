"""Streamed layers give the very numbers of resident ones, with two blocks on the device at most."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import PeftModel
from torch import Tensor

from tests.model.test_step import load_tuned
from tuneproof.model.chat import Encoded
from tuneproof.model.generate import generate_answers
from tuneproof.model.load import add_adapter, enable_checkpointing, remove_adapter
from tuneproof.model.offload import list_blocks, offload_layers, stop_stream
from tuneproof.model.step import build_pack, get_base, sum_loss

ROWS = [Encoded(list(range(5, 29)), [False] * 9 + [True] * 15), Encoded([10, 11, 12], [False, True, True])]


def find_gradients(model: PeftModel) -> dict[str, Tensor]:
    model.zero_grad()
    loss = sum_loss(model, build_pack(ROWS, "cpu"), chunk=4)
    loss.backward()
    grads = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    return {"loss": loss.detach(), **grads}


@pytest.mark.parametrize("checkpointing", [False, True])
def test_gradients_are_those_of_resident_layers(tiny_qwen_dir: Path, checkpointing: bool) -> None:
    """Equal, bit for bit: the same products of the same numbers. Answers in between change nothing."""
    wanted = find_gradients(load_tuned(tiny_qwen_dir).train())
    model = load_tuned(tiny_qwen_dir).train()
    if checkpointing:
        enable_checkpointing(get_base(model))
    stream = offload_layers(model, "cpu")
    for _ in range(2):
        found = find_gradients(model)
        assert found.keys() == wanted.keys()
        assert all(torch.equal(found[name], wanted[name]) for name in wanted)
        generate_answers(model, [[5, 6, 7]], limits=[3], ends=[])
        assert len(stream.copied) <= 2


def test_no_more_than_two_blocks_are_there_and_no_other_can_be_used(tiny_model_dir: Path) -> None:
    model = load_tuned(tiny_model_dir).train()
    stream = offload_layers(model, "cpu")
    # Two layers are too few to see a third one go.
    stream.blocks, stream.kept = [*stream.blocks, *stream.blocks], [*stream.kept, *stream.kept]
    assert not any(weight.numel() for block in stream.blocks for weight in block)
    # Up, at the top back down (twice each, as recomputation asks), at the bottom up again.
    ways = ((0, {0, 1}), (1, {1, 2}), (2, {2, 3}), (3, {3, 2}), (2, {2, 1}), (2, {2, 1}), (1, {1, 0}), (0, {0, 1}))
    for at, there in ways:
        stream.use(at)
        assert stream.copied.keys() == there
    # Where nothing is to be differentiated, the way begins anew.
    with torch.no_grad():
        for at, there in ((1, {1, 2}), (2, {2, 3}), (3, {3, 0}), (0, {0, 1})):
            stream.use(at)
            assert stream.copied.keys() == there
    with pytest.raises(RuntimeError):
        find_gradients_without_hooks(load_and_drop(tiny_model_dir))


def load_and_drop(folder: Path) -> PeftModel:
    model = load_tuned(folder).train()
    offload_layers(model, "cpu")
    for module in model.modules():
        module._forward_pre_hooks.clear()
    return model


def find_gradients_without_hooks(model: PeftModel) -> Tensor:
    return sum_loss(model, build_pack(ROWS, "cpu"), chunk=4)


def test_the_base_is_as_it_was_while_answers_are_made(tiny_model_dir: Path) -> None:
    model = load_tuned(tiny_model_dir).train().eval()
    ids = torch.tensor([ROWS[0].ids])
    with torch.no_grad(), model.disable_adapter():
        before = model(input_ids=ids).logits
        stream = offload_layers(model, "cpu")
        assert torch.equal(model(input_ids=ids).logits, before)
    assert len(stream.copied) <= 2


def test_weights_come_back_whole_and_can_be_streamed_again(tiny_model_dir: Path) -> None:
    """As a run's trials do it: one base, one adapter after the other."""
    model = load_tuned(tiny_model_dir).train()
    kept = [weight.clone() for block in list_blocks(model) for weight in block]
    offload_layers(model, "cpu")
    find_gradients(model)
    base = get_base(model)
    remove_adapter(model)
    second = add_adapter(base, rank=4, alpha=8, dropout=0.0, targets="all-linear")
    there = [weight for block in list_blocks(second) for weight in block]
    assert all(torch.equal(one, other) for one, other in zip(there, kept, strict=True))
    wanted = find_gradients(second.train())
    offload_layers(second, "cpu")
    found = find_gradients(second)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    stop_stream(second)
    stop_stream(second)
    assert all(weight.numel() for block in list_blocks(second) for weight in block)
