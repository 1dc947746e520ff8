"""Experiments whose truth is known, on the real demo model at small size; `benchmarks/known_truth.py` has all."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.known_truth import TOP, call, plant_facts, read_demo, run_rows, shuffle_answers

QUICK = (
    "evaluate.test_rows=20",
    "evaluate.select_rows=5",
    "evaluate.checkpoints=1",
    "evaluate.scales=[1.0]",
    "evaluate.few_shot=[]",
    "evaluate.select_probes=10",
    "evaluate.reworded_rows=0",
    "evaluate.train_rows=1",
    "evaluate.drift_items=5",
)


def set_all(*settings: str) -> list[str]:
    return [part for setting in (*QUICK, *settings) for part in ("--set", setting)]


@pytest.mark.timeout(500)
def test_facts_that_are_overwritten_are_lost_and_blamed_on_the_rows_that_did_it(
    demo_model: Path, tmp_path: Path
) -> None:
    rows, questions = plant_facts([], families=("places",))
    settings = ("train.max_steps=50", "evaluate.retention_items=150", "replay.fraction=0.05")
    found = run_rows(rows, tmp_path, *set_all(*settings))
    assert found["code"] == 0
    lost = [item for item in found["lost_items"] if item in questions]
    assert len(lost) >= 3
    assert found["decision"] != "ship"
    _, blamed = call("blame", str(tmp_path / "run"), "lost", "--top", str(TOP))
    rows_of = {one["id"]: [row["prompt"] for row in one["rows"][:TOP]] for one in blamed["items"]}
    named = [item for item in lost if set(rows_of[item]) & set(questions[item])]
    assert len(named) >= 0.8 * len(lost), rows_of


@pytest.mark.timeout(500)
def test_answers_of_other_questions_are_never_worth_shipping(demo_model: Path, tmp_path: Path) -> None:
    """The form of an answer is learnt from them, and beats a base that scores near zero; the content is not there."""
    rows = shuffle_answers([row for row in read_demo() if row["task"] in ("convert", "extract")], seed=1)
    found = run_rows(rows, tmp_path, *set_all("train.max_steps=25", "evaluate.retention_items=40"))
    assert found["code"] == 0
    assert found["decision"] != "ship"
    # What must not happen is a lead over the control, however the base is beaten.
    assert "beats_control" not in found["reasons"]
