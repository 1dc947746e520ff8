"""A peak that others measured on a GPU, predicted without one: the script that predicts all of them, for one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.memory_peft import RUNS, TABLE, TARGET, predict_run


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")
def test_a_published_peak_is_predicted() -> None:
    """By the length that was fitted to another run, with an adapter on other layers."""
    found = re.search(r"Longest batch: 4 x (\d+), fitted to the first run", Path(TABLE).read_text(encoding="utf-8"))
    assert found is not None
    run = RUNS[3]
    assert run.name == "rank10-target-mlp"
    assert abs(predict_run(run, int(found[1])).miss(run)) < TARGET
