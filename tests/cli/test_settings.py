"""Flags, settings and files become one config; rows and model are asked for before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Call, FakePipeline
from tuneproof.cli.options import ConfigOptions
from tuneproof.cli.run import ChainOptions
from tuneproof.cli.settings import gather_config, name_run, require_rows
from tuneproof.config import RunConfig
from tuneproof.errors import ConfigError, UsageError


def write(name: str, text: str) -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def test_flags_become_keys_of_the_config() -> None:
    options = ChainOptions(data=["a.jsonl", "2024"], model="123", test="null", memory="6GB", time="20min", device="cpu")
    config = gather_config(options)
    assert (config.data.files, config.model.name, config.data.test) == (["a.jsonl", "2024"], "123", "null")
    assert (config.memory.limit, config.train.time_limit, config.model.device) == (6_000_000_000, 1200.0, "cpu")


def test_a_flag_beats_a_setting_beats_the_file_beats_a_default() -> None:
    path = write("run.yaml", "model: {name: file}\ntrain: {epochs: 2, batch_size: 4}\n")
    options = ChainOptions(config=path, settings=["model.name=setting", "train.epochs=3"], model="flag")
    config = gather_config(options, {"train.epochs": 9.0, "train.batch_size": 9, "train.seed": 9})
    assert config.model.name == "flag"
    assert (config.train.epochs, config.train.batch_size, config.train.seed) == (3, 4, 9)


def test_every_fault_is_told_at_once() -> None:
    path = write("run.yaml", "train:\n  epochz: 2\n")
    with pytest.raises(ConfigError) as caught:
        gather_config(ConfigOptions(config=path, settings=["lora.rank=x", "lora.alfa=2"]))
    assert len(caught.value.faults) == 3
    assert "run.yaml:2" in str(caught.value)


@pytest.mark.parametrize(
    ("file", "model", "name"),
    [
        ("data/Rows 1.jsonl", "Qwen/Qwen2.5-0.5B-Instruct", "rows-1-qwen2.5-0.5b-instruct"),
        ("data/rows.jsonl.gz", "demo", "rows-demo"),
        ("客服问答.json", "/models/tiny/", "客服问答-tiny"),
        ("../data/", r"C:\models\tiny", "data-tiny"),
        ("...", "??", "run-run"),
        ("-", "demo", "stdin-demo"),
        ("rows.xlsx", "demo", "rows-demo"),
        ("owner/name@v1:train", "demo", "name-v1-train-demo"),
    ],
)
def test_a_run_is_named_after_data_and_model(file: str, model: str, name: str) -> None:
    config = RunConfig.model_validate({"data": {"files": [file]}, "model": {"name": model}})
    assert name_run(config) == Path("runs") / name


@pytest.mark.parametrize("command", ["run", "check", "plan"])
def test_a_missing_file_is_a_usage_error_and_nothing_is_made(
    command: str, call: Call, pipeline: FakePipeline, tmp_path: Path
) -> None:
    done = call(command, "missing.jsonl", "--model", "demo")
    assert done.code == 2
    assert "missing.jsonl: There is no such file" in done.err
    assert not pipeline.configs
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["run", "check", "plan"])
def test_without_data_nothing_begins(command: str, call: Call, pipeline: FakePipeline) -> None:
    done = call(command, "--model", "demo")
    assert (done.code, pipeline.configs) == (2, [])
    assert "No data file" in done.err


@pytest.mark.parametrize("command", ["run", "plan"])
def test_without_a_model_nothing_begins(command: str, rows: str, call: Call, pipeline: FakePipeline) -> None:
    done = call(command, rows)
    assert (done.code, pipeline.configs) == (2, [])
    assert "--model" in done.err


def test_the_own_test_file_must_be_there_too(rows: str, call: Call, pipeline: FakePipeline) -> None:
    done = call("run", rows, "--model", "demo", "--test", "gone.jsonl")
    assert done.code == 2
    assert "gone.jsonl" in done.err


def test_an_unknown_key_names_the_nearest(rows: str, call: Call, pipeline: FakePipeline) -> None:
    done = call("run", rows, "--model", "demo", "--set", "train.epochz=2", "--set", "lora.rnk=4")
    assert done.code == 2
    assert "Did you mean train.epochs?" in done.err
    assert "Did you mean lora.rank?" in done.err


def test_a_bad_amount_names_its_option(rows: str, call: Call, pipeline: FakePipeline) -> None:
    done = call("plan", rows, "--model", "demo", "--memory", "6")
    assert done.code == 2
    assert "--memory" in done.err
    assert "6GiB" in done.err


def test_a_pipe_and_a_data_set_need_not_be_files() -> None:
    """What is no file and cannot be a data set either is told before anything is made."""
    for name in ("-", "owner/name", "owner/name@main:train"):
        require_rows(RunConfig.model_validate({"data": {"files": [name]}}))
    for name in ("rows.jsonl", "data/rows.jsonl", "-.jsonl", "a/b/c"):
        with pytest.raises(UsageError):
            require_rows(RunConfig.model_validate({"data": {"files": [name]}}))
