"""Experiments whose truth is known, on the real demo model at small size; `benchmarks/known_truth.py` has all."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.known_truth import (
    NAMED,
    PLANTED_FAMILIES,
    find_named,
    plant_facts,
    read_demo,
    run_rows,
    shuffle_answers,
)
from tuneproof.evals.probes import Probe, load_probes
from tuneproof.evals.task import make_probe_items, spread_items

SLICE = 10
QUICK = (
    "evaluate.test_rows=20",
    "evaluate.select_rows=5",
    "evaluate.checkpoints=1",
    "evaluate.scales=[1.0]",
    "evaluate.few_shot=[]",
    f"evaluate.select_probes={SLICE}",
    "evaluate.reworded_rows=0",
    "evaluate.train_rows=1",
    "evaluate.drift_items=1",
    "evaluate.max_new_tokens=24",
    "evaluate.languages=[en]",
    "replay.fraction=0.05",
)
SMALL_SIDES = ("split.minimum_test=12", "split.minimum_select=6")


def set_all(*settings: str) -> list[str]:
    return [part for setting in (*QUICK, *settings) for part in ("--set", setting)]


def list_asked(count: int) -> list[Probe]:
    """The probes that a run with QUICK's slice and `count` retention items asks."""
    items = make_probe_items(load_probes("en"))
    chosen_by = {item.id for item in spread_items(items, SLICE)}
    asked = spread_items([item for item in items if item.id not in chosen_by], count)
    return [item.probe for item in asked if item.probe is not None]


@pytest.mark.timeout(900)
def test_facts_that_are_overwritten_are_lost_and_blamed_on_the_rows_that_did_it(
    demo_model: Path, tmp_path: Path
) -> None:
    rows, planted = plant_facts([probe for probe in list_asked(96) if probe.family in PLANTED_FAMILIES])
    settings = ("train.max_steps=40", "train.learning_rate=1e-3", "evaluate.retention_items=96", *SMALL_SIDES)
    found = run_rows(rows, tmp_path, *set_all(*settings))
    assert found["code"] == 0
    assert found["decision"] != "ship"
    lost = [item for item in found["lost_items"] if item in planted]
    learnt, named = find_named(tmp_path, planted, lost)
    assert len(learnt) >= 3
    assert len(named) >= NAMED * len(learnt), set(learnt) - set(named)


@pytest.mark.timeout(900)
def test_answers_of_other_questions_are_never_worth_shipping(demo_model: Path, tmp_path: Path) -> None:
    """The form of an answer is learnt from them, and beats a base that scores near zero; the content is not there."""
    rows = shuffle_answers([row for row in read_demo() if row["task"] == "convert"], seed=1)
    found = run_rows(rows, tmp_path, *set_all("train.max_steps=14", "evaluate.retention_items=24"))
    assert found["code"] == 0
    assert found["decision"] != "ship"
    # What must not happen is a lead over the control, however the base is beaten.
    assert "beats_control" not in found["reasons"]
