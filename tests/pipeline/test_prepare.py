"""What is said before anything is trained: how small a difference the test split can show, and what moved."""

from __future__ import annotations

import json
from pathlib import Path

from tuneproof.config import RunConfig
from tuneproof.pipeline.rows import prepare_rows
from tuneproof.progress import Quiet
from tuneproof.statistics import detectable_effect

TOWNS = ("Bonn", "Ulm", "Kiel", "Trier", "Mainz", "Worms", "Soest", "Celle", "Emden", "Jena")


def write_rows(path: Path, count: int) -> RunConfig:
    rows = [
        {"question": f"How far is {TOWNS[at % 10]} from stop {at * 7919}, by road {at}?", "answer": f"{at} km"}
        for at in range(count)
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    config = RunConfig()
    config.data.files = [str(path)]
    return config


def test_the_smallest_difference_that_can_be_found_is_known_before_training(tmp_path: Path) -> None:
    summary = prepare_rows(write_rows(tmp_path / "rows.jsonl", 400), Quiet()).report.split
    assert summary is not None
    assert summary.test == 100
    assert summary.minimum_detectable_effect == detectable_effect(100)


def test_without_a_test_split_nothing_can_be_found(tmp_path: Path) -> None:
    prepared = prepare_rows(write_rows(tmp_path / "rows.jsonl", 40), Quiet())
    assert prepared.report.split is not None
    assert (prepared.report.split.test, prepared.report.split.minimum_detectable_effect) == (0, None)
    assert prepared.report.counts["too_few_rows"] == 1


def test_a_row_without_a_tokenizer_is_a_quarter_of_its_characters(tmp_path: Path) -> None:
    prepared = prepare_rows(write_rows(tmp_path / "rows.jsonl", 40), Quiet())
    row = prepared.rows[5]
    assert prepared.lengths == {}
    assert prepared.measure(row) == (len(row.question + row.reference) // 4, len(row.reference) // 4)


def test_with_a_model_its_tokens_are_counted(tmp_path: Path, tiny_model_dir: Path) -> None:
    config = write_rows(tmp_path / "rows.jsonl", 80)
    config.model.name, config.data.max_tokens = str(tiny_model_dir), 16
    prepared = prepare_rows(config, Quiet())
    tokens = prepared.report.tokens
    assert tokens.max == max(size for size, _ in prepared.lengths.values())
    assert tokens.supervised_share is not None
    assert 0 < tokens.supervised_share < 1
    long = [found for found in prepared.report.findings if found.kind == "over_length"]
    assert [found.values["limit"] for found in long] == [16] * len(long)
    assert len(long) == sum(size > 16 for size, _ in prepared.lengths.values())
