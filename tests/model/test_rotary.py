"""The rotation is transformers', forward and backward, and takes the place of no other."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, PhiConfig
from transformers.models.cohere.modeling_cohere import apply_rotary_pos_emb as rotate_pairs
from transformers.models.qwen2.modeling_qwen2 import apply_rotary_pos_emb

from tuneproof.model.load import enable_checkpointing
from tuneproof.model.rotary import fuse_rotary, is_plain_rotation, rotate_states


@pytest.mark.parametrize(("dtype", "close"), [(torch.float32, 1e-6), (torch.bfloat16, 2e-2)])
def test_states_and_gradients_are_those_of_transformers_function(dtype: torch.dtype, close: float) -> None:
    """Laid out as attention has them: heads beside each other in each token's memory. Halves turn differently."""
    torch.manual_seed(0)
    wanted = [torch.randn(1, 5, heads, 8).to(dtype).requires_grad_() for heads in (4, 2)]
    found = [one.detach().clone().requires_grad_() for one in wanted]
    cos, sin = (torch.randn(1, 5, 8).to(dtype) for _ in range(2))
    outer = [torch.randn(1, heads, 5, 8).to(dtype) for heads in (4, 2)]
    query, key = (one.transpose(1, 2) for one in found)
    turned = rotate_states(apply_rotary_pos_emb, query, key, cos, sin)
    plain = apply_rotary_pos_emb(*(one.transpose(1, 2) for one in wanted), cos, sin)
    torch.autograd.backward(turned, outer)
    torch.autograd.backward(plain, outer)
    torch.testing.assert_close(turned, plain, atol=close, rtol=close)
    torch.testing.assert_close([one.grad for one in found], [one.grad for one in wanted], atol=close, rtol=close)
    # Whatever comes next asks for a token's heads side by side: no copy is needed for it.
    assert all(one.transpose(1, 2).is_contiguous() for one in turned)


def test_a_function_that_turns_neighbours_is_left_alone() -> None:
    assert is_plain_rotation(apply_rotary_pos_emb)
    assert not is_plain_rotation(rotate_pairs)
    assert not is_plain_rotation(lambda query, key: (query, key))


def test_a_fused_model_trains_and_answers_as_before(tiny_qwen_dir: Path) -> None:
    model: Any = AutoModelForCausalLM.from_pretrained(tiny_qwen_dir)
    fused = copy.deepcopy(model)
    assert fuse_rotary(fused) == 2
    assert fuse_rotary(fused) == 0
    again = copy.deepcopy(fused)
    # The copy's layers are its own, not those of the model that it was made from.
    assert again.model.layers[0].self_attn.forward.__self__ is again.model.layers[0].self_attn
    enable_checkpointing(fused)
    ids = torch.arange(20)[None]
    for one in (model, fused, again):
        one.train()(input_ids=ids, labels=ids).loss.backward()
    for one in (fused, again):
        for name, weight in one.named_parameters():
            torch.testing.assert_close(weight.grad, model.get_parameter(name).grad, atol=1e-6, rtol=1e-5)
    said = [one.eval().generate(ids, max_new_tokens=8, do_sample=False).tolist() for one in (model, fused)]
    assert said[0] == said[1]


def test_where_a_part_of_a_head_turns_transformers_function_stays() -> None:
    """Phi hands only that part to the function; GLM's and StableLM's functions are found by what they compute."""
    sizes: dict[str, Any] = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    config = PhiConfig(vocab_size=64, pad_token_id=0, bos_token_id=1, eos_token_id=2, **sizes)
    model: Any = AutoModelForCausalLM.from_config(config).eval()
    ids = torch.arange(12)[None]
    with torch.no_grad():
        wanted = model(input_ids=ids).logits
        assert fuse_rotary(model) == 2
        torch.testing.assert_close(model(input_ids=ids).logits, wanted)
    query, cos = torch.randn(1, 2, 3, 8), torch.randn(1, 3, 4)
    with pytest.raises(ZeroDivisionError):
        rotate_states(lambda *_, **__: 1 / 0, query, query, cos, cos)  # type: ignore[arg-type]
