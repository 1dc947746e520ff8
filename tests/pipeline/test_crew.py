"""Several processes on one run, a tiny model over gloo: the rows, losses, adapter and answers of one process.

Each process takes seconds to load its libraries, so there is one run for all: two processes train, are stopped in the
middle, and two others go on to the verdict. The same again with the model split over the two.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from safetensors.torch import load_file

from tests.pipeline.test_chain import make_config, write_rows
from tests.pipeline.test_trials import QUICK
from tuneproof.config.load import dump_config
from tuneproof.model.crew import Crew
from tuneproof.pipeline import RunRequest, resume_run, run_all
from tuneproof.progress import Quiet
from tuneproof.records import Plan, RunRecord, Verdict
from tuneproof.rundir import RunDir

WEIGHTS = "adapter_model.safetensors"
STEPS = 60
LAUNCH = """
import sys
from tuneproof.cli.launch import launch_ranks
sys.exit(launch_ranks(sys.argv[1:], 2))
"""


class Both(NamedTuple):
    """The same run by one process and by two."""

    one: RunDir
    two: RunDir
    stopped: RunDir
    """As the two were stopped."""
    done: int
    """Steps until then."""


def launch(*arguments: str) -> subprocess.Popen[str]:
    """The command line as two processes on this machine's processors."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", LAUNCH, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env=environment,
    )


def finish(job: subprocess.Popen[str]) -> tuple[int, str]:
    told, _ = job.communicate(timeout=200)
    return job.returncode, told


def list_losses(run: RunDir) -> list[float]:
    return [event["loss"] for event in run.load_events() if event["kind"] == "step"]


@pytest.fixture(scope="module")
def one(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """By one process. The last batch of a pass has fewer rows than the others."""
    folder = tmp_path_factory.mktemp("crew")
    config = make_config(write_rows(folder / "rows.jsonl", 120), tiny_model_dir, **QUICK)
    config.train.max_steps, config.train.learning_rate, config.evaluate.remember = STEPS, 3e-3, False
    (folder / "run.yaml").write_text(dump_config(config), encoding="utf-8")
    return run_all(RunRequest(config, folder / "one", command="tuneproof run"), Quiet())


@pytest.fixture(scope="module", params=["ddp", "fsdp"])
def both(one: RunDir, request: pytest.FixtureRequest) -> Both:
    """The whole model on each of the two, stopped on the way; or split over them, in one go."""
    folder, done = one.path.parent, 0
    two, stopped = RunDir(folder / request.param), RunDir(folder / f"{request.param}-stopped")
    arguments = ["run", "--config", str(folder / "run.yaml"), "--out", str(two.path)]
    if request.param == "fsdp":
        arguments += ["--set", "memory.split=true"]
    else:
        job = launch(*arguments)
        while job.poll() is None and not (two.path.is_dir() and list_losses(two)):
            time.sleep(0.01)
        job.send_signal(signal.SIGTERM)
        code, told = finish(job)
        assert code == 143, told
        done = len(list_losses(two))
        shutil.copytree(two.path, stopped.path)
        arguments = ["resume", str(two.path)]
    code, told = finish(launch(*arguments))
    assert code == 0, told
    settings = two.load(Plan).settings
    assert (settings.strategy, settings.ranks) == (request.param, 2)
    return Both(one, two, stopped, done)


def test_two_processes_train_the_adapter_of_one(both: Both) -> None:
    one, two = list_losses(both.one), list_losses(both.two)
    assert len(one) == STEPS
    assert two == pytest.approx(one, rel=1e-4)
    first, second = (load_file(run.adapter / WEIGHTS) for run in (both.one, both.two))
    assert first.keys() == second.keys()
    for name, weight in first.items():
        assert torch.allclose(weight, second[name], rtol=1e-3, atol=1e-4), name


def test_each_row_is_computed_once_a_pass_by_one_of_them(both: Both) -> None:
    one, two = (run.load(RunRecord).training for run in (both.one, both.two))
    assert one is not None
    assert two is not None
    assert (one.world_size, two.world_size) == (1, 2)
    assert (one.tokens, one.trained_tokens) == (two.tokens, two.trained_tokens)
    # The same rows for each step that was left; the last batch of a pass is the smaller one.
    assert sum(two.rows_per_rank) <= one.rows_per_rank[0] * (STEPS - both.done) / STEPS + 8
    assert min(two.rows_per_rank) > 0.3 * sum(two.rows_per_rank)


def test_the_answers_are_shared_out_and_the_same(both: Both) -> None:
    for suite in ("test", "retention", "few_shot"):
        one, two = (run.load_answers("base", suite) for run in (both.one, both.two))
        assert one
        assert [(answer.id, answer.answer) for answer in one] == [(answer.id, answer.answer) for answer in two]
    first, second = (run.load(Verdict) for run in (both.one, both.two))
    assert (first.task.n, first.task.base) == (second.task.n, second.task.base)
    assert first.retention.n == second.retention.n


@pytest.mark.parametrize("both", ["ddp"], indirect=True)
def test_a_stop_saves_at_one_step_and_another_number_of_processes_goes_on(both: Both) -> None:
    assert both.stopped.load(RunRecord).status == "stopped"
    assert 0 < both.done < STEPS
    run = resume_run(both.stopped.path, Quiet(), until="train")
    assert list_losses(run) == pytest.approx(list_losses(both.one), rel=1e-4)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_shares_are_all_of_it_and_even(size: int) -> None:
    lengths = [40, 7, 7, 300, 22, 90, 91, 3, 3, 8]
    shares = [Crew(rank, size).share(lengths) for rank in range(size)]
    assert sorted(at for share in shares for at in share) == list(range(10))
    totals = [sum(lengths[at] for at in share) for share in shares]
    assert max(totals) <= 4 / 3 * max(max(lengths), sum(lengths) / size)


def test_a_crew_of_one_changes_nothing() -> None:
    crew = Crew()
    assert crew.share([3, 9, 1]) == [0, 1, 2]
    assert crew.agree(None) is None
    assert crew.gather("mine") == [crew.tell(lambda: "mine")]
