"""`answer`: JSON lines on stdout and nothing else there, every character of the model kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import HOSTILE, Call, FakePipeline
from tuneproof.errors import DataError
from tuneproof.pipeline import AnswerRequest


def test_answers_are_json_lines_and_libraries_are_sent_to_stderr(call: Call, pipeline: FakePipeline) -> None:
    done = call("answer", "runs/first", "questions.txt")
    assert done.code == 0
    first, second = [json.loads(line) for line in done.out.splitlines()]
    assert first == {"id": "q1", "line": 1, "prompt": "说吧?", "answer": "fine", "tokens": 1, "finish": "end"}
    assert second["answer"] == HOSTILE
    assert "a library talks" in done.err
    assert pipeline.questions == [AnswerRequest(Path("runs/first"), Path("questions.txt"))]


def test_every_option_reaches_the_pipeline(call: Call, pipeline: FakePipeline) -> None:
    options = ["--arm", "base", "--max-new-tokens", "7", "--out", "said.jsonl", "--set", "data.encoding=gb18030"]
    done = call("answer", "runs/first", "questions.csv", *options)
    assert (done.code, done.out) == (0, "")
    (asked,) = pipeline.questions
    assert asked[2:] == ("base", 7, Path("said.jsonl"), ["data.encoding=gb18030"])


def test_json_is_one_object(call: Call, pipeline: FakePipeline) -> None:
    told = json.loads(call("answer", "runs/first", "questions.txt", "--json").out)
    assert (told["run"], told["arm"], told["out"]) == ("runs/first", "tuned", None)
    assert [answer["line"] for answer in told["answers"]] == [1, 2]


@pytest.mark.parametrize("wrong", [["--max-new-tokens", "0"], ["--arm", "control"], []], ids=str)
def test_wrong_usage_is_refused_before_anything_is_read(wrong: list[str], call: Call, pipeline: FakePipeline) -> None:
    done = call("answer", "runs/first", *(["questions.txt"] if wrong else []), *wrong)
    assert (done.code, done.out, pipeline.questions) == (2, "", [])


def test_an_error_leaves_stdout_empty(call: Call, pipeline: FakePipeline) -> None:
    pipeline.failure = DataError("answer.no_question", where="q.txt:1", count=1, reasons="q.txt:1: empty")
    done = call("answer", "runs/first", "q.txt")
    assert (done.code, done.out) == (3, "")
    assert "q.txt:1" in done.err
