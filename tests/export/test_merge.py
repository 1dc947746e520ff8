"""Merging: PEFT's own numbers, added in fp32 and cast once, a tensor at a time, on the weights as the run held them."""

from __future__ import annotations

import warnings
import weakref
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM, Gemma2Config

from tests.export.runs import save_adapter, save_qwen
from tuneproof.errors import ExportError, ModelError, RunError
from tuneproof.export.adapter import load_adapter
from tuneproof.export.merge import INDEX, Merger, Slot, list_quantized, order_name
from tuneproof.export.merged import write_merged
from tuneproof.export.shards import cast_once, write_shards
from tuneproof.export.source import BaseName, Source, name_base


def make_source(model: Path, adapter: Path, **changes: Any) -> Source:
    """A run's model by its folders alone."""
    source = Source("run", adapter, str(model), None, BaseName("org/base", None), "float32", "none", "cpu")
    return source._replace(**changes)


def merge_qwen(folder: Path, config_class: Any, **options: Any) -> Source:
    """The source of a random model of Qwen's kind with an adapter; `folder`/merged has both in one, in float32."""
    base = save_qwen(folder / "base", config_class, **options)
    source = make_source(base, save_adapter(base, folder / "adapter"))
    (folder / "merged").mkdir()
    write_merged(source, folder / "merged", "float32", lambda: None)
    return source


@pytest.fixture(scope="module")
def adapter(qwen_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_adapter(qwen_dir, tmp_path_factory.mktemp("adapter"))


@pytest.fixture(scope="module")
def by_peft(qwen_dir: Path, adapter: Path) -> dict[str, Tensor]:
    """What PEFT's `merge_and_unload` gives."""
    with warnings.catch_warnings():
        # peft 0.21 asks for a property that transformers 5.23 has renamed.
        warnings.filterwarnings("ignore", category=FutureWarning)
        model: Any = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(qwen_dir), adapter)
    return dict(model.merge_and_unload().state_dict())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_it_is_what_peft_merges_cast_once(
    dtype: Any, qwen_dir: Path, adapter: Path, by_peft: dict[str, Tensor], tmp_path: Path
) -> None:
    write_merged(make_source(qwen_dir, adapter), tmp_path, dtype, lambda: None)
    merged = load_file(tmp_path / "model.safetensors")
    assert merged.keys() == by_peft.keys()
    for name, tensor in merged.items():
        assert tensor.dtype == getattr(torch, dtype)
        # One unit in the last place: (alpha / r) B A is summed in another order.
        torch.testing.assert_close(
            tensor, by_peft[name].to(tensor.dtype), rtol=1e-2 if dtype != "float32" else 1e-5, atol=1e-6
        )
    assert AutoConfig.from_pretrained(tmp_path).dtype == getattr(torch, dtype)


def test_the_base_is_rounded_as_the_run_held_it(qwen_dir: Path, adapter: Path) -> None:
    merger = Merger(make_source(qwen_dir, adapter, dtype="bfloat16"), load_adapter(adapter))
    slot = next(slot for slot in merger.slots if slot.name.endswith("embed_tokens.weight"))
    disk = load_file(slot.file)[slot.name]
    assert torch.equal(merger.read(slot), disk.bfloat16().float())
    assert not torch.equal(merger.read(slot), disk)


def test_a_tied_head_is_not_written_twice(tmp_path: Path) -> None:
    from transformers import Qwen2Config

    base = save_qwen(tmp_path / "base", Qwen2Config, tie_word_embeddings=True)
    source = make_source(base, save_adapter(base, tmp_path / "adapter"))
    (tmp_path / "out").mkdir()
    write_merged(source, tmp_path / "out", "float32", lambda: None)
    assert "lm_head.weight" not in load_file(tmp_path / "out" / "model.safetensors")
    model: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert model.lm_head.weight is model.model.embed_tokens.weight


def test_shards_are_named_and_indexed_as_transformers_does(qwen_dir: Path, adapter: Path, tmp_path: Path) -> None:
    merger = Merger(make_source(qwen_dir, adapter), load_adapter(adapter))
    write_shards(tmp_path, merger.slots, torch.float32, merger.read, limit=40_000)
    files = sorted(path.name for path in tmp_path.glob("*.safetensors"))
    assert len(files) > 2
    assert files[0] == f"model-00001-of-{len(files):05d}.safetensors"
    assert (tmp_path / INDEX).is_file()
    (tmp_path / "config.json").write_text((qwen_dir / "config.json").read_text("utf-8"), "utf-8")
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path).state_dict()
    assert all(torch.equal(loaded[slot.name], merger.read(slot)) for slot in merger.slots)


