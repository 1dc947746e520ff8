"""Our LoRA layers are PEFT's in value, gradient, names and on disk; they keep less and multiply less often."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from tuneproof.model.chat import Encoded
from tuneproof.model.load import add_adapter, enable_checkpointing, load_base, remove_adapter
from tuneproof.model.lora import LoraLinear
from tuneproof.model.step import build_pack, get_base, sum_loss

needs_bitsandbytes = pytest.mark.skipif(
    find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed: pip install tuneproof[4bit]"
)
ROWS = [
    Encoded(list(range(5, 29)), [False] * 9 + [True] * 15),
    Encoded([10, 11, 12], [False, True, True]),
]


def fill(model: PeftModel) -> PeftModel:
    """Give B values, else half of the gradients are zero."""
    generator = torch.Generator().manual_seed(3)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data = 0.1 * torch.randn(parameter.shape, generator=generator)
    return model


def load_both(
    folder: Path, dtype: Any = "float32", dropout: float = 0.0, quantization: Any = "none"
) -> tuple[PeftModel, PeftModel]:
    """The same adapter in our layers and in PEFT's own."""
    bases = [load_base(str(folder), device="cpu", dtype=dtype, quantization=quantization).model for _ in range(2)]
    torch.manual_seed(1)
    ours = add_adapter(bases[0], rank=2, alpha=6, dropout=dropout, targets="all-linear")
    torch.manual_seed(1)
    config = LoraConfig(r=2, lora_alpha=6, lora_dropout=dropout, target_modules="all-linear", task_type="CAUSAL_LM")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)
        theirs = get_peft_model(bases[1], config)
    assert isinstance(theirs, PeftModel)
    return fill(ours), fill(theirs)


def find_gradients(model: PeftModel) -> dict[str, Tensor]:
    model.train()
    loss = sum_loss(model, build_pack(ROWS, "cpu"), chunk=4)
    loss.backward()
    return {"loss": loss.detach(), **{name: p.grad for name, p in model.named_parameters() if p.grad is not None}}


def count_kept(model: PeftModel) -> int:
    """Bytes that autograd keeps for the backward pass of a step."""
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    model.train()
    with saved_tensors_hooks(note, lambda tensor: tensor):
        loss = sum_loss(model, build_pack(ROWS, "cpu"), chunk=4)
    assert loss.requires_grad
    return sum(kept.values())


def test_values_and_gradients_are_pefts(tiny_qwen_dir: Path) -> None:
    """fp32, to 1e-5; Qwen2 has biases on q, k and v."""
    ours, theirs = (find_gradients(model) for model in load_both(tiny_qwen_dir))
    assert ours.keys() == theirs.keys()
    assert len(ours) == 1 + 2 * 2 * 7
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-5, atol=1e-5)


@needs_bitsandbytes
@pytest.mark.parametrize("checkpointing", [False, True])
def test_on_weights_in_4_bits_too(tiny_qwen_dir: Path, checkpointing: bool) -> None:
    """Both multiply by what bitsandbytes dequantises; so the gradients are PEFT's, and differ from those in 32 bits."""
    ours, theirs = load_both(tiny_qwen_dir, quantization="nf4")
    assert {type(module).__name__ for module in ours.modules()} >= {"LoraLinear4bit", "Linear4bit"}
    assert "LoraLinear4bit" not in {type(module).__name__ for module in theirs.modules()}
    if checkpointing:
        enable_checkpointing(get_base(ours))
    found, wanted = find_gradients(ours), find_gradients(theirs)
    assert found.keys() == wanted.keys()
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], rtol=1e-5, atol=1e-5)
    whole = find_gradients(load_both(tiny_qwen_dir)[0])
    assert (whole["loss"] - found["loss"]).abs() > 1e-3


@needs_bitsandbytes
def test_in_4_bits_no_input_is_kept_in_fp32(tiny_qwen_dir: Path) -> None:
    ours, theirs = load_both(tiny_qwen_dir, "bfloat16", quantization="nf4")
    assert count_kept(ours) < 0.75 * count_kept(theirs)


