"""Names come from a list; runs that cannot stand on it are refused before anything is loaded."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.serve.runs import make_run
from tuneproof.errors import RunError, TuneproofError, UsageError
from tuneproof.progress import Quiet
from tuneproof.records import Message, RunRecord
from tuneproof.rundir import RunDir
from tuneproof.serve.heavy import suggest_commands
from tuneproof.serve.load import open_served
from tuneproof.serve.names import list_names

HOSTILE = ["..", "first/../second", "%2e%2e", "C:\\", "CON", "first\0", "x" * 10_000, "first@", "first@-1", "first@1e1",
           "first@2.5", "first@0x1", "first@inf", "FIRST", " first", "base@0", "", "@", "first@٠"]  # fmt: skip


def test_what_is_not_on_the_list_is_nothing_and_opens_no_file(run_paths: list[Path]) -> None:
    names = list_names(run_paths)
    opened: list[Any] = []
    watching = True
    sys.addaudithook(lambda event, args: opened.append(args) if watching and event == "open" else None)
    assert [name for name in HOSTILE if names.find(name) is not None] == []
    watching = False
    assert opened == []


def test_scales_are_read(run_paths: list[Path]) -> None:
    names = list_names(run_paths)
    found = {name: names.find(name) for name in ("base", "second", "second@0.25", "second@2", "second@0")}
    assert {name: side and dict(side.scales) for name, side in found.items()} == {
        "base": {},
        "second": {1: 1.0},
        "second@0.25": {1: 0.25},
        "second@2": {1: 2.0},
        "second@0": {},
    }


def test_the_system_prompt_is_that_of_the_run_and_the_bases_that_of_all(tiny_model_dir: Path, tmp_path: Path) -> None:
    brief = make_run(tmp_path / "brief", tiny_model_dir, system_prompt="Be brief.")
    plain = make_run(tmp_path / "plain", tiny_model_dir)
    hello = [Message(role="user", content="Hello")]

    def open_with(model: str, *runs: RunDir) -> str | None:
        names = list_names([run.path for run in runs])
        side = names.find(model)
        assert side is not None
        first = names.complete(side, hello)[0]
        return first.content if first.role == "system" else None

    assert open_with("brief", brief, plain) == "Be brief."
    assert open_with("plain", brief, plain) is None
    assert open_with("base", brief, plain) is None
    assert open_with("base", brief) == "Be brief."
    named = [Message(role="system", content="Own."), *hello]
    names = list_names([brief.path])
    side = names.find("brief")
    assert side is not None
    assert names.complete(side, named) == named


def test_runs_that_cannot_be_served_are_refused(
    tiny_model_dir: Path, tiny_qwen_dir: Path, tmp_path: Path, run_paths: list[Path]
) -> None:
    def refused(kind: type[TuneproofError], key: str, *paths: Path) -> None:
        with pytest.raises(kind) as caught:
            list_names(paths)
        assert (caught.value.key, caught.value.where is not None) == (key, True)

    refused(RunError, "run.not_a_run", tmp_path)
    refused(UsageError, "serve.same_name", run_paths[0], run_paths[0])
    refused(UsageError, "serve.bad_name", make_run(tmp_path / "base", tiny_model_dir).path)
    refused(UsageError, "serve.bad_name", make_run(tmp_path / "a@1", tiny_model_dir).path)
    refused(UsageError, "serve.other_base", run_paths[0], make_run(tmp_path / "qwen", tiny_qwen_dir).path)
    bare = make_run(tmp_path / "bare", tiny_model_dir)
    (bare.adapter / "adapter_model.safetensors").unlink()
    refused(RunError, "run.missing", bare.path)
    assert list_names([make_run(tmp_path / "客服-1.2", tiny_model_dir).path]).runs[0].name == "客服-1.2"


def test_another_base_than_the_runs_is_not_served(tiny_model_dir: Path, tmp_path: Path) -> None:
    for field in ("base", "template"):
        run = make_run(tmp_path / f"other-{field}", tiny_model_dir)
        record = run.load(RunRecord)
        record.fingerprint[field] = "another"
        run.save(record)
        with pytest.raises(RunError) as caught, open_served([run.path], Quiet()):
            pass
        assert caught.value.key == "serve.not_its_base"


def test_commands_for_many_users_have_the_runs_paths(run_paths: list[Path], tiny_model_dir: Path) -> None:
    runs = list_names(run_paths).runs
    commands = suggest_commands(runs, str(tiny_model_dir))
    (vllm,) = commands["vllm"]
    # Rank 4: the smallest that vLLM has which is no smaller.
    assert f"vllm serve {tiny_model_dir} --served-model-name base --enable-lora --max-lora-rank 8" in vllm
    assert f"--lora-modules first={run_paths[0]}/adapter second={run_paths[1]}/adapter" in vllm
    assert json.loads((run_paths[0] / "adapter" / "adapter_config.json").read_text(encoding="utf-8"))["r"] == 4
    assert commands["llama-server"][0] == f"tuneproof export {run_paths[0]} --to gguf"
    assert commands["llama-server"][1].startswith(f"llama-server --model {run_paths[0]}/export/gguf/*-F16.gguf ")
    assert commands["ollama"][-1].startswith("ollama create first --file ")


def test_what_is_exported_already_is_not_exported_again(tiny_model_dir: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path / "first", tiny_model_dir)
    for place in ("gguf/first-F16.gguf", "gguf/first-lora-F32.gguf", "ollama/Modelfile"):
        (run.path / "export" / place).parent.mkdir(parents=True, exist_ok=True)
        (run.path / "export" / place).touch()
    commands = suggest_commands(list_names([run.path]).runs, str(tiny_model_dir))
    (llama,) = commands["llama-server"]
    assert f"--model {run.path}/export/gguf/first-F16.gguf " in llama
    (ollama,) = commands["ollama"]
    assert ollama.startswith("ollama create first")
