"""How a run stands, read from its folder: stages, time left, speed, scores and samples as they come."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.report.conftest import make_answer, make_plan, write_begun, write_complete
from tuneproof.messages import load_catalogue
from tuneproof.records import RunRecord, StageRecord, Standing
from tuneproof.report.page import gather_page
from tuneproof.rundir import RunDir
from tuneproof.web.live import (
    StageLine,
    estimate_left,
    gather_live,
    gather_samples,
    line_up,
    measure_speed,
    tell_note,
)


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return write_begun(tmp_path / "one")


def make_steps(count: int, seconds: float = 2.0) -> list[dict[str, object]]:
    return [
        {"time": 100 + seconds * n, "kind": "step", "step": n, "loss": 1.0, "tokens": 600, "trained_tokens": 200}
        for n in range(1, count + 1)
    ]


def test_speed_is_that_of_the_last_steps() -> None:
    speed = measure_speed([*make_steps(30, 9.0), *make_steps(40)])
    assert speed is not None
    assert (speed.tokens, speed.trained, speed.step_seconds) == (300, 100, 2.0)
    assert measure_speed(make_steps(1)) is None
    assert measure_speed([{"kind": "step", "time": 1, "step": 1}, {"kind": "said"}]) is None


def test_stages_are_done_at_work_or_ahead(run: RunDir) -> None:
    record = run.load(RunRecord)
    record.stages = {"check": StageRecord(status="done", seconds=1.0), "base": StageRecord(status="done", seconds=60.0)}
    lines = line_up(record, make_plan(), Standing(stage="train", done=3, total=60, begun=0, time=0))
    assert [(line.name, line.mark) for line in lines] == [
        ("check", "done"), ("base", "done"), ("train", "now"), ("tuned", "ahead"),
    ]  # fmt: skip
    assert (lines[1].planned, lines[1].real, lines[3].planned) == (70, 60.0, 66)


def test_a_stage_inside_another_stands_behind_what_is_done(run: RunDir) -> None:
    lines = line_up(run.load(RunRecord), make_plan(), Standing(stage="load", begun=0, time=0))
    assert [(line.name, line.mark) for line in lines][:2] == [("load", "now"), ("base", "ahead")]


@pytest.mark.parametrize(
    ("standing", "steps", "left"),
    [
        (Standing(stage="train", done=40, total=60, begun=0, time=0), 40, 20 * 2.0 + 66),
        (Standing(stage="train", done=1, total=60, begun=0, time=0), 1, 190 - 50 + 66),
        (Standing(stage="train", done=30, total=60, begun=0, time=0), 0, 50 + 66),
        (Standing(stage="train", done=0, total=None, begun=0, time=0), 0, 190 - 50 + 66),
        (None, 0, None),
    ],
)
def test_time_left_is_by_own_speed_then_by_plan(standing: Standing | None, steps: int, left: float | None) -> None:
    stages = [
        StageLine("base", "done", 70, 60),
        StageLine("train", "now", 190, None),
        StageLine("tuned", "ahead", 66, None),
    ]
    assert estimate_left(stages, standing, measure_speed(make_steps(steps)), now=50.0) == left


def test_without_a_plan_nothing_is_foretold() -> None:
    standing = Standing(stage="check", begun=0, time=0)
    assert estimate_left([StageLine("check", "now", None, None)], standing, None, now=1.0) is None


def save_candidates(run: RunDir) -> None:
    run.save_answers("base", "select", [make_answer(n, "base", ("invoice", "policy")[n % 2]) for n in range(8)])
    for step, scale in ((40, 1.0), (20, 1.0), (40, 0.5)):
        answers = [make_answer(n, "tuned", ("invoice", "policy")[n % 2]) for n in range(6)]
        run.save_answers("select", f"checkpoint-{step}@{scale:g}", answers)


def test_candidates_are_shown_before_one_is_chosen(run: RunDir) -> None:
    save_candidates(run)
    (run.path / "eval" / "select" / "checkpoint-x@y.jsonl").write_text("{", encoding="utf-8")
    (run.path / "eval" / "select" / "checkpoint-60@1.jsonl").write_text("{half", encoding="utf-8")
    live = gather_live(run, None, now=0.0)
    assert live.selection is not None
    assert [(one.checkpoint, one.scale, one.n) for one in live.selection.candidates] == [
        (20, 1.0, 6), (40, 1.0, 6), (40, 0.5, 6),
    ]  # fmt: skip


def test_samples_are_the_same_prompts_of_both_sides_one_a_task(run: RunDir) -> None:
    save_candidates(run)
    samples = gather_samples(run)
    assert [sample.base.task for sample in samples] == ["invoice", "policy"]
    for sample in samples:
        assert [step for step, _ in sample.tuned] == ["20", "40", "40 ×0.5"]
        assert all(answer.id == sample.base.id for _, answer in sample.tuned)


def test_what_a_checkpoint_said_in_training_gives_way_when_it_is_scored(run: RunDir) -> None:
    save_candidates(run)
    for step in (10, 20):
        run.save_answers("samples", f"checkpoint-{step}", [make_answer(0, "base", "invoice")])
    (first, *_) = gather_samples(run)
    assert [step for step, _ in first.tuned] == ["10", "20", "40", "40 ×0.5"]
    live = gather_live(run, None, now=0.0)
    assert live.selection is not None
    assert 10 not in {one.checkpoint for one in live.selection.candidates}, "a sample is no score"


def test_a_finished_run_shows_how_it_went(tmp_path: Path) -> None:
    live = gather_live(write_complete(write_begun(tmp_path / "one")), None, now=0.0)
    assert (live.state, live.left, live.standing) == ("done", None, None)
    assert live.selection is not None
    assert live.selection.checkpoint == 60
    assert live.spent == pytest.approx(345.5)
    assert len(live.losses) == 60
    assert live.peak == gather_page(RunDir(tmp_path / "one"), "en").measured_peak


@pytest.mark.parametrize("place", ["plan.json", "progress.json", "eval/selection.json"])
def test_a_damaged_record_hides_only_itself(run: RunDir, place: str) -> None:
    (run.path / place).parent.mkdir(parents=True, exist_ok=True)
    (run.path / place).write_text("{", encoding="utf-8")
    assert gather_live(run, None, now=0.0).state == "lost"


def test_what_a_run_said_is_told_in_the_readers_language() -> None:
    event = {"kind": "said", "key": "data.no_test", "values": {"rows": 9}}
    english, chinese = (pair.format(rows=9) for pair in load_catalogue()["data.no_test"])
    assert (tell_note(event, "en"), tell_note(event, "zh")) == (english, chinese)
    assert tell_note({"kind": "end", "error": "disk <full>"}, "zh") == "disk <full>"
    cut = {"kind": "said", "key": "time.cut", "values": {"cut": "test rows 136 -> 100"}}
    assert tell_note(cut, "zh").endswith("测试数据：136 -> 100")


@pytest.mark.parametrize("values", [None, {}, {"other": 1}, "text", [1]])
def test_a_sentence_of_another_version_stands_as_it_was_noted(values: object) -> None:
    assert "gone.away" in tell_note({"kind": "said", "key": "gone.away", "values": values}, "en")
    assert tell_note({"kind": "said", "key": "data.no_test", "values": values}, "en")
