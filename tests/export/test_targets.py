"""Every target of a run is written, read back, and answers as the run did; nothing of this machine is in it."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from tests.export.conftest import TARGETS
from tuneproof.messages import use_language
from tuneproof.records import Export, Parity
from tuneproof.rundir import RunDir


@pytest.mark.parametrize("target", TARGETS)
def test_the_export_answers_as_the_run_did(target: str, exported: dict[str, Export]) -> None:
    parity = exported[target].parity
    assert parity is not None
    assert [check.name for proof in parity.proofs for check in proof.checks if not check.passed] == []
    assert parity.passed
    assert parity.proofs
    kept = Parity.model_validate_json((Path(exported[target].folder) / "parity.json").read_bytes())
    assert kept == parity


def test_merged_logits_are_those_of_the_adapter(exported: dict[str, Export]) -> None:
    parity = exported["merged"].parity
    assert parity is not None
    (proof,) = parity.proofs
    assert (proof.reader, proof.dtype, proof.computed_in) == ("transformers", "float32", "float32")
    assert proof.logit_error is not None
    assert 0 < proof.logit_error <= 1e-5
    assert proof.positions > proof.answers == proof.equal == 4
    assert proof.prompts > 100


@pytest.mark.parametrize("target", TARGETS)
def test_no_file_names_a_place_of_this_machine_or_can_carry_code(target: str, exported: dict[str, Export]) -> None:
    folder = Path(exported[target].folder)
    texts = [path for path in folder.rglob("*") if path.suffix in (".json", ".md", ".jinja", ".sh", "")]
    named = [path.name for path in texts if path.is_file() and str(folder.parents[2]) in path.read_text("utf-8")]
    assert named == []
    assert "/snapshots/" not in "".join(path.read_text("utf-8") for path in texts if path.is_file())
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".json", ".md", ".jinja", ".safetensors", ".gguf", ".sh", "", ".adapter"}


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_everyone_can_read_the_files(exported: dict[str, Export]) -> None:
    mask = os.umask(0)
    os.umask(mask)
    files = [path for target in TARGETS for path in Path(exported[target].folder).rglob("*") if path.is_file()]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files if path.suffix != ".sh"}
    assert {name: mode for name, mode in modes.items() if mode != 0o666 & ~mask} == {}


def test_the_adapter_folder_follows_pefts_conventions(exported: dict[str, Export], qwen_run: RunDir) -> None:
    folder = Path(exported["peft"].folder)
    config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    assert config["base_model_name_or_path"] == "Some/Qwen-tiny"
    assert config["revision"] == "0123456789abcdef0123456789abcdef01234567"
    assert (config["peft_type"], config["r"], config["lora_alpha"]) == ("LORA", 4, 8)
    names = {path.name for path in folder.iterdir()}
    assert {"adapter_model.safetensors", "tokenizer.json", "chat_template.jinja", "README.md", "parity.json"} <= names
    own, kept = (
        load_file(qwen_run.adapter / "adapter_model.safetensors"),
        load_file(folder / "adapter_model.safetensors"),
    )
    assert own.keys() == kept.keys()
    assert all(torch.equal(own[name], kept[name]) for name in own)


def test_the_card_is_filled(exported: dict[str, Export]) -> None:
    text = (Path(exported["peft"].folder) / "README.md").read_text("utf-8")
    head = yaml.safe_load(text.split("---")[1])
    assert head["base_model"] == "Some/Qwen-tiny"
    assert (head["library_name"], head["pipeline_tag"]) == ("peft", "text-generation")
    assert head["model-index"][0]["results"][0]["metrics"][0]["value"] == 0.66
    assert "More Information Needed" not in text
    for said in (
        "+52.0 to +69.0",
        "rank 4, alpha 8",
        "rows.jsonl",
        "vllm serve Some/Qwen-tiny",
        "ollama create",
    ):
        assert said in text
    assert "After training 9 of those answers were wrong" in text
    # What a model said stands as code: no terminal command, no markup.
    assert "\x1b" not in text
    assert "`[bold red]owned[/bold red] :warning: [2Jevil`" in text


def test_the_card_speaks_chinese(exported: dict[str, Export], qwen_run: RunDir, tmp_path: Path) -> None:
    from tuneproof.config.load import load_config
    from tuneproof.export.card import Facts, write_card
    from tuneproof.export.source import BaseName, Source

    config, _ = load_config(qwen_run.config, ())
    source = Source(
        "desk", qwen_run.adapter, "demo", None, BaseName("tiny", None, known=False), "float32", "none", "cpu"
    )
    use_language("zh")
    write_card(Facts(qwen_run, config, source), tmp_path, "adapter")
    text = (tmp_path / "README.md").read_text("utf-8")
    assert "忘记了什么" in text
    assert "base_model:" not in text


def test_the_end_tokens_of_the_template_are_in_the_generation_config(exported: dict[str, Export]) -> None:
    folder = Path(exported["merged"].folder)
    ends = json.loads((folder / "generation_config.json").read_text("utf-8"))["eos_token_id"]
    words = json.loads((folder / "tokenizer.json").read_text("utf-8"))["added_tokens"]
    assert "<|im_end|>" in {
        word["content"] for word in words if word["id"] in ([ends] if isinstance(ends, int) else ends)
    }


def test_lines_to_paste_name_the_export(exported: dict[str, Export]) -> None:
    assert "desk-F16.gguf" in exported["gguf"].commands[0]
    assert "--lora-modules desk=" in exported["vllm"].commands[0]
    assert "--revision 0123456789abcdef" in exported["vllm"].commands[0]
    assert any("vLLM: yes" in note for note in exported["vllm"].notes)
    assert any("qwen2" in note for note in exported["ollama"].notes)
