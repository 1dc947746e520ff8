"""The cure on a tiny model: what is tried in which order, and what is adopted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.curing import FORGETS, SHIPS, UNREAL, Script, read_cure, snapshot
from tests.pipeline.test_chain import make_config
from tests.pipeline.test_trials import QUICK, WEIGHTS, Ear, read_weights, stages_started
from tuneproof.config.load import load_config
from tuneproof.errors import TrainingError
from tuneproof.pipeline import (
    AnswerRequest,
    RunRequest,
    answer_file,
    compare_runs,
    cure,
    report_run,
    resume_run,
    run_all,
)
from tuneproof.pipeline.trials import Trial, begin_trial, run_trial
from tuneproof.pipeline.work import Work
from tuneproof.progress import Quiet
from tuneproof.records import RunRecord, Selection, Trials, Verdict
from tuneproof.rundir import RunDir
from tuneproof.training.checkpoint import list_checkpoints


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    return Script(monkeypatch)


@pytest.fixture
def again(forgetful: RunDir, tmp_path: Path) -> Callable[..., RunDir]:
    """Run the same command in a copy of that run's folder, with further runs asked for."""

    def perform(ear: Quiet | None = None, **asked: object) -> RunDir:
        if not (tmp_path / "run").exists():
            shutil.copytree(forgetful.path, tmp_path / "run")
        own, _ = load_config(forgetful.config)
        config = make_config(Path(own.data.files[0]), Path(str(own.model.name)), **QUICK)
        for key, value in {"cure": True, **asked}.items():
            setattr(config.trials, key, value)
        return run_all(RunRequest(config, tmp_path / "run", command="tuneproof run rows.jsonl"), ear or Quiet())

    return perform


def test_a_smaller_scale_that_ships_becomes_the_run_and_the_first_attempt_stays_whole(
    forgetful: RunDir, again: Callable[..., RunDir], script: Script
) -> None:
    script.verdicts, ear = [SHIPS], Ear()
    run = again(ear)
    told = read_cure(run)
    assert [(one.name, one.look, one.decision) for one in told.remedies] == [("cure-scale", 2, "ship")]
    assert (told.adopting, told.adopted, told.reason, told.looks) == (None, "cure-scale", "cure.ships", 2)
    assert "second look at the test rows" in told.told("en")[0]
    remedy, trial = told.remedies[0], RunDir(run.trials / "cure-scale")
    assert (remedy.checkpoint, remedy.scale, remedy.probes) == (4, 0.5, 12)
    # The run is the remedy's now, and its checkpoints were not trained again.
    assert (run.load(Verdict).decision, run.load(Selection).scale) == ("ship", 0.5)
    assert run.load(Selection).reason == "select.remedy"
    assert snapshot(trial).keys() - snapshot(run).keys() == set()
    for place in ("verdict.json", "eval/drift.json", "eval/tuned/test.jsonl", f"adapter/{WEIGHTS}"):
        assert (run.path / place).read_bytes() == (trial.path / place).read_bytes()
    assert read_weights(run) == read_weights(forgetful)
    assert "train" not in stages_started(trial)
    configs = [(one.adapter / "adapter_config.json").read_text("utf-8") for one in (run, forgetful)]
    now, then = (json.loads(text)["lora_alpha"] for text in configs)
    assert now == then / 2
    # The first attempt is a run of its own; its checkpoints take no second place on the disk.
    first = RunDir(run.trials / "first")
    before, kept = snapshot(forgetful), snapshot(first)
    assert {name for name in before if kept.get(name) != before[name]} == set()
    assert first.load(RunRecord).status == "done"
    assert not first.has(Trials)
    for step in list_checkpoints(run.checkpoints):
        places = [one.checkpoints / f"checkpoint-{step}" / WEIGHTS for one in (run, first, trial)]
        assert len({place.stat().st_ino for place in places}) == 1
    assert compare_runs([run.path, first.path]).runs[0].tuned.test.n == len(run.load_rows("test"))
    assert "trials/first" in report_run(first.path, "en").read_text("utf-8")
    page = run.report.read_text("utf-8")
    assert "This is the cured adapter" in page.partition('id="curves"')[0]
    keys = [key for key, _ in ear.said]
    assert keys.index("cure.ahead") < keys.index("cure.begin")


def test_where_the_choice_had_one_scale_the_smaller_ones_are_asked_now(
    forgetful: RunDir, again: Callable[..., RunDir], script: Script, tmp_path: Path
) -> None:
    """As after `--time` has cut the scales to one."""
    shutil.copytree(forgetful.path, tmp_path / "run")
    run = RunDir(tmp_path / "run")
    chosen = run.load(Selection)
    chosen.candidates = [one for one in chosen.candidates if one.scale == 1]
    run.save(chosen)
    for answers in (run.path / "eval" / "select").glob("checkpoint-*@0.5.jsonl"):
        answers.unlink()
    script.verdicts = [SHIPS]
    run = again()
    remedy = read_cure(run).remedies[0]
    assert (remedy.name, remedy.checkpoint, remedy.decision, remedy.probes) == ("cure-scale", 4, "ship", 12)
    assert run.load(Selection).scale == remedy.scale
    assert run.load(Selection).scale < 1
    tried = [one for one in RunDir(run.trials / "first").load(Selection).candidates if one.checkpoint == 4]
    assert [one.scale for one in tried] == [1, 0.75, 0.5, 0.25]
    assert len({(one.n, one.probes) for one in tried}) == 1


def test_the_same_command_after_a_cure_does_nothing_again(again: Callable[..., RunDir], script: Script) -> None:
    script.verdicts = [SHIPS]
    run = again()
    before, record, events = snapshot(run), run.load(RunRecord), stages_started(run)
    again()
    resume_run(run.path, Quiet())
    assert (snapshot(run), run.load(RunRecord), stages_started(run)) == (before, record, events)


