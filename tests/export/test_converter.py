"""The adapter's GGUF file against llama.cpp's own converter. Opt-in: TUNEPROOF_LLAMACPP names a folder of llama.cpp's
source, as `scripts/llamacpp FOLDER` leaves one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from transformers import LlamaConfig, Qwen2Config, Qwen3Config

from tests.export.runs import save_adapter, save_qwen
from tests.export.test_merge import make_source, merge_qwen
from tuneproof.export.gguf.write import write_lora, write_model

LLAMACPP = Path(os.environ.get("TUNEPROOF_LLAMACPP") or "-")
pytestmark = pytest.mark.skipif(
    not (LLAMACPP / "convert_lora_to_gguf.py").is_file(), reason="TUNEPROOF_LLAMACPP names no source of llama.cpp"
)
MODELS: dict[str, tuple[Any, dict[str, Any]]] = {
    "qwen2": (Qwen2Config, {}),
    "qwen3": (Qwen3Config, {"head_dim": 16}),
    "llama": (LlamaConfig, {"attention_bias": True}),
}


def convert(script: str, *arguments: str | Path) -> None:
    """Run one of llama.cpp's scripts."""
    line = [sys.executable, str(LLAMACPP / script), *map(str, arguments)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metadata and tensors."""
    reader = gguf.GGUFReader(path)
    fields = {key: field.contents() for key, field in reader.fields.items()}
    return fields, {tensor.name: tensor for tensor in reader.tensors}


@pytest.mark.parametrize("name", sorted(MODELS))
def test_the_adapter_is_what_llama_cpps_converter_writes(name: str, tmp_path: Path) -> None:
    kind, options = MODELS[name]
    base = save_qwen(tmp_path / "base", kind, **options)
    adapter = save_adapter(base, tmp_path / "adapter")
    write_lora(make_source(base, adapter), tmp_path / "ours.gguf")
    convert("convert_lora_to_gguf.py", "--base", base, "--outfile", tmp_path / "theirs.gguf", adapter)
    (own, ours), (other, theirs) = read(tmp_path / "ours.gguf"), read(tmp_path / "theirs.gguf")
    assert ours.keys() == theirs.keys()
    for tensor in theirs:
        assert ours[tensor].tensor_type == theirs[tensor].tensor_type
        assert np.array_equal(ours[tensor].data, theirs[tensor].data), tensor
    for key in ("general.architecture", "general.type", "adapter.type", "adapter.lora.alpha"):
        assert own[key] == other[key]


@pytest.mark.parametrize("name", sorted(MODELS))
def test_the_model_is_what_llama_cpps_converter_writes(name: str, tmp_path: Path) -> None:
    """Tensors and settings; words are compared where its table of hashes knows the tokenizer, so not here."""
    kind, options = MODELS[name]
    source = merge_qwen(tmp_path, kind, **options)
    write_model(source, tmp_path / "ours.gguf", "f16", lambda: None)
    patched = tmp_path / "convert.py"
    patched.write_text(
        f"import sys, runpy; sys.path.insert(0, {str(LLAMACPP)!r}); from conversion.base import TextModel\n"
        "TextModel.get_vocab_base_pre = lambda self, tokenizer: 'qwen2'\n"
        "def missing(self, *given): raise FileNotFoundError\n"  # It tries SentencePiece first, which these have not.
        "TextModel._set_vocab_sentencepiece = TextModel._set_vocab_llama_hf = missing\n"
        f"sys.argv[0] = {str(LLAMACPP / 'convert_hf_to_gguf.py')!r}\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n",
        encoding="utf-8",
    )
    convert(str(patched), "--outtype", "f16", "--outfile", tmp_path / "theirs.gguf", tmp_path / "merged")
    (own, ours), (other, theirs) = read(tmp_path / "ours.gguf"), read(tmp_path / "theirs.gguf")
    assert ours.keys() == theirs.keys()
    for tensor in theirs:
        assert np.array_equal(ours[tensor].data, theirs[tensor].data), tensor
    arch = other["general.architecture"]
    settings = {key for key in other if key.startswith(f"{arch}.")}
    assert {key: own.get(key) for key in settings} == {key: other[key] for key in settings}
    for key in ("tokens", "token_type", "merges", "pre", "model", "eos_token_id", "padding_token_id"):
        assert own[f"tokenizer.ggml.{key}"] == other[f"tokenizer.ggml.{key}"], key
