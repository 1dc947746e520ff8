"""The next round (`--from`): goes on from the adapter, counts against the first base, holds out nothing trained on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.pipeline.test_chain import make_config, write_rows
from tuneproof.config import RunConfig
from tuneproof.config.load import load_config
from tuneproof.errors import RunError, UsageError
from tuneproof.pipeline import RunRequest, resume_run, run_all
from tuneproof.pipeline.trials import Trial, run_trial
from tuneproof.pipeline.work import Work
from tuneproof.progress import Quiet
from tuneproof.records import RunRecord, Split, Verdict
from tuneproof.rundir import RunDir

WEIGHTS = "adapter_model.safetensors"
QUICK = {"checkpoints": 1, "scales": [1.0], "select_probes": 12, "drift_items": 4, "languages": ["en"]}


@pytest.fixture(scope="module")
def first(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    folder = tmp_path_factory.mktemp("onward")
    config = make_config(write_rows(folder / "rows.jsonl", 100), tiny_model_dir, **QUICK)
    config.lora.rank = 4
    return run_all(RunRequest(config, folder / "first", command="tuneproof run rows.jsonl"), Quiet())


def make_next(first: RunDir, rows: Path) -> RunConfig:
    """A plain config that goes on from a run; it names no model and no rank."""
    config = make_config(rows, Path("unused"), **QUICK)
    config.model.name, config.train.start_from = None, str(first.path)
    return config


def go_on(config: RunConfig, out: Path) -> RunDir:
    return run_all(RunRequest(config, out, command="tuneproof run --from", until="train"), Quiet())


def test_it_goes_on_from_the_weights_and_counts_against_the_first_base(first: RunDir, tmp_path: Path) -> None:
    config = make_next(first, first.path.parent / "rows.jsonl")
    config.train.learning_rate = 1e-9
    run = run_all(RunRequest(config, tmp_path / "second", command="tuneproof run --from"), Quiet())
    start, now = (load_file(place / WEIGHTS) for place in (first.adapter, run.checkpoints / "checkpoint-4"))
    scale = json.loads((first.adapter / "adapter_config.json").read_text(encoding="utf-8"))["lora_alpha"]
    alpha = load_config(run.config)[0].lora.alpha
    assert alpha is not None
    assert any(weight.any() for name, weight in start.items() if "lora_B" in name)
    for name, weight in start.items():
        kept = weight * (scale / alpha if "lora_B" in name else 1)
        assert torch.allclose(now[name], kept, atol=1e-7), name
    for suite in ("retention", "test"):
        assert run.load_answers("base", suite) == first.load_answers("base", suite)
    assert run.has(Verdict)
    assert load_config(run.config)[0].lora.rank == 4
    assert {row.id for row in run.load_rows("earlier")} == {row.id for row in first.load_rows("train")}


def test_a_scale_that_was_chosen_goes_into_the_weights(first: RunDir, tmp_path: Path) -> None:
    shutil.copytree(first.path, tmp_path / "scaled")
    scaled = RunDir(tmp_path / "scaled")
    place = scaled.adapter / "adapter_config.json"
    written = json.loads(place.read_text(encoding="utf-8"))
    alpha = load_config(first.config)[0].lora.alpha
    assert alpha is not None
    place.write_text(json.dumps({**written, "lora_alpha": alpha * 0.3}), encoding="utf-8")
    config = make_next(scaled, first.path.parent / "rows.jsonl")
    config.train.max_steps, config.train.learning_rate = 1, 1e-9
    run = go_on(config, tmp_path / "second")
    start, now = load_file(scaled.adapter / WEIGHTS), load_file(run.checkpoints / "checkpoint-1" / WEIGHTS)
    name = next(name for name in start if "lora_B" in name)
    assert torch.allclose(now[name], 0.3 * start[name], atol=1e-7)
    assert load_config(run.config)[0].lora.alpha == alpha


def test_the_folder_needs_the_earlier_run_no_more(first: RunDir, tmp_path: Path) -> None:
    shutil.copytree(first.path, tmp_path / "first")
    earlier = RunDir(tmp_path / "first")
    run = go_on(make_next(earlier, first.path.parent / "rows.jsonl"), tmp_path / "second")
    shutil.rmtree(earlier.path)
    resume_run(run.path, Quiet())
    assert run.has(Verdict)
    trial = run_trial(Work(run, load_config(run.config)[0], Quiet()), Trial("again", "seed", {"train.seed": 17}))
    step = "checkpoint-4"
    assert (trial.checkpoints / step / WEIGHTS).read_bytes() == (run.checkpoints / step / WEIGHTS).read_bytes()


def test_the_start_belongs_to_the_experiment(first: RunDir, tmp_path: Path) -> None:
    rows = first.path.parent / "rows.jsonl"
    shutil.copytree(first.path, tmp_path / "first")
    earlier = RunDir(tmp_path / "first")
    run = go_on(make_next(earlier, rows), tmp_path / "second")
    assert run.load(RunRecord).fingerprint["start"]
    weights = load_file(earlier.adapter / WEIGHTS)
    save_file({name: weight + 1 for name, weight in weights.items()}, earlier.adapter / WEIGHTS)
    with pytest.raises(RunError) as caught:
        go_on(make_next(earlier, rows), run.path)
    assert caught.value.key == "run.other"
    assert "start" in str(caught.value.values["differences"])


def test_another_base_or_another_shape_is_refused(first: RunDir, tiny_qwen_dir: Path, tmp_path: Path) -> None:
    rows = first.path.parent / "rows.jsonl"
    config = make_next(first, rows)
    config.model.name = str(tiny_qwen_dir)
    with pytest.raises(RunError) as caught:
        go_on(config, tmp_path / "second")
    assert caught.value.key == "start.other_base"
    config = make_next(first, rows)
    config.lora.rank = 8
    with pytest.raises(UsageError) as wrong:
        go_on(config, tmp_path / "second")
    assert (wrong.value.key, wrong.value.where) == ("start.other_shape", "lora.rank")
    with pytest.raises(UsageError, match="itself"):
        go_on(make_next(first, rows), first.path)
    shutil.copytree(first.path, tmp_path / "unfinished")
    shutil.rmtree(tmp_path / "unfinished" / "adapter")
    with pytest.raises(RunError) as missing:
        go_on(make_next(RunDir(tmp_path / "unfinished"), rows), tmp_path / "second")
    assert missing.value.key == "start.no_adapter"
    assert not (tmp_path / "second").exists()


def test_rows_of_an_earlier_round_are_not_held_out(first: RunDir, tmp_path: Path) -> None:
    config = make_next(first, first.path.parent / "rows.jsonl")
    config.train.seed, config.train.max_steps = 3, 1
    run = go_on(config, tmp_path / "second")
    trained = {row.id for row in first.load_rows("train")}
    held_out = {row.id for side in ("select", "test") for row in run.load_rows(side)}
    assert held_out
    assert not trained & held_out
    split = run.load(Split)
    assert split.sizes == {side: len(run.load_rows(side)) for side in ("train", "select", "test")}
    # Another seed alone would have held some of them out.
    plain = make_config(first.path.parent / "rows.jsonl", Path(str(load_config(first.config)[0].model.name)), **QUICK)
    plain.train.seed, plain.train.max_steps = 3, 1
    fresh = run_all(RunRequest(plain, tmp_path / "fresh", command="", until="train"), Quiet())
    assert trained & {row.id for row in fresh.load_rows("test")}


def test_a_test_file_loses_the_rows_that_were_trained_on(first: RunDir, tmp_path: Path) -> None:
    lines = (first.path.parent / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    known = {row.line for row in first.load_rows("train")}
    picked = [line for at, line in enumerate(lines, start=1) if at in known][:3]
    own = tmp_path / "own.jsonl"
    fresh = [json.dumps({"instruction": f"what of {n * 37} quinces", "output": f"quince {n}"}) for n in range(30)]
    own.write_text("\n".join([*fresh, *picked]) + "\n", encoding="utf-8")
    config = make_next(first, write_rows(tmp_path / "more.jsonl", 60))
    config.data.test, config.train.max_steps = str(own), 1
    run = go_on(config, tmp_path / "second")
    assert max(row.line for row in run.load_rows("test")) <= len(fresh)
