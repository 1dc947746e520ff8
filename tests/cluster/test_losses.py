"""A run on a Ray of this machine loses a worker in the middle: it ends by itself with the adapter of one process.

Ray takes ten seconds to begin, so there is one run for all. Losing a whole node is proven in the same way by
benchmarks/cluster_losses.py, which takes longer.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors.torch import load_file

from tests.pipeline.test_chain import make_config, write_rows
from tests.pipeline.test_trials import QUICK
from tuneproof.config.load import dump_config
from tuneproof.pipeline import RunRequest, run_all
from tuneproof.progress import Quiet
from tuneproof.records import RunRecord
from tuneproof.rundir import RunDir

pytestmark = pytest.mark.skipif(
    "TUNEPROOF_TEST_CLUSTER" not in os.environ, reason="starts Ray, which takes minutes: set TUNEPROOF_TEST_CLUSTER=1"
)
STEPS, SAVED = 160, 10


class Both(NamedTuple):
    one: RunDir
    cluster: RunDir
    killed: int
    """Steps that were done when the worker was killed."""
    told: str


def list_events(run: RunDir, kind: str) -> list[dict[str, Any]]:
    return [event for event in run.load_events() if event["kind"] == kind]


@pytest.fixture(scope="module")
def both(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Both:
    folder = tmp_path_factory.mktemp("cluster")
    config = make_config(write_rows(folder / "rows.jsonl", 120), tiny_model_dir, **QUICK)
    config.train.max_steps, config.train.learning_rate, config.train.save_steps = STEPS, 1e-3, SAVED
    (folder / "run.yaml").write_text(dump_config(config), encoding="utf-8")
    cluster = RunDir(folder / "cluster")
    command = [sys.executable, "-m", "tuneproof", "train", str(folder / "run.yaml"), "--out", str(cluster.path)]
    with (folder / "told.txt").open("w+", encoding="utf-8") as told:
        job = subprocess.Popen([*command, "--cluster", "local", "--workers", "2"], stdout=told, stderr=told)
        while job.poll() is None and len(list_events(cluster, "step")) <= SAVED:
            time.sleep(0.02)
        groups, killed = list_events(cluster, "group"), len(list_events(cluster, "step"))
        for worker in groups[0]["ranks"] if groups else []:
            if worker["rank"] == 1:
                os.kill(worker["pid"], signal.SIGKILL)
        code = job.wait(200)
        told.seek(0)
        text = told.read()
    assert code == 0, text
    one = run_all(RunRequest(config, folder / "one", command="tuneproof train", until="train"), Quiet())
    return Both(one, cluster, killed, text)


def test_a_lost_worker_costs_what_came_after_the_last_checkpoint(both: Both) -> None:
    steps = [event["step"] for event in list_events(both.cluster, "step")]
    assert SAVED <= both.killed < STEPS
    again = steps[steps.index(max(steps[: both.killed])) + 1 :]
    assert sorted(set(steps)) == list(range(1, STEPS + 1))
    assert len(steps) - STEPS < len(again)
    # Gone on with from a checkpoint, and not from the beginning.
    assert steps.count(1) == 1
    assert "Training: done" in both.told


def test_the_adapter_and_the_rows_are_those_of_one_process(both: Both) -> None:
    one, other = ({event["step"]: event for event in list_events(run, "step")} for run in (both.one, both.cluster))
    assert one.keys() == other.keys()
    for step, event in one.items():
        assert (event["tokens"], event["trained_tokens"]) == (other[step]["tokens"], other[step]["trained_tokens"])
        assert other[step]["loss"] == pytest.approx(event["loss"], rel=1e-4)
    first, second = (
        load_file(run.checkpoints / f"checkpoint-{STEPS}" / "adapter_model.safetensors")
        for run in (both.one, both.cluster)
    )
    assert first.keys() == second.keys()
    for name, weight in first.items():
        assert torch.allclose(weight, second[name], rtol=1e-3, atol=1e-4), name


def test_each_group_of_workers_is_on_record(both: Both) -> None:
    groups = list_events(both.cluster, "group")
    assert [group["attempt"] for group in groups] == list(range(1, len(groups) + 1))
    assert len(groups) == 2
    assert [worker["rank"] for worker in groups[0]["ranks"]] == [0, 1]
    training = both.cluster.load(RunRecord).training
    assert training is not None
    assert training.world_size == len(groups[1]["ranks"])
