"""GGUF files: names, rows, types and settings as llama.cpp takes them; text cut as the run's tokenizer cuts it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    Gemma2Config,
    LlamaConfig,
    Qwen2Config,
    Qwen3Config,
)
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from tests.export.runs import build_qwen_tokenizer, save_adapter, save_qwen
from tests.export.test_merge import make_source
from tuneproof.errors import ModelError
from tuneproof.export.adapter import load_adapter
from tuneproof.export.gguf.families import (
    find_family,
    interleave_halves,
    make_rope_factors,
    read_rope_factors,
    read_settings,
    separate_halves,
)
from tuneproof.export.gguf.splitting import CL100K, GPT2, SPLITTINGS, find_splitting, make_cutter
from tuneproof.export.gguf.words import read_words
from tuneproof.export.gguf.write import write_lora, write_model
from tuneproof.export.merge import Merger
from tuneproof.export.parity.ggufs import GgufWords, load_model
from tuneproof.model.convert import convert_gguf
from tuneproof.model.find import count_weights

LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}


def make_backend(cutter: Any, **options: Any) -> Tokenizer:
    """A byte-level tokenizer that cuts as `cutter` does."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({letter: at for at, letter in enumerate(letters)}, [], **options))
    backend.pre_tokenizer = cutter
    return backend


def byte_level(*before: Any, regex: bool = True) -> Any:
    return pre_tokenizers.Sequence([*before, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=regex)])


@pytest.mark.parametrize(
    ("name", "cutter", "options"),
    [
        ("gpt-2", byte_level(), {}),
        ("smollm", byte_level(pre_tokenizers.Digits(individual_digits=True)), {}),
        (
            "llama-bpe",
            byte_level(pre_tokenizers.Split(Regex(CL100K), "isolated"), regex=False),
            {"ignore_merges": True},
        ),
        ("smaug-bpe", byte_level(pre_tokenizers.Split(Regex(CL100K), "isolated"), regex=False), {}),
        ("gpt-2", byte_level(pre_tokenizers.Split(Regex(GPT2), "isolated"), regex=False), {}),
    ],
)
def test_the_rule_is_found_by_trying(name: str, cutter: Any, options: dict[str, Any]) -> None:
    assert find_splitting(make_backend(cutter, **options)) == name


def test_qwens_rule_is_found_and_an_unknown_one_refused() -> None:
    assert find_splitting(build_qwen_tokenizer(300).backend_tokenizer) == "qwen2"
    with pytest.raises(ModelError, match="cut text otherwise"):
        find_splitting(make_backend(byte_level(pre_tokenizers.Whitespace())))


def test_the_sample_tells_all_rules_apart() -> None:
    from tuneproof.export.gguf.splitting import cut_sample

    cut = {name: tuple(cut_sample(make_cutter(rule))) for name, rule in SPLITTINGS.items()}
    same = {("llama-bpe", "smaug-bpe")}  # The same patterns; one ignores merges.
    names = sorted(cut)
    assert {(a, b) for a in names for b in names if a < b and cut[a] == cut[b]} == same


def test_rows_change_places_and_back() -> None:
    rows = torch.arange(8.0)[:, None]
    assert interleave_halves(rows, 2)[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    assert torch.equal(separate_halves(interleave_halves(rows, 2), 2), rows)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Qwen2Config, {"tie_word_embeddings": True}),
        (Qwen3Config, {"head_dim": 16}),
        (LlamaConfig, {"rope_parameters": LLAMA3, "tie_word_embeddings": True}),
        (
            LlamaConfig,
            {"attention_bias": True, "rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}},
        ),
    ],
)
def test_a_file_holds_the_models_settings_and_numbers(kind: Any, options: dict[str, Any], tmp_path: Path) -> None:
    base = save_qwen(tmp_path / "base", kind, **options)
    source = make_source(base, save_adapter(base, tmp_path / "adapter"))
    write_model(source, tmp_path / "m-F32.gguf", "f32", lambda: None)
    config, found = AutoConfig.from_pretrained(base), read_settings(tmp_path / "m-F32.gguf")
    for key in ("model_type", "num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads",
                "num_key_value_heads", "max_position_embeddings", "vocab_size", "tie_word_embeddings"):  # fmt: skip
        assert getattr(found, key) == getattr(config, key), key
    assert found.rms_norm_eps == pytest.approx(config.rms_norm_eps)
    merger = Merger(source, load_adapter(source.adapter))
    state = load_model(tmp_path / "m-F32.gguf", torch.float32).state_dict()
    for slot in merger.slots:
        assert torch.equal(state[slot.name], merger.read(slot)), slot.name


def test_a_file_is_converted_back_to_the_model_it_was_made_of(tiny_model_dir: Path, tmp_path: Path) -> None:
    """By what `--model FILE.gguf` converts with."""
    source = make_source(tiny_model_dir, save_adapter(tiny_model_dir, tmp_path / "adapter"))
    file = tmp_path / "m.gguf"
    write_model(source, file, "f32", lambda: None)
    convert_gguf(file, tmp_path / "back", count_weights(file))
    back = AutoModelForCausalLM.from_pretrained(tmp_path / "back").state_dict()
    merger = Merger(source, load_adapter(source.adapter))
    for slot in merger.slots:
        assert torch.equal(back[slot.name], merger.read(slot)), slot.name
    words, first = (AutoTokenizer.from_pretrained(place) for place in (tmp_path / "back", tiny_model_dir))
    assert words("the user asks\n 订单 12?").input_ids == first("the user asks\n 订单 12?").input_ids


