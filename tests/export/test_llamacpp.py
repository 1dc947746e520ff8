"""GGUF files in llama.cpp itself. Opt-in: `scripts/llamacpp FOLDER` builds it and runs this."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from transformers import LlamaConfig, Qwen2Config, Qwen3Config

from tests.export.runs import make_finished_run, save_qwen
from tests.export.test_faults import edit_gguf
from tests.export.test_gguf import LLAMA3
from tuneproof.export.parity.child import hear
from tuneproof.pipeline import ExportRequest
from tuneproof.pipeline.export import export_targets
from tuneproof.progress import Quiet
from tuneproof.records import Export
from tuneproof.rundir import RunDir

pytestmark = [
    pytest.mark.skipif(
        find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed: scripts/llamacpp FOLDER"
    ),
    pytest.mark.filterwarnings("ignore"),
]
MODELS: dict[str, tuple[Any, dict[str, Any]]] = {
    "qwen2": (Qwen2Config, {}),
    "qwen2-tied": (Qwen2Config, {"tie_word_embeddings": True}),
    "qwen3": (Qwen3Config, {"head_dim": 16}),
    "llama": (LlamaConfig, {"attention_bias": True}),
    "llama3": (LlamaConfig, {"rope_parameters": LLAMA3, "tie_word_embeddings": True}),
}


def export(run: RunDir, dtype: str | None = None, check: bool = False) -> Export:
    """The run's GGUF export, asked in this process."""
    return export_targets(ExportRequest(run.path, ["gguf"], dtype, check=check), Quiet(), hear)[0]


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.parametrize("dtype", ["f32", "f16", "q8_0"])
def test_model_and_adapter_answer_in_llama_cpp_as_the_run_did(name: str, dtype: str, tmp_path: Path) -> None:
    kind, options = MODELS[name]
    run = make_finished_run(tmp_path / "run", save_qwen(tmp_path / "base", kind, **options))
    parity = export(run, dtype).parity
    assert parity is not None
    assert [proof.reader for proof in parity.proofs] == ["llama.cpp", "llama.cpp"]
    # A random model is often undecided between two tokens: in 8 bits, and on the adapter's F16 base, answers may part.
    undecided = {"answers"} if dtype == "q8_0" else set()
    assert {check.name for proof in parity.proofs for check in proof.checks if not check.passed} <= undecided
    model, adapter = parity.proofs
    assert model.equal >= {"f32": 6, "f16": 5, "q8_0": 2}[dtype]
    assert adapter.equal >= 5
    assert min(model.prompts, adapter.prompts) > 100


@pytest.mark.parametrize(
    ("pattern", "key", "value", "check"),
    [
        ("*-F16.gguf", "tokenizer.ggml.add_bos_token", 1, "tokens"),
        ("*-F16.gguf", "qwen2.rope.freq_base", 5e5, "logits"),
        ("*-lora-F32.gguf", "adapter.lora.alpha", 16.0, "logits"),
    ],
)
def test_faults_are_caught_in_llama_cpp_too(pattern: str, key: str, value: float, check: str, tmp_path: Path) -> None:
    run = make_finished_run(tmp_path / "run", save_qwen(tmp_path / "base", Qwen2Config))
    export(run)
    edit_gguf(pattern, key, value)(run.path / "export" / "gguf")
    parity = export(run, check=True).parity
    assert parity is not None
    assert check in {one.name for proof in parity.proofs for one in proof.checks if not one.passed}
