"""A training and the chain that are killed again and again end as if nothing had happened (`scripts/soak`: many more).

P1, P2, P4 and P9 of docs/reliability.md, by real kills; what they do stands in trials.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.source import ROOT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows cannot fork")


@pytest.fixture(scope="module")
def trials() -> list[dict[str, Any]]:
    """All trials, by one process that loads the libraries once."""
    command = [sys.executable, "-m", "tests.faults.trials", "--trainings", "5", "--chains", "1", "--seed", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.stdout, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["trials"]
    return found


def test_five_trainings_that_are_killed_end_with_the_adapter_of_the_undisturbed_one(
    trials: list[dict[str, Any]],
) -> None:
    trainings = [trial for trial in trials if trial["kind"] == "training"]
    assert [trial["same"] for trial in trainings] == [True] * 5, trainings
    assert all(any(kill["hit"] for kill in trial["kills"]) for trial in trainings)
    assert {trial["case"]["save_steps"] for trial in trainings} == {1, 6}
    assert {trial["case"]["workers"] for trial in trainings} == {2}


def test_a_chain_that_is_killed_and_finds_the_disk_full_in_every_stage_comes_to_the_same(
    trials: list[dict[str, Any]],
) -> None:
    (trial,) = (trial for trial in trials if trial["kind"] == "chain")
    assert trial["same"], trial
    # A store of answers that finds the disk full makes them again; everything else says so.
    assert {fault["code"] for fault in trial["faults"] if fault["deed"] == "full"} <= {0, 4}, trial
    killed = [fault["stage"] for fault in trial["faults"] if fault["code"] == -9]
    assert len(killed) >= 10, trial
