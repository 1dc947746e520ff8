"""Names of base models are found on every road, and what goes wrong on one of them says what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import errors as hub_errors

from tests.model.scope import serve_folder
from tuneproof.errors import ModelError
from tuneproof.model.find import convert_file, count_weights, explain_failure, fetch_modelscope, find_model
from tuneproof.model.load import fingerprint_model, load_config, load_tokenizer

SCRIPT = """
import json, sys
from tuneproof.errors import ModelError
from tuneproof.model.find import find_model
for name, weights in json.loads(sys.argv[1]):
    try:
        print(json.dumps(find_model(name, weights=weights)))
    except ModelError as error:
        print(json.dumps(error.key))
"""


def find_in_process(url: str, cache: Path, *asked: tuple[str, bool]) -> list[str]:
    """What `find_model` gives, or the key of its error, in a process of its own: the client reads its address once."""
    script = [sys.executable, "-c", SCRIPT, json.dumps(asked)]
    settings = {"MODELSCOPE_DOMAIN": url, "MODELSCOPE_ENDPOINT": url, "MODELSCOPE_CACHE": str(cache)}
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"} | settings
    done = subprocess.run(script, capture_output=True, text=True, encoding="utf-8", env=environment, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith('"')]


def test_a_model_of_modelscope_is_fetched_description_first_and_weights_when_they_are_needed(
    tiny_model_dir: Path, tmp_path: Path
) -> None:
    pytest.importorskip("modelscope", reason="modelscope is not installed: pip install 'tuneproof[modelscope]'")
    with serve_folder({"Qwen/tiny": tiny_model_dir}) as scope:
        names = [("modelscope:Qwen/tiny", False), ("modelscope:Qwen/tiny", True), ("modelscope:Qwen/gone", False)]
        first, second, gone = find_in_process(scope.url, tmp_path, *names)
    assert first == second
    assert "model.safetensors" in scope.asked
    assert scope.asked.index("config.json") < scope.asked.index("model.safetensors")
    assert len(scope.asked) == len(set(scope.asked))
    assert gone == "model.scope_missing"
    assert load_config(first).hidden_size == 32
    assert load_tokenizer(first).chat_template
    nowhere = find_in_process("http://127.0.0.1:9", tmp_path / "other", ("modelscope:Qwen/tiny", False))
    assert nowhere == ["model.scope_offline"]


def test_a_missing_package_of_modelscope_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuneproof.model.find.find_spec", lambda name: None)
    with pytest.raises(ModelError) as caught:
        fetch_modelscope("modelscope:Qwen/tiny")
    assert caught.value.key == "model.no_modelscope"
    assert "tuneproof[modelscope]" in caught.value.hint("zh")


def test_the_fingerprint_of_a_hubs_model_needs_no_network() -> None:
    assert fingerprint_model("modelscope:Qwen/tiny") != fingerprint_model("modelscope:Qwen/other")


def write_gguf(path: Path, model: Path) -> Path:
    """A GGUF file of one tensor: enough to be counted, too little to be a model."""
    import numpy as np
    from gguf import GGUFWriter

    writer = GGUFWriter(path, "llama")
    writer.add_tensor("token_embd.weight", np.zeros((4, 8), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_a_gguf_file_is_told_from_others_by_its_first_bytes(tiny_model_dir: Path, tmp_path: Path) -> None:
    file = write_gguf(tmp_path / "model.gguf", tiny_model_dir)
    assert count_weights(file) == 32
    other = tmp_path / "other.gguf"
    other.write_bytes(b"no model at all")
    for path, key in ((other, "model.no_gguf"), (file, "model.no_conversion")):
        with pytest.raises(ModelError) as caught:
            convert_file(path)
        assert (caught.value.key, caught.value.where) == (key, str(path))
    assert "it holds 32 weights, its header describes 6,6" in caught.value.message()


def test_the_demo_file_as_a_gguf_file_is_the_demo_model(demo_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Converted by the very call that has made the demo model, but for the count of weights it is held against."""
    from tuneproof.demo.model import find_gguf

    asked: list[tuple[Path, int]] = []

    def convert(file: Path, folder: Path, weights: int) -> None:
        asked.append((file, weights))
        folder.symlink_to(demo_model, target_is_directory=True)

    monkeypatch.setattr("tuneproof.model.find.run_conversion", convert)
    file = find_gguf()
    folder = convert_file(file)
    assert asked == [(file, 134_515_008)]
    assert find_model(str(file)) == str(folder) != str(demo_model)
    assert len(asked) == 1, "converted again"
    assert load_tokenizer(str(folder)).chat_template == load_tokenizer(str(demo_model)).chat_template


def test_a_folder_with_a_gguf_file_alone_names_that_file(tiny_model_dir: Path, tmp_path: Path) -> None:
    write_gguf(tmp_path / "small.gguf", tiny_model_dir)
    with pytest.raises(ModelError) as caught:
        find_model(str(tmp_path))
    assert caught.value.key == "model.only_gguf"
    assert "small.gguf" in caught.value.hint()


def raise_from(said: str, cause: Exception) -> OSError:
    """As transformers hands on what the hub's library raised."""
    try:
        raise OSError(said) from cause
    except OSError as error:
        return error


def hub_error(kind: type[hub_errors.HfHubHTTPError]) -> Exception:
    """An error of the hub's library without the answer that it was made of."""
    return kind.__new__(kind)


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (raise_from("You are trying to access a gated repo.", hub_error(hub_errors.GatedRepoError)), "model.gated"),
        (raise_from("not a valid identifier", hub_error(hub_errors.RepositoryNotFoundError)), "model.missing"),
        (raise_from("v9 is not", hub_error(hub_errors.RevisionNotFoundError)), "model.no_revision"),
        (raise_from("We couldn't connect", hub_errors.LocalEntryNotFoundError("gone")), "model.offline"),
        (ValueError("model type `new` but Transformers does not recognize this architecture."),
         "model.unknown_architecture"),
        (OSError("Error no file named model.safetensors found in directory x."), "model.no_safetensors"),
        (OSError("something else"), "model.cannot_load"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_each_failure_of_a_hub_has_its_own_way_out(error: Exception, key: str) -> None:
    told = explain_failure("owner/name", error)
    assert told.key == key
    assert told.hint("en") != told.hint("zh")
    assert "owner/name" in told.message()


def test_a_folder_without_safetensors_is_told_apart(tiny_model_dir: Path, tmp_path: Path) -> None:
    from tuneproof.model.load import load_base

    for file in tiny_model_dir.iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ModelError) as caught:
        load_base(str(tmp_path), device="cpu", dtype="float32")
    assert caught.value.key == "model.no_safetensors"
