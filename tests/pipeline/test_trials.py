"""Runs inside a run, on a tiny model: what is shared, what is made anew, how they are stopped and refused."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.test_chain import make_config, write_rows
from tuneproof.config.load import load_config
from tuneproof.errors import FitError, RunError, StoppedError, TrainingError
from tuneproof.model.load import Base, load_base
from tuneproof.pipeline import RunRequest, compare_runs, report_run, resume_run, run_all, trials
from tuneproof.pipeline.chain import CHAIN
from tuneproof.pipeline.rounds import make_share
from tuneproof.pipeline.trials import Trial, begin_trial, change_config, run_trial
from tuneproof.pipeline.work import Work
from tuneproof.progress import Quiet
from tuneproof.records import Plan, RunRecord, Split, Trials, Verdict
from tuneproof.rundir import RunDir
from tuneproof.training.checkpoint import list_checkpoints

WEIGHTS = "adapter_model.safetensors"
QUICK = {"checkpoints": 2, "scales": [1.0, 0.5], "select_probes": 12, "drift_items": 4, "languages": ["en"]}


class Ear(Quiet):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, object]]] = []

    def say(self, key: str, **values: object) -> None:
        self.said.append((key, values))


@pytest.fixture(scope="module")
def tried(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A run with two seeds and the learning curve."""
    folder = tmp_path_factory.mktemp("trials")
    config = make_config(write_rows(folder / "rows.jsonl", 120), tiny_model_dir, **QUICK)
    config.trials.seeds, config.trials.learning_curve = 2, True
    loads: list[str] = []

    def load(name: str, **options: Any) -> Base:
        loads.append(name)
        return load_base(name, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tuneproof.pipeline.work.load_base", load)
        run = run_all(RunRequest(config, folder / "run", command="tuneproof run rows.jsonl --seeds 2"), Quiet())
    assert len(loads) == 1, "the base is loaded once for the run and all its trials"
    return run


def copy_run(run: RunDir, tmp_path: Path) -> RunDir:
    shutil.copytree(run.path, tmp_path / "run")
    return RunDir(tmp_path / "run")


def open_work(run: RunDir) -> Work:
    return Work(run, load_config(run.config)[0], Quiet())


def read_weights(run: RunDir) -> dict[int, bytes]:
    steps = list_checkpoints(run.checkpoints)
    return {step: (run.checkpoints / f"checkpoint-{step}" / WEIGHTS).read_bytes() for step in steps}


def stages_started(run: RunDir) -> list[str]:
    return [event["stage"] for event in run.load_events() if event["kind"] == "stage_start"]


def test_a_trial_is_a_whole_run_and_makes_only_what_changes(tried: RunDir) -> None:
    for name in ("seed-18", "rows-25", "rows-50"):
        run = RunDir(tried.trials / name)
        record = run.load(RunRecord)
        assert (record.status, list(record.stages)) == ("done", [stage.name for stage in CHAIN])
        names = [stage.name for stage in CHAIN]
        assert stages_started(run) == names[names.index("train") :]
        assert run.load(Verdict).task.n == tried.load(Verdict).task.n
        assert run.report.is_file()
        assert run.load_answers("base", "test") == tried.load_answers("base", "test")
    assert compare_runs([tried.path, tried.trials / "seed-18"]).runs[0].tuned.test.n == len(tried.load_rows("test"))
    assert report_run(tried.trials / "rows-25", "zh").is_file()


def test_the_runs_own_seed_gives_its_own_adapter_bit_for_bit(tried: RunDir, tmp_path: Path) -> None:
    run = copy_run(tried, tmp_path)
    config, _ = load_config(run.config)
    work = open_work(run)
    other = run_trial(work, Trial("other", "seed", {"train.seed": 19}))
    # The base has borne another adapter by now.
    again = run_trial(work, Trial("again", "seed", {"train.seed": config.train.seed}))
    assert read_weights(again) == read_weights(tried)
    assert read_weights(other).keys() == read_weights(tried).keys()
    assert read_weights(other) != read_weights(tried)


def test_a_trial_s_adapter_is_that_of_a_fresh_process(tried: RunDir, tmp_path: Path) -> None:
    run = copy_run(tried, tmp_path)
    shutil.rmtree(run.trials)
    (run.path / "trials.json").unlink()
    trial = begin_trial(open_work(run), Trial("seed-18", "seed", {"train.seed": 18}))
    resume_run(trial.path, Quiet())
    assert read_weights(trial) == read_weights(RunDir(tried.trials / "seed-18"))


def test_fewer_rows_are_whole_clusters_nested_and_judged_by_the_same_scorers(tried: RunDir) -> None:
    quarter, half = (RunDir(tried.trials / name) for name in ("rows-25", "rows-50"))
    runs = {"q": quarter, "h": half, "a": tried}
    ids = {name: {row.id for row in run.load_rows("train")} for name, run in runs.items()}
    assert ids["q"] < ids["h"] < ids["a"]
    assert len(ids["h"]) == pytest.approx(len(ids["a"]) / 2, abs=2)
    assert len(quarter.load_rows("replay")) <= len(half.load_rows("replay")) <= len(tried.load_rows("replay"))
    whole = open_work(tried)
    for run in (quarter, half):
        work = open_work(run)
        assert work.limits == whole.limits
        assert [item.scorer for item in work.row_items("test", None)] == [
            item.scorer for item in whole.row_items("test", None)
        ]
        assert run.load(Split).sizes["train"] == len(run.load_rows("train"))
        assert run.load(Plan).settings == tried.load(Plan).settings
        training = run.load(RunRecord).training
        assert training is not None
        assert training.rows == len(run.load_rows("train")) + len(run.load_rows("replay"))
    assert [RunDir(tried.trials / name).load(RunRecord).training.steps for name in ("rows-25", "rows-50")] == [1, 2]  # type: ignore[union-attr]


def test_the_record_tells_spread_and_curve(tried: RunDir) -> None:
    told, verdict = tried.load(Trials), tried.load(Verdict)
    assert [trial.name for trial in told.trials] == ["seed-18", "rows-25", "rows-50"]
    assert told.seeds is not None
    assert [run.seed for run in told.seeds.runs] == [17, 18]
    assert told.seeds.runs[0].delta == verdict.task.delta
    assert told.seeds.delta is not None
    assert told.seeds.delta.low <= told.seeds.delta.mean <= told.seeds.delta.high
    assert told.seeds.agree == (RunDir(tried.trials / "seed-18").load(Verdict).decision == verdict.decision)
    assert told.curve is not None
    assert [point.share for point in told.curve.points] == [0.25, 0.5, 1.0]
    assert told.curve.points[-1].delta == verdict.task.delta
    assert told.curve.next_ci95 is not None
    assert told.rate is None


def test_what_was_run_is_not_run_again_and_more_can_be_asked_for(tried: RunDir, tmp_path: Path) -> None:
    run = copy_run(tried, tmp_path)
    before, record = stages_started(run), run.load(Trials)
    resume_run(run.path, Quiet())
    assert (stages_started(run), run.load(Trials)) == (before, record)
    config, _ = load_config(run.config)
    request = RunRequest(
        make_config(Path(config.data.files[0]), Path(str(config.model.name)), **QUICK), run.path, command=""
    )
    request.config.trials.seeds = 3
    run_all(request, Quiet())
    assert stages_started(run)[len(before) :] == ["trials", "report"]
    seeds = run.load(Trials).seeds
    assert seeds is not None
    assert [one.seed for one in seeds.runs] == [17, 18, 19]
    assert read_weights(run) == read_weights(tried)


def test_a_stop_in_the_middle_of_a_trial_goes_on_to_the_same_adapter(
    tried: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = copy_run(tried, tmp_path)
    shutil.rmtree(run.trials)
    (run.path / "trials.json").unlink()
    real = RunDir.log_event

    def stop(self: RunDir, kind: str, **facts: Any) -> None:
        real(self, kind, **facts)
        if kind == "step" and self.name == "seed-18" and facts["step"] == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(RunDir, "log_event", stop)
        with pytest.raises(StoppedError) as caught:
            resume_run(run.path, Quiet())
    assert caught.value.exit_code == 130
    assert f"tuneproof resume {run.path}`" in caught.value.hint()
    trial = RunDir(run.trials / "seed-18")
    assert (trial.load(RunRecord).status, run.load(RunRecord).status) == ("stopped", "stopped")
    assert list_checkpoints(trial.checkpoints) == [2]
    resume_run(run.path, Quiet())
    assert read_weights(trial)[4] == read_weights(RunDir(tried.trials / "seed-18"))[4]
    assert run.load(RunRecord).status == "done"
    assert run.load(Trials).seeds is not None


def test_a_trial_of_another_run_is_refused(tried: RunDir, tmp_path: Path) -> None:
    run = copy_run(tried, tmp_path)
    rows = run.load_rows("train")
    run.save_rows("train", rows[:-1])
    with pytest.raises(RunError) as caught:
        run_trial(open_work(run), Trial("seed-18", "seed", {"train.seed": 18}))
    assert caught.value.key == "run.other"
    assert "rows" in str(caught.value.values["differences"])
    with pytest.raises(RunError, match="config"):
        run_trial(open_work(tried), Trial("seed-18", "seed", {"train.seed": 20}))


def test_a_folder_that_was_not_finished_is_begun_anew(tried: RunDir, tmp_path: Path) -> None:
    run = copy_run(tried, tmp_path)
    half = run.trials / ".fresh.staging" / "data"
    half.mkdir(parents=True)
    (half / "train.jsonl").write_text("{", encoding="utf-8")
    trial = begin_trial(open_work(run), Trial("fresh", "seed", {"train.seed": 3}))
    assert trial.load_rows("train") == run.load_rows("train")
    assert not half.exists()


def test_more_replay_is_made_anew_and_what_would_need_another_plan_is_refused(tried: RunDir, tmp_path: Path) -> None:
    run = copy_run(tried, tmp_path)
    trial = begin_trial(open_work(run), Trial("replay-20", "seed", {"replay.fraction": 0.2}))
    assert "replay" not in trial.load(RunRecord).stages
    work = open_work(run)
    work.config.train.max_steps = None
    assert make_share(work, 0.25).changes == {"train.save_steps": None, "train.max_steps": None}
    with pytest.raises(ValueError, match=r"lora\.rank"):
        change_config(open_work(run).config, Trial("wide", "seed", {"lora.rank": 64}))


def test_restart_removes_the_trials(tried: RunDir, tmp_path: Path) -> None:
    run = copy_run(tried, tmp_path)
    config, _ = load_config(run.config)
    fresh = make_config(Path(config.data.files[0]), Path(str(config.model.name)), **QUICK)
    run_all(RunRequest(fresh, run.path, command="", restart=True, until="train"), Quiet())
    assert not run.trials.exists()
    assert not run.has(Trials)


def test_the_rate_is_probed_before_training_without_the_test_rows(tiny_model_dir: Path, tmp_path: Path) -> None:
    config = make_config(write_rows(tmp_path / "rows.jsonl", 120), tiny_model_dir, **QUICK)
    config.trials.probe_rate, config.train.learning_rate = True, 6e-4
    ear = Ear()
    run = run_all(RunRequest(config, tmp_path / "run", command="tuneproof run rows.jsonl --probe-lr"), ear)
    stages = list(run.load(RunRecord).stages)
    assert stages[stages.index("replay") :][:3] == ["replay", "probe", "train"]
    told = run.load(Trials)
    assert told.rate is not None
    assert [one.rate for one in told.rate.tried] == [2e-4, 6e-4, 1.8e-3]
    assert [one.trial for one in told.rate.tried] == ["rate-third", "rate-1x", "rate-3x"]
    assert all(one.n == 6 and one.probes for one in told.rate.tried)
    assert load_config(run.config)[0].train.learning_rate == told.rate.chosen
    for one in told.rate.tried:
        trial = RunDir(run.trials / str(one.trial))
        assert not trial.load_rows("test")
        assert not trial.load_answers("base", "test")
        assert not trial.answers_path("tuned", "test").exists()
        assert not trial.has(Verdict)
        (step,) = list_checkpoints(trial.checkpoints)
        assert step == 4
    keys = [key for key, _ in ear.said]
    assert keys.index("trials.ahead") < keys.index("rate.chosen")
    # The training itself is that of a run that was given the rate.
    plain = make_config(tmp_path / "rows.jsonl", tiny_model_dir, **QUICK)
    plain.train.learning_rate = told.rate.chosen
    again = run_all(RunRequest(plain, tmp_path / "again", command="", until="train"), Quiet())
    assert read_weights(again) == read_weights(run)


def test_a_training_that_fails_is_noted_and_the_others_go_on(tried: RunDir, tmp_path: Path) -> None:
    run, ear = copy_run(tried, tmp_path), Ear()
    work = Work(run, load_config(run.config)[0], ear)
    real = trials.run_trial

    def fail(work: Work, trial: Trial) -> RunDir:
        if trial.name == "bad":
            begin_trial(work, trial)
            raise TrainingError("train.not_finite", where="step 1", what="loss", value="nan", rows="rows.jsonl:1")
        return real(work, trial)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trials, "run_trial", fail)
        asked = [Trial("bad", "seed", {"train.seed": 3}), Trial("seed-18", "seed", {"train.seed": 18})]
        (run.path / "trials.json").unlink()
        noted = trials.run_trials(work, asked, None)
    bad, good = noted.find("bad"), noted.find("seed-18")
    assert bad is not None
    assert good is not None
    assert "nan" in str(bad.failed)
    assert (bad.delta, bad.decision) == (None, None)
    assert good.decision is not None
    assert "trials.failed" in [key for key, _ in ear.said]


def test_a_full_disk_is_told_before_anything_is_run(tried: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "free_disk", lambda path: 10_000)
    with pytest.raises(FitError) as caught:
        trials.run_trials(open_work(tried), [Trial("more", "seed", {"train.seed": 5})], None)
    assert caught.value.exit_code == 4
    assert not (tried.trials / "more").exists()
    assert trials.run_trials(open_work(tried), [Trial("seed-18", "seed", {"train.seed": 18})], None).seeds
