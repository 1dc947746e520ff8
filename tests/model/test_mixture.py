"""Adapters by row: each row gets what PEFT gives it alone, a row of the base the base's own bits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file

from tests.serve.runs import save_adapter
from tuneproof.errors import RunError
from tuneproof.model.hardware import DtypeName
from tuneproof.model.load import add_adapter, load_base, set_adapter
from tuneproof.model.mixture import MixedLinear, mount_adapters, read_adapter

# peft 0.21 asks for a property that transformers 5.23 has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")
IDS = torch.tensor([[5, 6, 7, 8, 9]])


@pytest.fixture
def folders(tiny_model_dir: Path, tmp_path: Path) -> list[Path]:
    """Two adapters of different ranks and layers."""
    return [
        save_adapter(tiny_model_dir, tmp_path / "one", rank=2, seed=1),
        save_adapter(tiny_model_dir, tmp_path / "two", rank=3, seed=2, targets=["q_proj", "down_proj"]),
    ]


def read_alone(base: Path, adapter: Path | None, scale: float = 1.0) -> torch.Tensor:
    """Logits by PEFT's own code, of one row."""
    model: Any = load_base(str(base), device="cpu", dtype="float32").model.eval()
    if adapter is not None:
        model = PeftModel.from_pretrained(model, str(adapter))
        for module in model.modules():
            if hasattr(module, "set_scale"):
                module.set_scale("default", scale)
    with torch.no_grad():
        return torch.as_tensor(model(input_ids=IDS).logits[0])


def test_each_row_is_what_peft_gives_it_alone(tiny_model_dir: Path, folders: list[Path]) -> None:
    model = load_base(str(tiny_model_dir), device="cpu", dtype="float32").model.eval()
    mixture = mount_adapters(model, [read_adapter(folder) for folder in folders], ["one", "two"])
    rows = [{}, {0: 1.0}, {1: 1.0}, {0: 0.5}, {1: 0.25}, {0: 0.0}]
    mixture.use(rows)
    with torch.no_grad():
        mixed = model(input_ids=IDS.repeat(len(rows), 1)).logits
    alone = [
        read_alone(tiny_model_dir, None),
        read_alone(tiny_model_dir, folders[0]),
        read_alone(tiny_model_dir, folders[1]),
        read_alone(tiny_model_dir, folders[0], 0.5),
        read_alone(tiny_model_dir, folders[1], 0.25),
        read_alone(tiny_model_dir, None),
    ]
    for row, (ours, theirs) in enumerate(zip(mixed, alone, strict=True)):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-5), row
    apart = [(a - b).abs().max() for at, a in enumerate(alone[:5]) for b in alone[:at]]
    assert min(apart) > 100 * max((ours - theirs).abs().max() for ours, theirs in zip(mixed, alone, strict=True))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_row_of_the_base_has_the_bases_bits_whatever_stands_beside_it(
    dtype: DtypeName, tiny_model_dir: Path, folders: list[Path]
) -> None:
    ids = IDS.repeat(3, 1)
    model = load_base(str(tiny_model_dir), device="cpu", dtype=dtype).model.eval()
    with torch.no_grad():
        before = model(input_ids=ids).logits
        mixture = mount_adapters(model, [read_adapter(folder) for folder in folders], ["one", "two"])
        mixture.use([{0: 1.0}, {}, {1: 0.0}])
        beside = model(input_ids=ids).logits
        mixture.use([{0: 0.0}] * 3, forced=True)
        off = model(input_ids=ids).logits
        mixture.use([{}] * 3)
        plain = model(input_ids=ids).logits
    assert torch.equal(beside[1:], before[1:])
    assert not torch.allclose(beside[0], before[0])
    assert torch.equal(off, before)
    assert torch.equal(plain, before)


def test_weights_of_the_base_are_not_touched_and_half_types_compute_as_the_run_did(
    tiny_model_dir: Path, folders: list[Path]
) -> None:
    model = load_base(str(tiny_model_dir), device="cpu", dtype="bfloat16").model.eval()
    before = {id(parameter): parameter.clone() for parameter in model.parameters()}
    mixture = mount_adapters(model, [read_adapter(folders[0])], ["one"])
    assert all(torch.equal(parameter, before[id(parameter)]) for parameter in model.parameters())
    layers = [module for module in model.modules() if isinstance(module, MixedLinear)]
    assert len(layers) == 14
    measured = add_adapter(
        load_base(str(tiny_model_dir), device="cpu", dtype="bfloat16").model,
        rank=2,
        alpha=4,
        dropout=0.0,
        targets="all-linear",
    ).eval()
    set_adapter(measured, folders[0])
    with torch.no_grad():
        expected = measured(input_ids=IDS).logits
        mixture.use([{0: 1.0}])
        ours = model(input_ids=IDS).logits
        mixture.use([{}])
        apart = (model(input_ids=IDS).logits - expected).abs().max()
    # Two steps of bfloat16 at most, where the adapter itself moves logits by far more.
    assert (ours - expected).abs().max() <= 2**-6 * expected.abs().max() < apart


def test_an_adapter_that_is_damaged_or_of_another_kind_is_refused(tiny_model_dir: Path, tmp_path: Path) -> None:
    folder = save_adapter(tiny_model_dir, tmp_path / "one", rank=2, seed=1)
    weights, config = folder / "adapter_model.safetensors", folder / "adapter_config.json"
    kept, facts = load_file(weights), json.loads(config.read_text(encoding="utf-8"))

    def refused(match: str) -> None:
        model = load_base(str(tiny_model_dir), device="cpu", dtype="float32").model
        with pytest.raises(RunError, match=match) as caught:
            mount_adapters(model, [read_adapter(folder)], [str(folder)])
        assert caught.value.key == "serve.bad_adapter"
        assert caught.value.where == str(folder)

    config.write_text(json.dumps({**facts, "use_dora": True}), encoding="utf-8")
    refused("use_dora")
    config.write_text("{", encoding="utf-8")
    refused("Expecting")
    config.write_text(json.dumps(facts), encoding="utf-8")
    name = next(name for name in kept if "lora_A" in name)
    save_file({**kept, name: torch.zeros(2, 7)}, weights)
    refused("another size")
    save_file({**kept, "base_model.model.lm_head.weight": torch.zeros(2)}, weights)
    refused("lm_head")
    save_file({other: value for other, value in kept.items() if "lora_A" in other}, weights)
    refused("two matrices")
    weights.write_bytes(b"damaged")
    refused("header")
