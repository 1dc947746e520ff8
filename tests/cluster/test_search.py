"""A search on a Ray of this machine whose driver is killed -9: the same command goes on and trains nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.pipeline.test_chain import make_config, write_rows
from tests.pipeline.test_trials import QUICK
from tuneproof.config.load import dump_config
from tuneproof.records import RunRecord, Trials, Verdict
from tuneproof.rundir import RunDir

pytestmark = pytest.mark.skipif(
    "TUNEPROOF_TEST_CLUSTER" not in os.environ, reason="starts Ray, which takes minutes: set TUNEPROOF_TEST_CLUSTER=1"
)
TRIALS, STEPS = 6, 8


class Searched(NamedTuple):
    run: RunDir
    before: list[str]
    """Trials that had ended when the driver was killed."""
    steps: dict[str, list[int]]
    """Trial -> its steps so far, as they were then."""
    told: str


def list_steps(run: RunDir) -> list[int]:
    return [event["step"] for event in run.load_events() if event["kind"] == "step"]


def list_noted(run: RunDir) -> list[str]:
    search = run.load(Trials).search if run.has(Trials) else None
    return [one.name for one in search.tried] if search else []


@pytest.fixture(scope="module")
def searched(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Searched:
    folder = tmp_path_factory.mktemp("search")
    config = make_config(write_rows(folder / "rows.jsonl", 120), tiny_model_dir, **QUICK)
    config.train.max_steps = STEPS
    (folder / "run.yaml").write_text(dump_config(config), encoding="utf-8")
    run = RunDir(folder / "run")
    command = [sys.executable, "-m", "tuneproof", "search", "--config", str(folder / "run.yaml")]
    command += ["--trials", str(TRIALS), "--workers", "1", "--out", str(run.path)]
    with (folder / "told.txt").open("w+", encoding="utf-8") as told:
        job = subprocess.Popen(command, stdout=told, stderr=told)
        while job.poll() is None and not list_noted(run):
            time.sleep(0.02)
        os.kill(job.pid, signal.SIGKILL)
        job.wait()
        before = list_noted(run)
        steps = {name: list_steps(RunDir(run.trials / name)) for name in before}
        code = subprocess.run(command, stdout=told, stderr=told, timeout=250, check=False).returncode
        told.seek(0)
        text = told.read()
    assert code == 0, text
    return Searched(run, before, steps, text)


def test_what_had_ended_before_the_kill_is_not_trained_again(searched: Searched) -> None:
    assert 0 < len(searched.before) < TRIALS
    for name in searched.before:
        assert list_steps(RunDir(searched.run.trials / name)) == searched.steps[name]
    for name in ("search-01", "search-02", "search-03"):
        steps = list_steps(RunDir(searched.run.trials / name))
        assert set(steps) == set(range(1, max(steps) + 1))


def test_it_ends_in_a_verdict_on_test_rows_and_says_what_the_choice_is_worth(searched: Searched) -> None:
    search = searched.run.load(Trials).search
    assert search is not None
    assert [one.name for one in search.tried] == [f"search-{at:02}" for at in range(1, TRIALS + 1)]
    assert search.chosen is not None
    assert search.loss is not None
    assert search.test == searched.run.load(Verdict).task.tuned
    assert searched.run.load(RunRecord).status == "done"
    assert "is expected to lose" in searched.told
    assert "is expected to lose" in searched.run.report.read_text(encoding="utf-8")
