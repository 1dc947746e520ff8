"""`run`, `demo` and `resume`: what they ask of the pipeline, how they end, what they show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from tests.cli.conftest import HOSTILE, Call, FakePipeline, make_run, make_verdict
from tuneproof.cli.screens.verdict import draw_summary
from tuneproof.config import RunConfig
from tuneproof.messages import tell
from tuneproof.records import Retention
from tuneproof.records.verdict import Decision


def test_run_hands_the_command_line_as_typed(rows: str, call: Call, pipeline: FakePipeline) -> None:
    assert call("run", rows, "--model", "demo", "--set", "data.system_prompt=Be kind", "--restart").code == 0
    (request,) = pipeline.requests
    assert request.command == "tuneproof run rows.jsonl --model demo --set 'data.system_prompt=Be kind' --restart"
    assert (request.out, request.restart, request.until) == (Path("runs/rows-demo"), True, "report")
    assert request.config.data.system_prompt == "Be kind"


def test_demo_is_run_on_its_own_model_and_rows_within_seven_minutes(call: Call, pipeline: FakePipeline) -> None:
    assert call("demo").code == 0
    (request,) = pipeline.requests
    config = request.config
    assert (config.model.name, config.data.task, config.train.time_limit) == ("demo", "task", 420.0)
    assert Path(config.data.files[0]).is_file()
    assert (request.out, request.command) == (Path("runs/demo"), "tuneproof demo")


def test_the_demo_s_time_and_folder_can_be_changed(call: Call, pipeline: FakePipeline) -> None:
    call("demo", "--time", "5min", "--out", "elsewhere")
    (request,) = pipeline.requests
    assert (request.config.train.time_limit, request.out) == (300.0, Path("elsewhere"))


@pytest.mark.parametrize(("decision", "code"), [("ship", 0), ("dont_ship", 10), ("not_enough_evidence", 11)])
def test_the_verdict_decides_the_exit_code_only_with_gate(
    decision: Decision, code: int, rows: str, call: Call, pipeline: FakePipeline
) -> None:
    pipeline.decision = decision
    assert call("run", rows, "--model", "demo").code == 0
    assert call("run", rows, "--model", "demo", "--gate").code == code


def test_the_summary_is_verdict_gain_loss_next_step(rows: str, call: Call, pipeline: FakePipeline) -> None:
    out = call("run", rows, "--model", "demo").out
    wanted = (
        "SHIP", "It gained.", "+61.0 points", "+52.0 to +69.0", "n = 135", "+35.0 points", "invoice [b]x[/b]",
        "Question 2?", "runs/rows-demo/report.html", "1 min 15 s", "tuneproof chat runs/rows-demo",
    )  # fmt: skip
    places = [out.find(text) for text in wanted]
    assert -1 not in places
    assert places == sorted(places)
    assert "Question 3?" not in out


def test_nothing_is_said_of_forgetting_where_the_base_could_answer_nothing() -> None:
    nothing = Retention(n=0, base_right=0, lost=0, gained=0, p_value=None, loss_upper95=None)
    console = Console(width=80)
    with console.capture() as taken:
        console.print(draw_summary(make_verdict("not_enough_evidence").model_copy(update={"retention": nothing})))
    (line,) = (line for line in taken.get().splitlines() if "Answers lost, net" in line)
    assert line.split(maxsplit=3)[-1].strip() == "not measured"


def test_one_screen_is_enough(rows: str, call: Call, pipeline: FakePipeline) -> None:
    pipeline.decision = "not_enough_evidence"
    assert len(call("run", rows, "--model", "demo").out.splitlines()) <= 50


def test_text_of_a_model_is_text(rows: str, call: Call, pipeline: FakePipeline) -> None:
    done = call("run", rows, "--model", "demo")
    assert "[bold red]owned[/bold red] :warning: [2Jevil" in done.out
    assert "[[[bold red]owned[/bold red] :warning: [2Jevil]]" in done.err
    for sign in ("\x1b", "\x07", "\u202e"):
        assert sign not in done.out + done.err
    assert HOSTILE not in done.out


def test_reasons_are_told_where_it_does_not_ship(rows: str, call: Call, pipeline: FakePipeline) -> None:
    pipeline.decision = "dont_ship"
    out = call("run", rows, "--model", "demo").out
    assert tell("report.decision.dont_ship") in out
    assert "- The gain over the base is real" in out


def test_resume_goes_on_to_the_report(call: Call, pipeline: FakePipeline) -> None:
    done = call("resume", "runs/first")
    assert pipeline.resumed == [(Path("runs/first"), "report")]
    assert "SHIP" in done.out


def test_json_is_the_verdict_and_the_places(rows: str, call: Call, pipeline: FakePipeline) -> None:
    done = call("run", rows, "--model", "demo", "--json")
    told = json.loads(done.out)
    assert (told["decision"], told["task"]["n"]) == ("ship", 135)
    assert (told["run"], told["adapter"]) == ("runs/rows-demo", "runs/rows-demo/adapter")


def test_train_ends_before_measuring(rows: str, call: Call, pipeline: FakePipeline) -> None:
    Path("run.yaml").write_text("model: {name: demo}\ndata: {files: [rows.jsonl]}\n", encoding="utf-8")
    done = call("train", "run.yaml", "--set", "train.epochs=2")
    (request,) = pipeline.requests
    assert (request.until, request.out, request.config.train.epochs) == ("train", Path("runs/rows-demo"), 2)
    assert "1 min 01 s" in done.out or "1 min 1 s" in done.out
    assert "tuneproof eval runs/rows-demo" in done.out


def test_train_goes_on_in_a_run_folder(call: Call, pipeline: FakePipeline) -> None:
    make_run(Path("runs/first"), RunConfig())
    assert json.loads(call("train", "runs/first", "--json").out)["training"]["steps"] == 3
    assert pipeline.resumed == [(Path("runs/first"), "train")]


def test_a_run_folder_takes_no_new_settings(call: Call, pipeline: FakePipeline) -> None:
    make_run(Path("runs/first"), RunConfig())
    done = call("train", "runs/first", "--set", "train.epochs=2")
    assert (done.code, pipeline.resumed) == (2, [])
    assert "runs/first" in done.err


def test_train_needs_a_file_or_a_folder(call: Call, pipeline: FakePipeline) -> None:
    done = call("train", "nowhere.yaml")
    assert done.code == 2
    assert "nowhere.yaml" in done.err


def test_eval_counts_answers_with_interval_and_n(call: Call, pipeline: FakePipeline) -> None:
    done = call("eval", "runs/first")
    assert pipeline.resumed == [(Path("runs/first"), "drift")]
    assert "75.0 %" in done.out
    assert "30.1 % to 95.4 %" in done.out
    told = json.loads(call("eval", "runs/first", "--json").out)
    tuned = next(one for one in told["suites"] if (one["suite"], one["arm"]) == ("test", "tuned"))
    assert (tuned["n"], tuned["right"], tuned["score"], tuned["cut"]) == (4, 3, 0.75, 1)