def test_llama_3s_factors_are_those_of_transformers(tmp_path: Path) -> None:
    base = save_qwen(tmp_path / "base", LlamaConfig, rope_parameters=LLAMA3)
    config: Any = AutoConfig.from_pretrained(base)
    stretched, _ = ROPE_INIT_FUNCTIONS["llama3"](config, "cpu")
    plain = 1.0 / (500000.0 ** (torch.arange(0, 8, 2) / 8))
    factors = make_rope_factors(config)
    assert factors is not None
    torch.testing.assert_close(plain / torch.from_numpy(factors), stretched)
    assert factors.max() > 1
    write_model(make_source(base, save_adapter(base, tmp_path / "a")), tmp_path / "m.gguf", "f16", lambda: None)
    kept = read_rope_factors(tmp_path / "m.gguf")
    assert kept is not None
    assert kept.tolist() == factors.tolist()


@pytest.mark.parametrize("kind", ["f16", "bf16", "q8_0", "q5_0", "q4_0"])
def test_types_follow_llama_cpps_converter(kind: Any, qwen_dir: Path, tmp_path: Path) -> None:
    source = make_source(qwen_dir, save_adapter(qwen_dir, tmp_path / "adapter"))
    write_model(source, tmp_path / "m.gguf", kind, lambda: None)
    reader = gguf.GGUFReader(tmp_path / "m.gguf")
    types = {tensor.name: tensor.tensor_type.name.lower() for tensor in reader.tensors}
    assert types["blk.0.attn_norm.weight"] == types["blk.0.attn_q.bias"] == "f32"
    assert types["blk.0.attn_q.weight"] == kind
    assert types["output.weight"] == types["token_embd.weight"] == ("q8_0" if kind[:2] in ("q4", "q5") else kind)
    exact = load_model_error(source, reader)
    assert exact < {"f16": 1e-3, "bf16": 1e-2, "q8_0": 1e-2}.get(kind, 0.15)


def load_model_error(source: Any, reader: gguf.GGUFReader) -> float:
    """Largest error of a weight relative to the largest weight of its tensor."""
    merger = Merger(source, load_adapter(source.adapter))
    family = find_family(merger.config)
    tensors = {tensor.name: gguf.quants.dequantize(tensor.data, tensor.tensor_type) for tensor in reader.tensors}
    errors = []
    for slot in merger.slots:
        expected = family.arrange(slot.name, merger.read(slot)).numpy()
        errors.append(float(np.abs(tensors[family.rename(slot.name)] - expected).max() / np.abs(expected).max()))
    return max(errors)


def test_words_are_the_tokenizers(qwen_dir: Path, tmp_path: Path) -> None:
    source = make_source(qwen_dir, save_adapter(qwen_dir, tmp_path / "adapter"))
    write_model(source, tmp_path / "m.gguf", "f16", lambda: None)
    tokenizer, words = build_qwen_tokenizer(300), GgufWords(tmp_path / "m.gguf")
    assert words.tokens[-1] == "[PAD319]"
    assert words.values["tokenizer.ggml.add_bos_token"] is False
    assert words.values["tokenizer.chat_template"] == tokenizer.chat_template
    assert tokenizer.eos_token_id in words.ends
    for text in ("订单 12345 <tool_call>x</tool_call>", "<|im_start|>user\nIt's  ok\n\n", "🙂 naïve"):
        assert words.encode(text) == tokenizer(text, add_special_tokens=False)["input_ids"]


def test_sentencepiece_is_refused_with_the_way_out() -> None:
    tokenizer = build_qwen_tokenizer(300)
    tokenizer.backend_tokenizer.model.byte_fallback = True
    with pytest.raises(ModelError, match="SentencePiece") as caught:
        read_words(tokenizer, 320)
    assert "convert_hf_to_gguf.py" in caught.value.hint()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (Gemma2Config(), "gemma2"),
        (LlamaConfig(rope_parameters={"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0}), "yarn"),
        (Qwen2Config(use_sliding_window=True, sliding_window=64, max_window_layers=0), "sliding_window"),
    ],
)
def test_other_families_are_refused_with_the_way_out(config: Any, said: str) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        find_family(config)
    assert caught.value.exit_code == 2
    assert "--to merged" in caught.value.hint()


def test_the_adapter_file_is_what_llama_cpp_loads(qwen_dir: Path, tmp_path: Path) -> None:
    source = make_source(qwen_dir, save_adapter(qwen_dir, tmp_path / "adapter"))
    write_lora(source, tmp_path / "lora.gguf")
    reader = gguf.GGUFReader(tmp_path / "lora.gguf")
    fields = {key: field.contents() for key, field in reader.fields.items()}
    assert (fields["general.type"], fields["adapter.type"], fields["adapter.lora.alpha"]) == ("adapter", "lora", 8.0)
    names = {tensor.name for tensor in reader.tensors}
    assert {"blk.1.ffn_down.weight.lora_a", "blk.1.ffn_down.weight.lora_b"} <= names
    assert len(names) == 2 * 2 * 7