def test_in_bfloat16_they_are_as_near_to_the_truth_as_pefts(tiny_model_dir: Path) -> None:
    """PEFT multiplies by the adapter in fp32, we in bf16; beside the rounding of all other products that is nothing."""
    truth = find_gradients(load_both(tiny_model_dir)[0])
    ours, theirs = (find_gradients(model) for model in load_both(tiny_model_dir, "bfloat16"))

    def miss(found: dict[str, Tensor]) -> float:
        return sum(float((found[name] - truth[name]).norm() / truth[name].norm()) for name in truth) / len(truth)

    assert miss(ours) < 1.25 * miss(theirs)
    assert miss(ours) < 0.05


def test_recomputed_activations_change_no_gradient(tiny_model_dir: Path) -> None:
    ours, theirs = load_both(tiny_model_dir)
    wanted = find_gradients(theirs)
    enable_checkpointing(get_base(ours))
    found = find_gradients(ours)
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], rtol=1e-5, atol=1e-5)


def test_nothing_stays_behind_between_steps(tiny_model_dir: Path) -> None:
    """Neighbours wait for each other with outputs in hand; after a step none may hold any."""
    model = load_both(tiny_model_dir)[0]
    enable_checkpointing(get_base(model))
    find_gradients(model)
    layers = [module for module in model.modules() if isinstance(module, LoraLinear)]
    assert len(layers) == 2 * 7
    shared = [layer.neighbours for layer in layers if layer.neighbours]
    assert len(shared) == 2 * 5
    assert all(one.x is None and not one.waiting for one in shared)


def test_no_input_is_kept_twice(tiny_model_dir: Path) -> None:
    """What autograd keeps in bf16: PEFT's forward keeps fp32 copies of every input."""
    ours, theirs = load_both(tiny_model_dir, "bfloat16")
    assert count_kept(ours) < 0.8 * count_kept(theirs)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_dropout_is_pefts(tiny_model_dir: Path, dropout: float) -> None:
    ours, theirs = load_both(tiny_model_dir, dropout=dropout)
    torch.manual_seed(5)
    found = find_gradients(ours)
    torch.manual_seed(5)
    wanted = find_gradients(theirs)
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], rtol=1e-5, atol=1e-5)


def test_switched_off_it_is_the_base_and_taken_off_it_is_gone(tiny_model_dir: Path) -> None:
    base = load_base(str(tiny_model_dir), device="cpu", dtype="float32").model
    ids = torch.tensor([ROWS[0].ids])
    with torch.no_grad():
        before = base(input_ids=ids).logits
        model = fill(add_adapter(base, rank=2, alpha=6, dropout=0.0, targets="all-linear"))
        assert not torch.equal(model(input_ids=ids).logits, before)
        with model.disable_adapter():
            assert torch.equal(model(input_ids=ids).logits, before)
        remove_adapter(model)
        assert torch.equal(base(input_ids=ids).logits, before)
    assert not any(isinstance(module, LoraLinear) for module in base.modules())


def test_any_peft_reader_gets_the_adapter(tiny_model_dir: Path, tmp_path: Path) -> None:
    ours, theirs = load_both(tiny_model_dir)
    ours.save_pretrained(str(tmp_path / "ours"))
    theirs.save_pretrained(str(tmp_path / "theirs"))
    first, second = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("ours", "theirs"))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    base = load_base(str(tiny_model_dir), device="cpu", dtype="float32").model
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)
        read = PeftModel.from_pretrained(base, tmp_path / "ours")
    ids = torch.tensor([ROWS[0].ids])
    torch.testing.assert_close(read(input_ids=ids).logits, ours.eval()(input_ids=ids).logits, rtol=1e-5, atol=1e-5)


def test_layers_in_other_hands_are_served_one_by_one(tiny_model_dir: Path) -> None:
    """A model that gives its neighbours different inputs gets each one's own product."""
    model = load_both(tiny_model_dir)[0].eval()
    layer: Any = get_base(model).model.layers[0].mlp
    x, y = torch.randn(3, 32), torch.randn(3, 32)
    gate, up = layer.gate_proj(x), layer.up_proj(y)
    with torch.no_grad():
        torch.testing.assert_close(gate, layer.gate_proj(x))
        torch.testing.assert_close(up, layer.up_proj(y))
