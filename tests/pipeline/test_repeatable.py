"""The same rows and seed twice: the same answers and the same verdict, whatever the number of answers side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.data.rows import make_row
from tests.pipeline.test_chain import make_config, write_rows
from tests.pipeline.test_trials import QUICK
from tuneproof.config.load import load_config
from tuneproof.evals.task import hash_items, make_row_items
from tuneproof.pipeline import RunRequest, run_all
from tuneproof.progress import Quiet
from tuneproof.records import Row, Verdict
from tuneproof.rundir import RunDir

ASKED = ("base/test", "base/retention", "base/few_shot", "tuned/test", "tuned/retention", "tuned/reworded")


@pytest.fixture(scope="module")
def runs(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> list[RunDir]:
    """The same run with 8 answers side by side, and with 1; neither takes answers over from the other."""
    folder = tmp_path_factory.mktemp("repeat")
    rows = write_rows(folder / "rows.jsonl", 90)
    made = []
    for number, size in enumerate((8, 1)):
        few = {**QUICK, "scales": [1.0], "test_rows": 16, "reworded_rows": 6}
        config = make_config(rows, tiny_model_dir, batch_size=size, remember=False, **few)
        made.append(run_all(RunRequest(config, folder / f"run-{number}", command=""), Quiet()))
    return made


def read_lines(run: RunDir, suite: str) -> list[dict[str, Any]]:
    text = (run.path / "eval" / f"{suite}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_the_same_seed_gives_the_same_answers_and_verdict(runs: list[RunDir]) -> None:
    first, alone = runs
    for suite in ASKED:
        assert read_lines(first, suite) == read_lines(alone, suite), suite
    assert any(answer["tokens"] for answer in read_lines(first, "tuned/test"))
    verdicts = [run.load(Verdict).model_dump(exclude={"seconds"}) for run in runs]
    assert verdicts[0] == verdicts[1]
    assert verdicts[0]["test_hash"]


def test_the_number_of_threads_is_recorded_for_a_resumed_run(runs: list[RunDir]) -> None:
    """Another number adds up in another order, so a resumed run would not be the same to the bit."""
    config, _ = load_config(runs[0].config)
    assert config.model.threads == torch.get_num_threads()


def test_no_test_item_is_asked_before_the_choice(runs: list[RunDir]) -> None:
    """Candidates meet select rows and the slice of probes only."""
    run = runs[0]
    decided = {answer["id"] for suite in ("base/test", "base/retention") for answer in read_lines(run, suite)}
    candidates = sorted((run.path / "eval" / "select").glob("*.jsonl"))
    assert len(candidates) > 1
    for file in candidates:
        asked = {json.loads(line)["id"] for line in file.read_text(encoding="utf-8").splitlines()}
        assert asked
        assert not asked & decided


def test_the_hash_of_the_test_items_changes_with_what_is_asked() -> None:
    rows = [make_row(f"What is {number}?", str(number), number) for number in range(3)]

    def hash_rows(rows: list[Row]) -> str:
        return hash_items(make_row_items(rows, scorers={}, limits={rows[0].task: 8}, clusters={}))

    assert hash_rows(rows) == hash_rows(list(rows))
    others = [rows[:2], rows[::-1], [*rows[:2], make_row("What is 2?", "two", 2)]]
    assert len({hash_rows(some) for some in [rows, *others]}) == 4
