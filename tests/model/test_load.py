"""Models: loaded from safetensors, refused when they would run code; adapters switch and scale exactly."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from tuneproof.errors import ModelError
from tuneproof.model.load import (
    add_adapter,
    fingerprint_model,
    load_base,
    load_config,
    load_tokenizer,
    scale_adapter,
    set_adapter,
)
from tuneproof.model.rendering import SECONDS, prove_template


@pytest.fixture
def copied(tiny_model_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model_dir, tmp_path / "model"))


def edit_config(folder: Path, **values: object) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, **values}), encoding="utf-8")


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(ModelError) as caught:
        load_config("./no/such/model")
    assert caught.value.key == "model.no_folder"
    assert caught.value.exit_code == 2


def test_an_unknown_hub_name_is_an_error_and_no_traceback() -> None:
    with pytest.raises(ModelError) as caught:
        load_config("nobody/no-such-model-here")
    assert caught.value.key == "model.offline"


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"auto_map": {"AutoModelForCausalLM": "evil.Model"}}, "model.remote_code"),
        ({"_attn_implementation": "somebody/kernel"}, "model.remote_kernel"),
        ({"attn_implementation": "somebody/kernel"}, "model.remote_kernel"),
    ],
)
def test_a_config_that_would_run_code_is_refused(copied: Path, values: dict[str, object], key: str) -> None:
    edit_config(copied, **values)
    with pytest.raises(ModelError) as caught:
        load_base(str(copied), device="cpu", dtype="float32")
    assert caught.value.key == key


def test_pickled_weights_are_refused(copied: Path) -> None:
    (copied / "model.safetensors").unlink()
    torch.save({}, copied / "pytorch_model.bin")
    with pytest.raises(ModelError):
        load_base(str(copied), device="cpu", dtype="float32")


def test_a_tokenizer_without_a_template_is_refused(copied: Path) -> None:
    (copied / "chat_template.jinja").unlink()
    with pytest.raises(ModelError) as caught:
        load_tokenizer(str(copied))
    assert caught.value.key == "model.no_template"


def test_the_fingerprint_changes_with_the_weights(copied: Path) -> None:
    before = fingerprint_model(str(copied))
    assert before == fingerprint_model(str(copied))
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + b"\0")
    assert fingerprint_model(str(copied)) != before


def test_scale_interpolates_between_base_and_adapter(tiny_model_dir: Path, tmp_path: Path) -> None:
    base = load_base(str(tiny_model_dir), device="cpu", dtype="float32")
    ids = torch.tensor([[5, 6, 7]])
    with torch.no_grad():
        plain = base.model(input_ids=ids).logits
    model = add_adapter(base.model, rank=2, alpha=4, dropout=0.0, targets="all-linear").eval()
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.constant_(parameter, 0.05)
    model.save_pretrained(str(tmp_path / "adapter"))
    with torch.no_grad():
        tuned = model(input_ids=ids).logits
        assert not torch.allclose(tuned, plain)
        scale_adapter(model, 0.0)
        torch.testing.assert_close(model(input_ids=ids).logits, plain)
        set_adapter(model, tmp_path / "adapter", 0.5)
        half = model(input_ids=ids).logits
        set_adapter(model, tmp_path / "adapter")
        torch.testing.assert_close(model(input_ids=ids).logits, tuned)
        assert not torch.allclose(half, tuned)
        assert not torch.allclose(half, plain)
        with model.disable_adapter():
            assert torch.equal(model(input_ids=ids).logits, plain)


CANARY = """
import pathlib
pathlib.Path({place!r}).write_text("run")
"""


@pytest.mark.parametrize(
    ("file", "values", "key"),
    [
        ("config.json", {"text_config": {"_attn_implementation": "somebody/kernel"}}, "model.remote_kernel"),
        ("config.json", {"attn_implementation": {"text_config": "somebody/kernel"}}, "model.remote_kernel"),
        ("config.json", {"_experts_implementation": "somebody/kernel:v1"}, "model.remote_kernel"),
        ("config.json", {"vision": [{"auto_map": {"AutoModel": "evil.Model"}}]}, "model.remote_code"),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["evil.Tokenizer", None]}}, "model.remote_code"),
    ],
)
def test_code_that_any_file_names_is_refused_and_never_run(
    copied: Path, tmp_path: Path, file: str, values: dict[str, object], key: str
) -> None:
    canary = tmp_path / "canary"
    (copied / "evil.py").write_text(CANARY.format(place=str(canary)), encoding="utf-8")
    place = copied / file
    place.write_text(json.dumps({**json.loads(place.read_text(encoding="utf-8")), **values}), encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        load_base(str(copied), device="cpu", dtype="float32")
    assert (caught.value.key, caught.value.exit_code) == (key, 2)
    assert not canary.exists()


ENDLESS = "".join(f"{{% for {name} in range(99999) %}}" for name in "abc") + "{% endfor %}" * 3
HOSTILE = {
    "large": "{{ 'a' * 100000000 }}",
    "huge": "{{ 'a' * 100000000000 }}",
    "doubling": "{% set n = namespace(s='aaaaaaaaaa') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
    "escape": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "import": "{{ cycler.__init__.__globals__.os.system('true') }}",
    "long": "{# " + "x" * 300_000 + " #}",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_template_that_would_hang_or_fill_the_memory_or_get_out_is_refused(copied: Path, kind: str) -> None:
    good = (copied / "chat_template.jinja").read_text(encoding="utf-8")
    (copied / "chat_template.jinja").write_text(good + HOSTILE[kind], encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        load_tokenizer(str(copied))
    assert caught.value.key == "model.bad_template"


def test_a_template_that_never_ends_is_refused_in_time() -> None:
    with pytest.raises(ModelError) as caught:
        prove_template(ENDLESS, "here", seconds=1)
    assert (caught.value.key, caught.value.values["why"]) == ("model.bad_template", "> 1 s")
    assert SECONDS <= 10


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"model_type": 3}', b"\xff\xfe", b"[" * 100_000])
@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors"])
def test_a_damaged_file_of_a_model_is_the_user_s_error(copied: Path, file: str, content: bytes) -> None:
    (copied / file).write_bytes(content)
    try:
        load_base(str(copied), device="cpu", dtype="float32")
    except ModelError:
        return
    # What transformers can do without is no error.
    assert file == "tokenizer_config.json"


def test_what_is_remembered_of_a_template_is_its_own(copied: Path) -> None:
    load_tokenizer(str(copied))
    template = copied / "chat_template.jinja"
    template.write_text(template.read_text(encoding="utf-8") + HOSTILE["large"], encoding="utf-8")
    with pytest.raises(ModelError):
        load_tokenizer(str(copied))
