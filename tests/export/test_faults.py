"""Planted faults: what users meet as "it worked in training and talks garbage now" is caught by the proof."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import gguf
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.export.conftest import Redo
from tests.export.runs import make_finished_run
from tuneproof.errors import ExportError, RunError
from tuneproof.export.adapter import CONFIG, read_adapter_config
from tuneproof.export.gguf.write import write_model
from tuneproof.export.parity.child import hear
from tuneproof.export.source import BaseName, Source
from tuneproof.pipeline import ExportRequest
from tuneproof.pipeline.export import export_targets
from tuneproof.progress import Quiet
from tuneproof.records import Export
from tuneproof.rundir import RunDir

Spoil = Callable[[Path], None]


def failed(export: Export) -> set[str]:
    """Names of the checks that failed."""
    assert export.parity is not None
    assert export.parity.passed is all(proof.passed for proof in export.parity.proofs)
    return {check.name for proof in export.parity.proofs for check in proof.checks if not check.passed}


def edit_json(name: str, key: str, change: Callable[[object], object]) -> Spoil:
    """A spoiler that changes one key of a JSON file."""

    def spoil(folder: Path) -> None:
        content = json.loads((folder / name).read_text("utf-8"))
        content[key] = change(content[key])
        (folder / name).write_text(json.dumps(content), "utf-8")

    return spoil


def edit_gguf(pattern: str, key: str, value: float) -> Spoil:
    """A spoiler that changes one number of a GGUF file's metadata in place."""

    def spoil(folder: Path) -> None:
        (path,) = folder.glob(pattern)
        field = gguf.GGUFReader(path, "r+").fields[key]
        assert field.parts[field.data[0]][0] != value
        field.parts[field.data[0]][0] = value

    return spoil


def edit_template(folder: Path) -> None:
    """Another space after the role: what a wrong template of another tool looks like."""
    path = folder / "chat_template.jinja"
    text = path.read_text("utf-8")
    assert "assistant\\n" in text
    path.write_text(text.replace("assistant\\n", "assistant \\n"), "utf-8")


def double_begin(folder: Path) -> None:
    """A begin-of-text before a template that needs none."""
    path = folder / "chat_template.jinja"
    path.write_text("{{- '<|endoftext|>' }}" + path.read_text("utf-8"), "utf-8")


def test_what_is_not_spoilt_passes(redo: Redo) -> None:
    assert failed(redo("merged")) == set()


@pytest.mark.parametrize("target", ["merged", "peft"])
def test_a_missing_end_token(target: str, redo: Redo) -> None:
    assert "ends" in failed(redo(target, edit_json("generation_config.json", "eos_token_id", lambda _: 3)))


@pytest.mark.parametrize("target", ["merged", "peft"])
def test_a_changed_template(target: str, redo: Redo) -> None:
    assert {"template", "tokens"} <= failed(redo(target, edit_template))


def test_a_double_begin_of_text(redo: Redo) -> None:
    assert {"template", "tokens", "logits"} <= failed(redo("merged", double_begin))


def test_an_adapter_at_the_wrong_scale(redo: Redo, qwen_run: RunDir, qwen_dir: Path, tmp_path: Path) -> None:
    double = edit_json("adapter_config.json", "lora_alpha", lambda alpha: 2 * int(str(alpha)))
    assert failed(redo("peft", double)) >= {"logits"}
    wrong = tmp_path / "wrong"
    shutil.copytree(qwen_run.adapter, wrong)
    double(wrong)

    def merge_wrong(folder: Path) -> None:
        from tuneproof.export.merged import write_merged

        source = Source("desk", wrong, str(qwen_dir), None, BaseName("x", None), "float32", "none", "cpu")
        write_merged(source, folder, "float32", lambda: None)

    assert failed(redo("merged", merge_wrong)) >= {"logits"}


def test_a_base_of_another_revision(redo: Redo, qwen_dir: Path, tmp_path: Path) -> None:
    """The same shapes, other numbers: the run's adapter merged into it, or put beside it, answers otherwise."""
    other = tmp_path / "other"
    shutil.copytree(qwen_dir, other)
    weights = load_file(other / "model.safetensors")
    name = "model.layers.1.mlp.down_proj.weight"
    weights[name] += 0.02 * torch.randn(weights[name].shape, generator=torch.Generator().manual_seed(3))
    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    assert failed(redo("merged", check=False, base=str(other))) >= {"logits"}
    assert failed(redo("peft", check=False, base=str(other))) >= {"logits"}


@pytest.mark.parametrize(
    ("pattern", "key", "value", "check"),
    [
        ("*-F16.gguf", "tokenizer.ggml.add_bos_token", 1, "tokens"),
        ("*-F16.gguf", "tokenizer.ggml.eos_token_id", 7, "special"),
        ("*-F16.gguf", "qwen2.rope.freq_base", 5e5, "logits"),
        ("*-lora-F32.gguf", "adapter.lora.alpha", 16.0, "weights"),
    ],
)
def test_faults_of_a_gguf_file(pattern: str, key: str, value: float, check: str, redo: Redo) -> None:
    assert check in failed(redo("gguf", edit_gguf(pattern, key, value)))


def test_a_gguf_file_at_the_wrong_scale(redo: Redo, qwen_run: RunDir, qwen_dir: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    shutil.copytree(qwen_run.adapter, wrong)
    edit_json("adapter_config.json", "lora_alpha", lambda alpha: int(str(alpha)) // 2)(wrong)

    def write_wrong(folder: Path) -> None:
        source = Source("desk", wrong, str(qwen_dir), None, BaseName("x", None), "float32", "none", "cpu")
        write_model(source, folder / "desk-F16.gguf", "f16", lambda: None)

    assert failed(redo("gguf", write_wrong)) >= {"logits"}


def test_faults_of_a_modelfile(redo: Redo) -> None:
    def spoil(folder: Path) -> None:
        text = (folder / "Modelfile").read_text("utf-8")
        text = text.replace('PARAMETER stop "<|im_end|>"\n', "").replace("assistant\n", "assistant")
        (folder / "Modelfile").write_text(text, "utf-8")

    assert failed(redo("ollama", spoil)) >= {"ends", "template"}


def test_a_file_that_is_cut_off_is_told_in_one_line(redo: Redo) -> None:
    from tuneproof.export.parity.ask import ask_fresh

    def cut(folder: Path) -> None:
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(ExportError) as caught:
        redo("merged", cut, ask=ask_fresh)
    assert caught.value.exit_code == 7


def test_a_run_whose_base_has_changed_is_not_exported(qwen_dir: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(qwen_dir, base)
    run = make_finished_run(tmp_path / "run", base)
    (base / "config.json").write_text((base / "config.json").read_text("utf-8") + "\n", "utf-8")
    with pytest.raises(RunError, match="base"):
        export_targets(ExportRequest(run.path, ["peft"]), Quiet(), hear)


@pytest.mark.parametrize("content", ["{}", "[]", "3", '{"lora_alpha": "8"}', "[" * 100_000, ""])
def test_a_damaged_adapter_config_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / CONFIG).write_text(content, "utf-8")
    with pytest.raises(RunError) as caught:
        read_adapter_config(tmp_path)
    assert caught.value.key == "run.damaged"