def test_the_order_is_that_of_the_cost_and_a_training_that_ships_is_taken_over(
    forgetful: RunDir, again: Callable[..., RunDir], script: Script, tmp_path: Path
) -> None:
    script.verdicts = [FORGETS, FORGETS, FORGETS, SHIPS]
    run = again()
    told = read_cure(run)
    assert [(one.name, one.look, one.decision) for one in told.remedies] == [
        ("cure-scale", 2, "dont_ship"),
        ("cure-earlier", 3, "dont_ship"),
        ("cure-replay", 4, "dont_ship"),
        ("cure-rate", 5, "ship"),
    ]
    assert (told.looks, told.remedies[1].checkpoint) == (5, 2)
    trial, config = RunDir(run.trials / "cure-rate"), load_config(run.config)[0]
    own = load_config(forgetful.config)[0].train.learning_rate
    assert own is not None
    assert config.replay.fraction == 0.2
    assert config.train.learning_rate == pytest.approx(own / 3, rel=0.01)
    assert load_config(run.trials / "cure-replay" / "config.yaml")[0].train.learning_rate == own
    assert config.trials.cure
    assert config.train.save_steps == load_config(trial.config)[0].train.save_steps
    assert read_weights(run) == read_weights(trial) != read_weights(forgetful)
    assert run.load_rows("replay") == trial.load_rows("replay")
    assert run.load(RunRecord).training == trial.load(RunRecord).training
    assert run.load(RunRecord).fingerprint == forgetful.load(RunRecord).fingerprint
    losses = [[event["loss"] for event in one.load_events() if event["kind"] == "step"] for one in (run, trial)]
    assert losses[0][-len(losses[1]) :] == losses[1]
    assert snapshot(RunDir(run.trials / "first")) == snapshot(forgetful)
    questions = tmp_path / "ask.txt"
    questions.write_text("sum 3 and 9\n", encoding="utf-8")
    assert len(answer_file(AnswerRequest(run.path, questions), Quiet())) == 1


def test_nothing_is_tried_where_the_gain_is_not_shown(
    forgetful: RunDir, again: Callable[..., RunDir], script: Script
) -> None:
    run = again(cure=False)
    verdict = run.load(Verdict)
    run.save(verdict.model_copy(update={"reasons": UNREAL[1]}))
    again()
    told = read_cure(run)
    assert (told.remedies, told.reason, told.looks) == ([], "cure.no_gain", 1)
    assert not run.trials.exists()
    assert "first look has shown" in run.report.read_text("utf-8")
    started = stages_started(run)
    again()
    assert stages_started(run) == started
    run.save(run.load(Verdict).model_copy(update={"decision": "ship"}))
    (run.path / "trials.json").unlink()
    again()
    assert not run.has(Trials)


def test_what_is_not_likely_is_not_looked_at_and_what_is_hopeless_never(
    again: Callable[..., RunDir], script: Script
) -> None:
    script.kept = 0.01
    run = again()
    told = read_cure(run)
    assert [(one.name, one.look) for one in told.remedies] == [(name, None) for name in cure.REMEDIES]
    assert (told.adopted, told.reason) == (None, "cure.forgets")
    assert (run.load(Verdict).decision, script.verdicts) == ("dont_ship", [])
    rates = [one.changes.get("train.learning_rate") for one in told.remedies]
    own = load_config(run.config)[0].train.learning_rate
    assert own is not None
    assert rates == [None, None, None, pytest.approx(own / 3, rel=0.01)]
    for name in ("cure-replay", "cure-rate"):
        trial = RunDir(run.trials / name)
        assert not trial.has(Verdict)
        assert not trial.answers_path("tuned", "test").exists()
        assert trial.load_rows("test") == run.load_rows("test")
    assert not (run.trials / "cure-scale").exists()
    assert [trial.purpose for trial in run.load(Trials).trials] == ["cure", "cure"]


def test_a_training_that_fails_is_noted_and_the_next_remedy_is_tried(
    again: Callable[..., RunDir], script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.kept = 0.01

    def fail(work: Work, trial: Trial, until: str | None = None) -> RunDir:
        if trial.name == "cure-replay":
            begin_trial(work, trial)
            raise TrainingError("train.not_finite", where="step 1", what="loss", value="nan", rows="rows.jsonl:1")
        return run_trial(work, trial, until)

    monkeypatch.setattr(cure, "run_trial", fail)
    told = read_cure(again())
    failed, last = told.remedies[-2:]
    assert (failed.name, failed.checkpoint, failed.chance) == ("cure-replay", None, None)
    assert "nan" in str(failed.failed)
    assert "Its training failed" in failed.told("en")[0]
    assert (last.name, last.failed) == ("cure-rate", None)


def test_other_seeds_are_those_of_the_adapter_that_stands(again: Callable[..., RunDir], script: Script) -> None:
    script.verdicts = [FORGETS]
    run = again(cure=False, seeds=2)
    old = run.load(Trials).seeds
    assert old is not None
    script.verdicts = [SHIPS, SHIPS]
    again(seeds=2)
    told = run.load(Trials)
    assert told.seeds is not None
    assert [one.decision for one in told.seeds.runs] == ["ship", "ship"]
    assert load_config(RunDir(run.trials / "seed-18").config)[0].evaluate.scales == [0.5]
    first = RunDir(run.trials / "first")
    assert first.load(Trials).seeds == old
    assert load_config(RunDir(first.trials / "seed-18").config)[0].evaluate.scales == [1.0, 0.5]
    assert script.verdicts == []
