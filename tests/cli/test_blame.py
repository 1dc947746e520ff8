"""`blame`: what was asked, the first rows in order, the same as JSON, and text of models that commands no terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import HOSTILE, Call, FakePipeline, make_run
from tuneproof.cli.screens.verdict import list_steps
from tuneproof.config import RunConfig
from tuneproof.errors import RunError, UsageError
from tuneproof.pipeline import BlameRequest
from tuneproof.progress import Progress
from tuneproof.records import Blame, BlamedRow, RunRecord, Verdict


def make_blame(name: str) -> Blame:
    """Eight rows to blame for a wrong answer, one of them replay, with text that would break a terminal."""
    rows = [
        BlamedRow(
            id=f"r{n}", file=f"folder/{HOSTILE}/rows.jsonl", line=n + 1, task="task", replay=n == 2, score=0.5 - n / 20,
            prompt=f"ask {n} {HOSTILE}", answer=HOSTILE,
        )
        for n in range(8)
    ]  # fmt: skip
    return Blame(
        id=name, suite="retention", prompt="Question?", reference="Paris", base="Paris.", tuned=HOSTILE, right=False,
        against="base", checkpoints=[20, 40], n=700, spread=7.25, noise_spread=3.1, rows=rows,
    )  # fmt: skip


class Blamer:
    """The verb, on records made here."""

    def __init__(self) -> None:
        self.requests: list[BlameRequest] = []
        self.answer: list[Blame] | BaseException = [make_blame("probe-0"), make_blame("probe-1")]

    def blame_item(self, request: BlameRequest, progress: Progress) -> list[Blame]:
        self.requests.append(request)
        if isinstance(self.answer, BaseException):
            raise self.answer
        progress.begin("blame", 2)
        progress.end("blame")
        return self.answer


@pytest.fixture
def blamer(pipeline: FakePipeline, monkeypatch: pytest.MonkeyPatch) -> Blamer:
    """In the place of the pipeline's verb."""
    fake = Blamer()
    monkeypatch.setattr(pipeline, "blame_item", fake.blame_item)
    return fake


def test_the_first_rows_are_shown_with_their_place(call: Call, blamer: Blamer) -> None:
    blamer.answer = [make_blame("probe-3")]
    done = call("blame", "runs/a b", "probe-3")
    assert done.code == 0
    assert blamer.requests == [BlameRequest(Path("runs/a b"), "probe-3", 5)]
    words = " ".join(done.out.split())
    assert "Item probe-3" in words
    assert "Right Paris" in words
    assert "rows.jsonl:1 task +0.500 ask 0" in words
    assert "replay.jsonl:3" in words
    assert "rows.jsonl:5" in words
    assert "rows.jsonl:6" not in words
    assert "7.2 standard deviations above the mean; noise alone would give 3.1" in words
    assert "checkpoints 20, 40" in words
    assert "tuneproof report 'runs/a b'" in words


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_models_and_rows_say_commands_no_terminal(call: Call, blamer: Blamer, language: str) -> None:
    done = call("blame", "runs/first", "lost", "--lang", language)
    assert done.code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(done.out)
    assert "[bold red]owned" in done.out
    assert ("把回答推向这个错误" if language == "zh" else "pushed towards this wrong answer") in done.out


def test_several_items_end_in_the_rows_that_they_share(call: Call, blamer: Blamer) -> None:
    words = " ".join(call("blame", "runs/first", "lost", "--top", "3").out.split())
    assert "Rows among the first 3 of most of these 2 items" in words
    assert words.count("rows.jsonl:1 ") == 3
    assert "rows.jsonl:4 " not in words


def test_json_has_the_records_with_as_many_rows_as_asked_for(call: Call, blamer: Blamer) -> None:
    blamer.answer = [make_blame("probe-3")]
    done = call("blame", "runs/first", "probe-3", "--top", "2", "--json")
    told = json.loads(done.out)
    assert told["run"] == "runs/first"
    (item,) = told["items"]
    assert (item["id"], item["n"], item["spread"], item["noise_spread"]) == ("probe-3", 700, 7.25, 3.1)
    assert [(row["line"], row["score"], row["replay"]) for row in item["rows"]] == [(1, 0.5, False), (2, 0.45, False)]
    assert item["rows"][0]["file"] == f"folder/{HOSTILE}/rows.jsonl"


def test_nothing_lost_and_nothing_found_are_said(call: Call, blamer: Blamer) -> None:
    blamer.answer = []
    done = call("blame", "runs/first", "lost")
    assert (done.code, "No right answer was lost" in done.out, "tuneproof report" in done.out) == (0, True, False)
    assert json.loads(call("blame", "runs/first", "lost", "--json").out)["items"] == []
    bare = make_blame("x").model_copy(update={"rows": [], "right": True, "spread": None})
    blamer.answer = [bare]
    assert "No training row pushed this way." in call("blame", "runs/first", "x").out


def test_rows_that_do_not_stand_out_are_told_as_such(call: Call, blamer: Blamer) -> None:
    flat = make_blame("x").model_copy(update={"spread": 2.9})
    blamer.answer = [flat]
    words = " ".join(call("blame", "runs/first", "x").out.split())
    assert "No single row stands out" in words


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (UsageError("blame.no_item", where="r", item="prob-3", near="probe-3", run="r"), 2, "Nearest ids: probe-3."),
        (RunError("blame.not_measured", where="r", run="r"), 6, "tuneproof resume r"),
        (RunError("blame.no_checkpoint", where="r", why="checkpoint-4: gone", run="r"), 6, "checkpoint-4: gone"),
        (KeyboardInterrupt(), 130, "there is no result, and nothing was changed"),
    ],
)
def test_errors_say_what_to_do(call: Call, blamer: Blamer, error: BaseException, code: int, told: str) -> None:
    blamer.answer = error
    done = call("blame", "r", "prob-3")
    assert (done.code, done.out) == (code, "")
    assert told in done.err


@pytest.mark.parametrize("arguments", [["runs/first"], ["runs/first", "x", "--top", "0"], []])
def test_a_line_that_lacks_something_is_wrong_usage(call: Call, blamer: Blamer, arguments: list[str]) -> None:
    assert call("blame", *arguments).code == 2
    assert blamer.requests == []


def test_the_closing_summary_names_lost_items_and_the_command(call: Call, pipeline: FakePipeline, rows: str) -> None:
    pipeline.decision = "dont_ship"
    out = call("run", rows, "--model", "demo", "--out", "runs/x y").out
    assert "probe-0" in out
    assert "  tuneproof blame 'runs/x y' lost" in out.splitlines()
    run = make_run(Path("runs/x y"), RunConfig())
    verdict = run.load(Verdict)
    verdict.retention.lost_items = []
    run.save(verdict)
    assert not [line for line in list_steps(run, run.load(RunRecord), "demo") if "blame" in line]
