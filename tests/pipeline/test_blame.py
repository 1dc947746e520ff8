"""Blame on a finished tiny run: records for any item, sketches kept, every way to ask for what is not there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.pipeline.test_chain import copy_run, make_config, write_rows
from tuneproof.errors import RunError, UsageError
from tuneproof.pipeline import BlameRequest, RunRequest, blame_item, report_run, run_all
from tuneproof.pipeline.blame import CHECKPOINTS, KEPT, Case, find_cases, find_steps
from tuneproof.progress import Quiet
from tuneproof.records import Answer, Blame, LostItem, Message, RunRecord, Selection, Verdict
from tuneproof.records.blame import Suite
from tuneproof.rundir import RunDir
from tuneproof.training.checkpoint import list_checkpoints, publish_checkpoint


class Heard(Quiet):
    """Keeps how far the stage of interest came."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.done: list[int] = []

    def begin(self, stage: str, total: int | None = None) -> None:
        self.total = total

    def advance(self, done: int, **facts: float) -> None:
        self.done.append(done)


@pytest.fixture(scope="module")
def finished(tiny_qwen_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A run whose last checkpoint was chosen, and one of whose probes is written down as lost."""
    folder = tmp_path_factory.mktemp("blame")
    config = make_config(write_rows(folder / "rows.jsonl", 200), tiny_qwen_dir, languages=["en"], scales=[1.0])
    config.train.learning_rate, config.train.max_steps, config.train.save_steps = 3e-3, 24, 8
    config.data.system_prompt = "Be brief."
    run = run_all(RunRequest(config, folder / "run", command="tuneproof run rows.jsonl"), Quiet())
    selection = run.load(Selection)
    selection.checkpoint = 24
    run.save(selection)
    return add_lost(run)


def add_lost(run: RunDir) -> RunDir:
    """The random base has nothing right, so a loss is made: its answer to a probe, called right."""
    base, tuned = run.load_answers("base", "retention"), run.load_answers("tuned", "retention")
    base[0].right, tuned[0].right = True, False
    for arm, answers in (("base", base), ("tuned", tuned)):
        run.save_answers(arm, "retention", answers)
    verdict = run.load(Verdict)
    item = LostItem(
        id=tuned[0].id, family="f", prompt=tuned[0].prompt, reference="r", base=base[0].answer, tuned=tuned[0].answer
    )
    verdict.retention.lost_items = [item]
    run.save(verdict)
    return run


def ask(run: RunDir, item: str, top: int = 5) -> list[Blame]:
    return blame_item(BlameRequest(run.path, item, top), Quiet())


def test_the_lost_answers_are_explained_and_kept(finished: RunDir, tmp_path: Path) -> None:
    run = copy_run(finished, tmp_path)
    heard = Heard()
    (blame,) = blame_item(BlameRequest(run.path, "lost"), heard)
    assert run.load_blames() == [blame]
    lost = run.load(Verdict).retention.lost_items[0]
    assert (blame.id, blame.suite, blame.tuned, blame.base) == (lost.id, "retention", lost.tuned, lost.base)
    assert (blame.right, blame.against, blame.checkpoints) == (False, "base", [8, 16, 24])
    assert blame.n == len(run.load_rows("train")) + len(run.load_rows("replay"))
    assert heard.total == heard.done[-1] == (blame.n + 1) * 3
    scores = [row.score for row in blame.rows]
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[-1] <= scores[0] <= 1
    by_id = {row.id: row for name in ("train", "replay") for row in run.load_rows(name)}
    for row in blame.rows:
        assert (row.file, row.line) == (by_id[row.id].file, by_id[row.id].line)
        assert (row.prompt, row.answer) == (by_id[row.id].question, by_id[row.id].reference)
        assert row.replay == (row.task == "replay")
    page = report_run(run.path, "en").read_text(encoding="utf-8")
    assert "Rows that pushed this way" in page


def test_asked_again_nothing_is_made_again_and_the_answer_is_the_same(finished: RunDir, tmp_path: Path) -> None:
    run = copy_run(finished, tmp_path)
    first = ask(run, "lost")
    caches = sorted(run.blame.glob("rows-checkpoint-*.npz"))
    assert [cache.name for cache in caches] == [f"rows-checkpoint-{step}.npz" for step in (16, 24, 8)]
    made = {cache: cache.stat().st_mtime_ns for cache in caches}
    heard = Heard()
    assert blame_item(BlameRequest(run.path, "lost"), heard) == first
    assert {cache: cache.stat().st_mtime_ns for cache in caches} == made
    assert len(heard.done) == 2 * 3


def test_a_test_row_is_asked_as_the_run_asked_it(finished: RunDir, tmp_path: Path) -> None:
    run = copy_run(finished, tmp_path)
    row = run.load_rows("test")[0]
    (case,) = find_cases(run, row.id)
    assert (case.suite, case.messages) == ("test", row.prompt)
    assert case.messages[0].content == "Be brief."
    (blame,) = ask(run, row.id)
    assert (blame.suite, blame.prompt, blame.reference) == ("test", row.question, row.reference)


def test_a_record_keeps_more_rows_than_are_shown_and_all_that_are_asked_for(finished: RunDir, tmp_path: Path) -> None:
    run = copy_run(finished, tmp_path)
    every = ask(run, "lost", top=1000)[0].rows
    assert len(every) > KEPT
    assert ask(run, "lost", top=1)[0].rows == every[:KEPT]
    assert ask(run, "lost", top=KEPT + 1)[0].rows == every[: KEPT + 1]


def test_only_below_the_blame_folder_is_anything_written(finished: RunDir, tmp_path: Path) -> None:
    run = copy_run(finished, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*") if path.is_file()}
    ask(run, "lost")
    after = {path: path.stat().st_mtime_ns for path in run.path.rglob("*") if path.is_file()}
    assert {path for path in after if after[path] != before.get(path)} == set(run.blame.iterdir())


def test_nothing_lost_is_no_error_and_needs_no_model(finished: RunDir, tmp_path: Path) -> None:
    run = copy_run(finished, tmp_path)
    verdict = run.load(Verdict)
    verdict.retention.lost_items = []
    run.save(verdict)
    shutil.rmtree(run.checkpoints)
    assert ask(run, "lost") == []


def test_an_id_that_is_not_there_is_answered_with_the_nearest(finished: RunDir) -> None:
    known = finished.load_answers("tuned", "retention")[3].id
    with pytest.raises(UsageError) as caught:
        ask(finished, f"{known}x")
    assert caught.value.key == "blame.no_item"
    assert known in caught.value.hint()
    assert f"tuneproof blame {finished.path} lost" in caught.value.hint("zh")


def test_what_a_run_lacks_is_named(finished: RunDir, tmp_path: Path) -> None:
    run = copy_run(finished, tmp_path)
    weights = run.checkpoints / "checkpoint-24" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert find_steps(run) == [8, 16]
    shutil.rmtree(run.checkpoints / "checkpoint-8")
    (run.checkpoints / "checkpoint-16" / "optimizer.pt").unlink()
    with pytest.raises(RunError) as caught:
        ask(run, "lost")
    assert caught.value.key == "blame.no_checkpoint"
    assert "checkpoint-16: optimizer.pt is missing" in caught.value.message()
    run.answers_path("tuned", "retention").unlink()
    with pytest.raises(RunError) as caught:
        ask(run, "lost")
    assert (caught.value.key, caught.value.exit_code) == ("blame.not_measured", 6)


def test_another_base_than_the_runs_is_refused(finished: RunDir, tmp_path: Path) -> None:
    run = copy_run(finished, tmp_path)
    record = run.load(RunRecord)
    record.fingerprint["base"] = "another"
    run.save(record)
    with pytest.raises(RunError) as caught:
        ask(run, "lost")
    assert caught.value.key == "run.other"


def test_checkpoints_are_spread_and_end_with_the_chosen_one(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    for step in range(10, 110, 10):
        stage = tmp_path / "stage"
        stage.mkdir()
        (stage / "state").write_text("", encoding="utf-8")
        run.checkpoints.mkdir(exist_ok=True)
        publish_checkpoint(stage, run.checkpoints / f"checkpoint-{step}")
    assert len(list_checkpoints(run.checkpoints)) == 10
    run.save(Selection(checkpoint=90, scale=0.5, reason="", candidates=[]))
    assert find_steps(run) == [20, 40, 60, 90]
    run.save(Selection(checkpoint=20, scale=0.5, reason="", candidates=[]))
    assert find_steps(run) == [10, 20]
    assert CHECKPOINTS == 4


@pytest.mark.parametrize(
    ("suite", "scorer", "base", "tuned", "against"),
    [
        ("retention", "probe", ("old", True), ("new", False), "base"),
        ("retention", "probe", ("old", False), ("new", False), "base"),
        ("retention", "exact", ("old", False), ("new", False), "reference"),
        ("test", "exact", ("old", True), ("new", False), "base"),
        ("test", "exact", ("old", False), ("new", False), "reference"),
        ("test", "exact", ("old", False), ("new", True), "base"),
        ("test", "exact", ("old", True), ("new", True), None),
        ("retention", "probe", ("old", False), ("old", False), None),
    ],
)
def test_an_answer_is_held_against_what_it_should_be_or_was(
    suite: Suite, scorer: str, base: tuple[str, bool], tuned: tuple[str, bool], against: str | None
) -> None:
    arms = [
        Answer(
            id="x", task="t", scorer=scorer, prompt="p", reference="r", answer=text, score=float(right), right=right,
            tokens=1, finish="end",
        )
        for text, right in (base, tuned)
    ]  # fmt: skip
    assert Case(suite, [Message(role="user", content="p")], *arms).against == against