def test_one_tensor_is_in_memory_at_a_time(qwen_dir: Path, adapter: Path, tmp_path: Path) -> None:
    merger = Merger(make_source(qwen_dir, adapter), load_adapter(adapter))
    alive: list[weakref.ref[Tensor]] = []

    def read(slot: Slot) -> Tensor:
        assert [ref for ref in alive if ref() is not None] == []
        tensor = merger.read(slot)
        alive.append(weakref.ref(tensor))
        return tensor

    write_shards(tmp_path, merger.slots, torch.bfloat16, read)
    assert len(alive) == len(merger.slots) > 20


@pytest.mark.skipif(
    find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed: pip install tuneproof[4bit]"
)
@pytest.mark.filterwarnings("ignore")
def test_a_base_in_four_bits_is_dequantised_as_it_was_held(qwen_dir: Path, adapter: Path) -> None:
    """Bit for bit what bitsandbytes has in the loaded model, and the adapter on top in fp32."""
    from bitsandbytes.functional import dequantize_4bit

    from tuneproof.model.load import load_base

    loaded = load_base(str(qwen_dir), device="cpu", dtype="bfloat16", quantization="nf4").model
    source = make_source(qwen_dir, adapter, dtype="bfloat16", quantization="nf4")
    bare, full = Merger(source, load_adapter(adapter)._replace(pairs={})), Merger(source, load_adapter(adapter))
    quantized = {name: module for name, module in loaded.named_modules() if type(module).__name__ == "Linear4bit"}
    assert quantized.keys() == list_quantized(bare.config)
    for slot in bare.slots:
        held: Any = quantized.get(slot.module) if slot.name.endswith(".weight") else None
        if held is None:
            assert torch.equal(bare.read(slot), loaded.state_dict()[slot.name].float())
            continue
        assert torch.equal(bare.read(slot), dequantize_4bit(held.weight.data, held.weight.quant_state).float())
        pair = full.adapter.pairs[slot.module]
        torch.testing.assert_close(full.read(slot), bare.read(slot) + pair.scaling * pair.b @ pair.a)


def test_another_base_is_refused(adapter: Path, tiny_model_dir: Path, tmp_path: Path) -> None:
    from transformers import Qwen2Config

    wide = save_qwen(tmp_path / "wide", Qwen2Config, head_dim=8)
    (tmp_path / "other").mkdir()
    source = make_source(wide, save_adapter(tiny_model_dir, tmp_path / "other"))
    broken = load_adapter(source.adapter)
    name, pair = next(iter(broken.pairs.items()))
    with pytest.raises(ModelError, match="does not fit"):
        Merger(source, broken._replace(pairs={name: pair._replace(b=pair.b[:-1])}))
    with pytest.raises(ModelError, match="does not fit"):
        Merger(source, broken._replace(pairs={"model.layers.9.mlp.up_proj": pair}))


@pytest.mark.parametrize(("key", "value"), [("use_dora", True), ("bias", "all"), ("modules_to_save", ["lm_head"])])
def test_what_is_no_plain_lora_is_refused(key: str, value: object, adapter: Path, tmp_path: Path) -> None:
    import json
    import shutil

    shutil.copytree(adapter, tmp_path / "a")
    path = tmp_path / "a" / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {key: value}), "utf-8")
    with pytest.raises(RunError, match=key):
        load_adapter(tmp_path / "a")


def test_rank_stabilised_scaling_is_alpha_over_the_root_of_the_rank(qwen_dir: Path, tmp_path: Path) -> None:
    pairs = load_adapter(save_adapter(qwen_dir, tmp_path, rank=4, use_rslora=True)).pairs
    assert {pair.scaling for pair in pairs.values()} == {4.0}


def test_a_number_that_does_not_fit_is_told() -> None:
    with pytest.raises(ExportError, match="65504"):
        cast_once(torch.tensor([1e6]), torch.float16, "x.weight")


def test_layers_come_in_their_order() -> None:
    assert sorted(["layers.10.a", "layers.2.a", "embed"], key=order_name) == ["embed", "layers.2.a", "layers.10.a"]


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (
            "hub/models--Qwen--Qwen2.5-0.5B-Instruct/snapshots/" + "a" * 40,
            BaseName("Qwen/Qwen2.5-0.5B-Instruct", "a" * 40),
        ),
        ("modelscope/hub/models/Qwen/Qwen2___5-0___5B-Instruct", BaseName("Qwen/Qwen2.5-0.5B-Instruct", None)),
        ("my/model", BaseName("model", None, known=False)),
    ],
)
def test_a_folder_goes_by_its_hub_id(place: str, name: BaseName, tmp_path: Path) -> None:
    (tmp_path / place).mkdir(parents=True)
    assert name_base(str(tmp_path / place), None) == name
    assert name_base(str(tmp_path / place), None, "org/name@abc") == BaseName("org/name", "abc")


def test_models_without_safetensors_are_told(adapter: Path, tmp_path: Path) -> None:
    Gemma2Config().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="safetensors"):
        Merger(make_source(tmp_path, adapter), load_adapter(adapter))
