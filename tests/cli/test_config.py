"""`config show` and `config schema`: what they print can be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Call, make_run
from tuneproof.config import RunConfig
from tuneproof.config.load import list_keys, load_config
from tuneproof.messages.knobs import CHINESE


def test_what_is_shown_is_a_config_that_reads_back(call: Call) -> None:
    settings = [
        "data.system_prompt=a # b:\u2028 'c'",
        "lora.rank=8",
        "evaluate.scales=[1.0]",
        "data.columns={output: 回答}",
        "train.learning_rate=1e-5",
    ]
    shown = call("config", "show", *(word for setting in settings for word in ("--set", setting))).out
    Path("again.yaml").write_text(shown, encoding="utf-8")
    wanted, _ = load_config(None, settings)
    assert wanted.data.system_prompt == "a # b:\u2028 'c'"
    assert load_config(Path("again.yaml"))[0] == wanted


def test_every_value_has_its_source_and_its_help(call: Call) -> None:
    Path("run.yaml").write_text("train:\n  epochs: 2\n", encoding="utf-8")
    done = call("config", "show", "run.yaml", "--set", "lora.rank=8")
    lines = {line.strip() for line in done.out.splitlines()}
    assert "epochs: 2.0  # run.yaml:2. Passes over the rows." in lines
    assert "rank: 8  # --set. Rank." in lines
    assert "seed: 17  # default. Seed of split, order and initialisation." in lines
    told = json.loads(call("config", "show", "run.yaml", "--json").out)
    assert told["sources"]["train.epochs"] == "run.yaml:2"
    assert told["config"]["train"]["epochs"] == 2.0
    assert list(told["help"]) == list_keys()


def test_a_run_folder_shows_its_own_config(call: Call) -> None:
    make_run(Path("runs/first"), RunConfig.model_validate({"model": {"name": "demo"}}))
    assert '  name: "demo"  # runs/first/config.yaml:' in call("config", "show", "runs/first").out


def test_every_key_is_explained_in_chinese(call: Call) -> None:
    assert sorted(CHINESE) == sorted(list_keys())
    out = call("config", "show", "--lang", "zh").out
    assert all(line in out for line in CHINESE.values())
    assert yaml.safe_load(out)["train"]["seed"] == 17


def test_an_unknown_key_names_the_nearest(call: Call) -> None:
    done = call("config", "show", "--set", "train.learning_rat=1e-4")
    assert done.code == 2
    assert "Did you mean train.learning_rate?" in done.err


@pytest.mark.parametrize("flags", [(), ("--json",), ("--lang", "zh")])
def test_the_schema_is_json_schema_and_has_every_key(flags: tuple[str, ...], call: Call) -> None:
    schema = json.loads(call("config", "schema", *flags).out)
    assert next(iter(schema)) == "$schema"
    sections = {name.removesuffix("Section").lower(): kind for name, kind in schema["$defs"].items()}
    assert [f"{name}.{key}" for name in schema["properties"] for key in sections[name]["properties"]] == list_keys()
    assert sections["train"]["additionalProperties"] is False
