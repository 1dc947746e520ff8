"""The real demo model through the command line, on a small slice of the real chain."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SMALL = [
    "train.max_steps=8",
    "train.batch_size=4",
    "train.learning_rate=2e-3",
    "evaluate.test_rows=12",
    "evaluate.select_rows=5",
    "evaluate.retention_items=16",
    "evaluate.checkpoints=1",
    "evaluate.scales=[1.0]",
    "evaluate.few_shot=[]",
    "evaluate.select_probes=8",
    "evaluate.drift_items=2",
    "evaluate.max_new_tokens=24",
    "evaluate.train_rows=3",
    "evaluate.batch_size=16",
    "evaluate.languages=[en]",
    "evaluate.reworded_rows=3",
    "replay.fraction=0.005",
    "replay.max_new_tokens=16",
]


def run_tuneproof(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tuneproof", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=dict(os.environ), check=False)


@pytest.mark.timeout(400)
def test_the_demo_goes_from_data_to_a_verdict(demo_model: Path, tmp_path: Path) -> None:
    settings = [part for setting in SMALL for part in ("--set", setting)]
    done = run_tuneproof("demo", "--out", str(tmp_path / "run"), "--json", *settings)
    assert done.returncode == 0, done.stderr
    verdict = json.loads(done.stdout)
    assert verdict["task"]["n"] == 12
    assert verdict["task"]["base"] < 0.3
    left_out = sum(cell["n"] for cell in verdict["retention"]["left_out"].values())
    assert verdict["retention"]["n"] + left_out == 16
    assert left_out < 8
    assert verdict["retention"]["base_right"] > 5
    assert verdict["decision"] in ("ship", "dont_ship", "not_enough_evidence")
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "tuneproof demo" in page
    report = json.loads((tmp_path / "run" / "data" / "report.json").read_text(encoding="utf-8"))
    for kind in ("duplicate", "contradiction", "empty_output", "placeholder_output", "leaked_turn"):
        assert report["counts"].get(kind), kind
    losses = [
        event["loss"]
        for line in (tmp_path / "run" / "events.jsonl").read_text(encoding="utf-8").splitlines()
        if (event := json.loads(line))["kind"] == "step"
    ]
    assert len(losses) == 8
    assert sum(losses[-3:]) < 0.85 * sum(losses[:3])


def test_an_unknown_model_and_an_unknown_key_are_named_without_a_traceback(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"instruction": "a", "output": "b"}\n', encoding="utf-8")
    for arguments, code in (
        (["run", str(rows), "--model", "./no/model", "--out", str(tmp_path / "a")], 2),
        (["run", str(rows), "--model", "./no/model", "--set", "lora.rnk=3", "--out", str(tmp_path / "b")], 2),
        (["run", str(tmp_path / "no.jsonl"), "--model", "./no/model", "--out", str(tmp_path / "c")], 2),
    ):
        done = run_tuneproof(*arguments)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
    assert "lora.rank" in run_tuneproof("config", "show", "--set", "lora.rnk=3").stderr
