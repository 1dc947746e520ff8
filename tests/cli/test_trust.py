"""A model that brings code: refused, and none of it run, unless the command line says so; then one like others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.faults.test_quiet import SMALL
from tests.pipeline.test_chain import write_rows
from tuneproof.consent import allows_code, trusting_code
from tuneproof.errors import ModelError
from tuneproof.model.load import fingerprint_model, load_config, load_tokenizer
from tuneproof.model.store import describe_weights
from tuneproof.model.trust import vet_folder

CONFIG = """
from collections.abc import Mapping
from pathlib import Path
from transformers import LlamaConfig

Path({canary!r}).touch()

class RowanConfig(LlamaConfig):
    model_type = "rowan"
"""
MODEL = """
from transformers import LlamaForCausalLM
from .configuration_rowan import RowanConfig

class RowanForCausalLM(LlamaForCausalLM):
    config_class = RowanConfig
"""
CODE = {"AutoConfig": "configuration_rowan.RowanConfig", "AutoModelForCausalLM": "modeling_rowan.RowanForCausalLM"}
# Each command in the one process that has loaded the libraries; a name of a file instead: it is changed then.
CALLS = """
import contextlib, io, json, sys
from collections.abc import Mapping
from pathlib import Path
from tuneproof.cli import run_command
told = []
for command in json.loads(sys.argv[2]):
    if isinstance(command, str):
        Path(command).write_text(Path(command).read_text() + "# another model\\n")
        continue
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        code = run_command(command)
    told.append([code, said.getvalue(), Path(sys.argv[1]).exists()])
print(json.dumps(told), file=sys.__stdout__)
"""


class Rowan(NamedTuple):
    """A tiny model whose architecture only its own code knows, and the file that this code makes when it runs."""

    folder: Path
    canary: Path


def name_code(folder: Path, code: Mapping[str, object]) -> None:
    place = folder / "config.json"
    described = json.loads(place.read_text(encoding="utf-8"))
    place.write_text(json.dumps({**described, "model_type": "rowan", "auto_map": code}), encoding="utf-8")


@pytest.fixture
def rowan(tiny_model_dir: Path, tmp_path: Path) -> Rowan:
    made = Rowan(Path(shutil.copytree(tiny_model_dir, tmp_path / "rowan")), tmp_path / "canary")
    (made.folder / "configuration_rowan.py").write_text(CONFIG.format(canary=str(made.canary)), encoding="utf-8")
    (made.folder / "modeling_rowan.py").write_text(MODEL, encoding="utf-8")
    name_code(made.folder, CODE)
    return made


class Outcome(NamedTuple):
    """How a command ended."""

    code: int
    said: str
    has_run: bool
    """Whether the model's code has been run by then."""


def call(rowan: Rowan, *commands: list[str] | str) -> list[Outcome]:
    """Do the commands, one after another."""
    done = subprocess.run(
        [sys.executable, "-c", CALLS, str(rowan.canary), json.dumps(commands)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        # transformers copies such code into a folder of its own before it runs it.
        env={**os.environ, "HF_MODULES_CACHE": str(rowan.canary.with_name("modules")), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return [Outcome(*told) for told in json.loads(done.stdout.splitlines()[-1])]


def test_code_is_run_by_the_flag_alone_and_counts_as_a_part_of_the_model(rowan: Rowan, tmp_path: Path) -> None:
    run, rows = tmp_path / "run", write_rows(tmp_path / "rows.jsonl", 110)
    knobs = [part for key, value in SMALL.items() for part in ("--set", f"{key}={value}")]
    start = ["run", str(rows), "--model", str(rowan.folder), "--out", str(run), *knobs]
    again, flag = ["resume", str(run)], "--trust-remote-code"
    without, begun, resumed, forgotten, changed = call(
        rowan, start, [*start, flag], [*again, flag], again, str(rowan.folder / "modeling_rowan.py"), [*again, flag]
    )
    assert (without.code, without.has_run) == (2, False)
    assert flag in without.said
    assert (begun.code, begun.has_run) == (0, True), begun.said
    assert "Warning: the model's own Python code will run" in begun.said
    assert (run / "report.html").is_file()
    assert resumed.code == 0, resumed.said
    # What was allowed once is asked for again, and is written down nowhere.
    assert forgotten.code == 2
    assert "trust" not in (run / "config.yaml").read_text(encoding="utf-8")
    assert changed.code == 6, changed.said


def test_code_of_another_repository_is_never_fetched(rowan: Rowan) -> None:
    with pytest.raises(ModelError) as caught:
        vet_folder("rowan", rowan.folder)
    assert caught.value.key == "model.remote_code"
    for code in (
        {**CODE, "AutoModelForCausalLM": "somebody/else--modeling_rowan.Rowan"},
        {"AutoTokenizer": ["a/b--c.D"]},
    ):
        name_code(rowan.folder, code)
        with trusting_code(), pytest.raises(ModelError) as caught:
            vet_folder("rowan", rowan.folder)
        assert caught.value.key == "model.code_elsewhere"
    assert not allows_code()
    assert not rowan.canary.exists()


def test_what_a_hub_s_model_names_is_looked_at_before_any_of_it_runs(
    rowan: Rowan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_code(rowan.folder, {**CODE, "AutoModelForCausalLM": "somebody/else--modeling_rowan.Rowan"})
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    kept = tmp_path / "hub" / "models--Some--Rowan"
    shutil.copytree(rowan.folder, kept / "snapshots" / ("1" * 40))
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("1" * 40, encoding="utf-8")
    for load in (load_config, load_tokenizer):
        with trusting_code(), pytest.raises(ModelError) as caught:
            load("Some/Rowan")
        assert caught.value.key == "model.code_elsewhere"
    with pytest.raises(ModelError):
        load_config("Some/Rowan")
    assert not rowan.canary.exists()


def test_an_attention_kernel_is_never_fetched(rowan: Rowan) -> None:
    place = rowan.folder / "config.json"
    described = json.loads(place.read_text(encoding="utf-8"))
    place.write_text(json.dumps({**described, "_attn_implementation": "somebody/kernel"}), encoding="utf-8")
    with trusting_code(), pytest.raises(ModelError) as caught:
        vet_folder("rowan", rowan.folder)
    assert caught.value.key == "model.remote_kernel"


def test_a_model_with_other_code_is_another_one(rowan: Rowan) -> None:
    before = fingerprint_model(str(rowan.folder)), describe_weights(str(rowan.folder))
    (rowan.folder / "modeling_rowan.py").write_text(MODEL + "\n", encoding="utf-8")
    assert fingerprint_model(str(rowan.folder)) != before[0]
    assert describe_weights(str(rowan.folder)) != before[1]
