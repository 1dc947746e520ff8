"""A search without a cluster under it: what is tried, what a trial sees, what is taken, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.pipeline.test_chain import make_config, write_rows
from tests.pipeline.test_trials import QUICK, Ear
from tuneproof.cli import run_command
from tuneproof.config import RunConfig
from tuneproof.config.load import load_settled
from tuneproof.errors import RunError
from tuneproof.pipeline import RunRequest, adopt_best, halve_point, note_point, resume_run, run_all
from tuneproof.pipeline.search import list_points, load_rungs, try_point
from tuneproof.progress import Quiet
from tuneproof.records import Selection, TrialRecord, Trials, Verdict
from tuneproof.rundir import RunDir
from tuneproof.training.checkpoint import list_checkpoints

WEIGHTS = "adapter/adapter_model.safetensors"


def make_request(folder: Path, model: Path, trials: int = 3) -> RunRequest:
    config: RunConfig = make_config(write_rows(folder / "rows.jsonl", 120), model, **QUICK)
    config.train.max_steps, config.trials.search, config.train.learning_rate = 8, trials, 1e-3
    return RunRequest(config, folder / "run", command="tuneproof search rows.jsonl", until="replay")


@pytest.fixture(scope="module")
def begun(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """As far as a search goes before its first trial."""
    return run_all(make_request(tmp_path_factory.mktemp("search"), tiny_model_dir), Quiet())


@pytest.fixture(scope="module")
def tried(begun: RunDir) -> RunDir:
    """Every trial has ended, but for the last one, which was ended early; the best one is taken."""
    heard: dict[str, list[tuple[int, float]]] = {}
    for trial in list_points(begun).trials:
        heard[trial.name] = []
        record = try_point(begun.path, trial.name, lambda *said, name=trial.name: heard[name].append(said))
        if trial.name == "search-03":
            halve_point(begun.path, trial.name)
        else:
            note_point(begun.path, record, halved=False)
    assert [[step for step, _ in told] for told in heard.values()] == [[2, 4, 6]] * 3
    return begun


def test_the_first_trial_is_a_plain_run_and_a_longer_search_begins_with_a_shorter_one(begun: RunDir) -> None:
    points = list_points(begun)
    plain = load_settled(begun.config)
    assert points.trials[0].changes["lora.rank"] == 8
    assert plain.lora.rank == 32, "the plan has room for every trial"
    assert len({str(trial.changes) for trial in points.trials}) == 3
    assert (points.rung, points.most) == (2, 8)
    plain.trials.search = 5
    copy = RunDir(begun.path.with_name("longer"))
    shutil.copytree(begun.path, copy.path)
    from tuneproof.config.load import dump_config

    copy.config.write_text(dump_config(plain), encoding="utf-8")
    assert list_points(copy).trials[:3] == points.trials


def test_what_the_user_set_is_not_searched(begun: RunDir) -> None:
    """The learning rate, and with a number of steps the passes as well."""
    changes = [trial.changes for trial in list_points(begun).trials]
    assert {one["train.learning_rate"] for one in changes} == {1e-3}
    assert len({one["train.epochs"] for one in changes}) == 1
    assert len({(one["lora.rank"], one["replay.fraction"]) for one in changes}) > 1


def test_no_trial_has_seen_the_test_rows(tried: RunDir) -> None:
    assert tried.load_rows("test")
    for name in ("search-01", "search-02", "search-03"):
        trial = RunDir(tried.trials / name)
        assert trial.load_rows("test") == []
        assert trial.load_answers("base", "test") == []
        assert not trial.answers_path("tuned", "test").exists()
        assert not trial.has(Verdict)


def test_a_trial_is_chosen_for_as_many_test_rows_as_its_run_has(tried: RunDir) -> None:
    """With none ahead, a candidate that gained nothing was as likely to ship as can be."""
    for name in ("search-01", "search-02", "search-03"):
        candidates = RunDir(tried.trials / name).load(Selection).candidates
        assert candidates
        assert all((one.chance or 0) < 0.5 for one in candidates if not one.score)


def test_a_trial_that_ended_tells_the_same_again_and_trains_nothing(tried: RunDir) -> None:
    trial = RunDir(tried.trials / "search-02")
    before, heard = (trial.path / "events.jsonl").read_bytes(), list[tuple[int, float]]()
    record = try_point(tried.path, "search-02", lambda *said: heard.append(said))
    assert record == tried.load(Trials).find("search-02")
    assert [step for step, _ in heard] == sorted(load_rungs(trial)) == [2, 4, 6]
    assert (trial.path / "events.jsonl").read_bytes() == before


def test_until_one_is_taken_the_run_trains_nothing_of_its_own(begun: RunDir) -> None:
    with pytest.raises(RunError) as caught:
        resume_run(begun.path, Quiet())
    assert caught.value.key == "search.unfinished"


def test_the_best_trial_becomes_the_run_and_meets_the_test_rows_once(tried: RunDir, tmp_path: Path) -> None:
    shutil.copytree(tried.path, tmp_path / "run")
    run = RunDir(tmp_path / "run")
    adopt_best(run.path)
    adopt_best(run.path)  # As after a kill in the middle.
    search = run.load(Trials).search
    assert search is not None
    assert [one.name for one in search.tried] == ["search-01", "search-02", "search-03"]
    assert [one.halved for one in search.tried] == [False, False, True]
    assert search.chosen in ("search-01", "search-02")
    assert search.loss is not None
    taken = RunDir(run.trials / search.chosen)
    assert (run.path / WEIGHTS).read_bytes() == (taken.path / WEIGHTS).read_bytes()
    assert list_checkpoints(run.checkpoints) == list_checkpoints(taken.checkpoints)
    assert load_settled(run.config).lora.rank == load_settled(taken.config).lora.rank
    ear = Ear()
    resume_run(run.path, ear)
    started = [event["stage"] for event in run.load_events() if event["kind"] == "stage_start"]
    assert "train" not in started
    assert started.count("tuned") == 1
    search = run.load(Trials).search
    assert search is not None
    assert search.test == run.load(Verdict).task.tuned
    page = run.report.read_text(encoding="utf-8")
    assert "is expected to lose" in page
    assert f"<code>{search.chosen}</code>" in page
    assert run.load(Selection) == taken.load(Selection)
    assert run_command(["report", str(run.path), "--lang", "zh"]) == 0
    assert "预计会低" in run.report.read_text(encoding="utf-8")


def test_a_search_in_which_nothing_ended_takes_nothing(begun: RunDir, tmp_path: Path) -> None:
    shutil.copytree(begun.path, tmp_path / "run")
    run = RunDir(tmp_path / "run")
    (run.path / "trials.json").unlink(missing_ok=True)
    failed = TrialRecord(name="search-01", purpose="search", changes={}, seconds=0.0, failed="diverged")
    note_point(run.path, failed, halved=False)
    with pytest.raises(RunError) as caught:
        adopt_best(run.path)
    assert caught.value.key == "search.none"


def test_a_plain_command_does_not_pass_a_search_over(begun: RunDir, tiny_model_dir: Path) -> None:
    plain = make_request(begun.path.parent, tiny_model_dir, trials=0)._replace(until="report")
    with pytest.raises(RunError) as caught:
        run_all(plain, Quiet())
    assert caught.value.key == "search.unfinished"
