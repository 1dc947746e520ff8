"""The plan before a run: how long it takes, on speeds that are remembered or probed; layers streamed as planned."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.test_chain import make_config, write_rows
from tuneproof.config import RunConfig
from tuneproof.config.load import load_settled
from tuneproof.errors import ConfigError, ModelError
from tuneproof.evals.task import spread_items
from tuneproof.model import hardware
from tuneproof.pipeline import RunRequest, plan_run, run_all
from tuneproof.pipeline.rehearsal import describe_items, describe_work
from tuneproof.pipeline.work import Work
from tuneproof.plan import pace
from tuneproof.progress import Quiet
from tuneproof.records import Plan
from tuneproof.rundir import RunDir
from tuneproof.training.dataset import encode_rows


@pytest.fixture
def config(tiny_model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunConfig:
    """A small run on the CPU, with a cache of its own and a short probe."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(pace, "PROBE", 0.02)
    config = make_config(write_rows(tmp_path / "rows.jsonl", 120), tiny_model_dir, languages=["en"])
    config.model.device = "cpu"
    return config


class Listening(Quiet):
    """Notes what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, key: str, **values: object) -> None:
        self.said.append(key)


def run_until_train(config: RunConfig, folder: Path) -> RunDir:
    return run_all(RunRequest(config.model_copy(deep=True), folder, command="", until="train"), Quiet())


def read_losses(run: RunDir) -> list[float]:
    return [event["loss"] for event in run.load_events() if event["kind"] == "step"]


def test_time_is_estimated_from_a_probe_then_from_what_a_run_measured(config: RunConfig, tmp_path: Path) -> None:
    probed = plan_run(config, Quiet())
    assert probed.time is not None
    assert (probed.time.estimated, probed.time.speeds, probed.time.cut) == (True, "probed", [])
    assert probed.seconds == pytest.approx(probed.time.seconds())
    run = run_until_train(config, tmp_path / "run")
    measured = run.load(Plan).time
    assert measured is not None
    assert (measured.estimated, measured.speeds) == (False, "measured")
    remembered = plan_run(config, Quiet()).time
    assert remembered is not None
    assert (remembered.estimated, remembered.speeds) == (True, "remembered")
    assert remembered.train_speed == pytest.approx(measured.train_speed)
    # The work is the same work, so that at the same speeds every stage takes as long.
    for stage in ("base", "replay", "train", "select", "tuned"):
        assert remembered.parts[stage] == pytest.approx(measured.parts[stage], rel=0.01)


def test_what_the_base_was_asked_is_not_counted_again(config: RunConfig, tmp_path: Path) -> None:
    run = run_until_train(config, tmp_path / "run")
    work = Work(run, load_settled(run.config), Quiet())
    tests, trained = work.row_items("test", None), work.row_items("train", None)
    many = len(tests) + len(trained)
    assert describe_items(work, tests).known(many) == 0.0  # As long as no base is loaded, it is not known which one.
    assert work.base.path
    assert describe_items(work, tests).known(many) == 1.0
    assert describe_items(work, [*tests, *trained]).known(many) == pytest.approx(len(tests) / many)
    assert describe_work(work, encode_rows(work.tokenizer, work.lessons)).replay.known(many) > 0.0
    assert describe_items(work, [item._replace(limit=item.limit + 1000) for item in tests]).known(many) < 1.0
    # A suite that was cut is known as far as it was asked: these are just those that are asked again.
    half = {item.id for item in spread_items(tests, len(tests) // 2)}
    cut = describe_items(work, [item if item.id in half else item._replace(limit=item.limit + 1000) for item in tests])
    assert cut.known(len(tests) // 2) > cut.known(many)


def test_a_time_limit_is_kept_before_the_run(config: RunConfig) -> None:
    config.train.max_steps, config.train.epochs = None, 50.0
    free = plan_run(config, Quiet())
    assert free.time is not None
    config.train.time_limit = free.time.spent + 0.5 * (free.time.seconds() - free.time.spent)
    limited = plan_run(config, Quiet())
    assert limited.time is not None
    assert limited.time.limit == config.train.time_limit
    assert any(one.startswith("epochs 50 -> ") for one in limited.time.cut)
    assert limited.steps < free.steps


def test_the_steps_of_replay_are_planned_before_and_in_a_run(config: RunConfig, tmp_path: Path) -> None:
    config.train.max_steps, config.train.epochs, config.replay.fraction = None, 1.0, 0.3
    ahead, run = plan_run(config, Quiet()), run_until_train(config, tmp_path / "run")
    alone = -(-len(run.load_rows("train")) // config.train.batch_size)
    assert ahead.steps == run.load(Plan).steps
    # This model's answers all loop, so none of the replay that is planned is kept.
    assert len(read_losses(run)) == alone < ahead.steps


def test_a_card_that_is_not_here_has_no_speed(config: RunConfig) -> None:
    config.model.device, config.memory.limit, config.train.time_limit = "auto", 6 * 10**9, 1200.0
    heard = Listening()
    plan = plan_run(config, heard)
    assert (plan.device, plan.time, plan.seconds) == ("cuda", None, None)
    assert "time.no_device" in heard.said


def test_a_run_with_streamed_layers_learns_what_a_resident_one_does(config: RunConfig, tmp_path: Path) -> None:
    resident = run_until_train(config, tmp_path / "resident")
    config.memory.offload = True
    streamed = run_until_train(config, tmp_path / "streamed")
    plan = streamed.load(Plan)
    assert plan.settings.offload
    assert plan.host_bytes > 0
    assert len(read_losses(streamed)) == 4
    assert read_losses(streamed) == read_losses(resident)


def test_what_needs_a_package_is_refused_before_anything_is_loaded(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "find_spec", lambda name: None)
    config.train.optimizer = "adamw8bit"
    with pytest.raises(ModelError) as caught:
        run_until_train(config, tmp_path / "run")
    assert (caught.value.key, caught.value.where) == ("model.no_bitsandbytes", "train.optimizer")
    config.train.optimizer, config.memory.offload, config.memory.quantization = None, True, "nf4"
    with pytest.raises(ConfigError) as refused:
        plan_run(config, Quiet())
    assert refused.value.where == "memory.offload"
