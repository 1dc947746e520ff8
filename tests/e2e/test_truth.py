"""An experiment whose truth is known, on the real demo model at small size; `benchmarks/known_truth.py` has all.

Another one, that needs no real model, is in tests/pipeline/test_cure_walk.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.known_truth import NAMED, PLANTED_FAMILIES, find_named, plant_facts, run_rows
from tuneproof.evals.probes import Probe, load_probes
from tuneproof.evals.task import make_probe_items, spread_items

ASKED = 60
QUICK = (
    "evaluate.test_rows=20",
    "evaluate.select_rows=5",
    "evaluate.checkpoints=1",
    "evaluate.scales=[1.0]",
    "evaluate.few_shot=[]",
    "evaluate.select_probes=0",
    "evaluate.reworded_rows=0",
    "evaluate.train_rows=1",
    "evaluate.drift_items=1",
    "evaluate.max_new_tokens=24",
    "evaluate.languages=[en]",
    "replay.fraction=0",
)


def set_all(*settings: str) -> list[str]:
    return [part for setting in (*QUICK, *settings) for part in ("--set", setting)]


def list_asked(count: int) -> list[Probe]:
    """The probes that a run with QUICK's settings and `count` retention items asks."""
    asked = spread_items(make_probe_items(load_probes("en")), count)
    return [item.probe for item in asked if item.probe is not None]


@pytest.mark.timeout(900)
def test_facts_that_are_overwritten_are_lost_and_blamed_on_the_rows_that_did_it(
    demo_model: Path, tmp_path: Path
) -> None:
    rows, planted = plant_facts([probe for probe in list_asked(ASKED) if probe.family in PLANTED_FAMILIES])
    settings = (
        "train.max_steps=40", "train.batch_size=4", "train.learning_rate=2e-3", f"evaluate.retention_items={ASKED}",
    )  # fmt: skip
    found = run_rows(rows, tmp_path, *set_all(*settings))
    assert found["code"] == 0
    assert found["decision"] != "ship"
    assert "loss_significant" in found["reasons"]
    lost = [item for item in found["lost_items"] if item in planted]
    named = find_named(tmp_path, planted, lost)
    assert len(named.learnt) >= 3
    assert len(named.by_planted) >= NAMED * len(lost), set(lost) - set(named.by_planted)
    assert len(named.by_own) >= NAMED * len(named.learnt), set(named.learnt) - set(named.by_own)
