"""The user's own probes in a run: read before training, asked of both arms, counted in the verdict."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.pipeline.test_chain import make_config, write_rows
from tuneproof.config.load import load_settled
from tuneproof.errors import DataError, RunError, UsageError
from tuneproof.pipeline import RunRequest, run_all
from tuneproof.pipeline.probes import choice_probes, verdict_probes
from tuneproof.pipeline.work import Work
from tuneproof.progress import Quiet
from tuneproof.records import Verdict
from tuneproof.rundir import RunDir


class Listener(Quiet):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, object]]] = []

    def say(self, key: str, **values: object) -> None:
        self.said.append((key, values))


def write_probes(path: Path, leak: str) -> Path:
    """Twelve probes of two families, one row that training asks, one without an answer."""
    lines = [{"question": f"What colour has {thing}?", "answer": "green"} for thing in ("grass", "jade", "moss")]
    lines += [
        {"question": f"{n} boxes hold {n} pens. All pens?", "answer": str(n * n), "task": "sums"} for n in range(9)
    ]
    lines += [{"question": leak, "answer": "x"}, {"question": "Who?", "answer": ""}]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def probed(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunDir, Listener]:
    folder = tmp_path_factory.mktemp("probed")
    data = write_rows(folder / "rows.jsonl", 60)
    # An even number of the tiny rows: most of them are trained on; the first training row is the leak.
    config = make_config(data, tiny_model_dir, retention_items=20, select_probes=4)
    first = run_all(RunRequest(config, folder / "plain", command="", until="train"), Quiet())
    leak = first.load_rows("train")[0].question
    config.evaluate.probes = [str(write_probes(folder / "mine.jsonl", leak))]
    listener = Listener()
    return run_all(RunRequest(config, folder / "run", command="tuneproof run"), listener), listener


def test_what_cannot_be_asked_is_left_out_and_said(probed: tuple[RunDir, Listener]) -> None:
    run, listener = probed
    rows = run.load_rows("probes")
    assert len(rows) == 12
    (values,) = (values for key, values in listener.said if key == "probes.own_left_out")
    assert (values["kept"], values["count"]) == (12, 2)
    assert "mine.jsonl:13" in str(values["reasons"])
    assert "mine.jsonl:14" in str(values["reasons"])
    trained = {row.question for row in run.load_rows("train")}
    assert trained.isdisjoint(row.question for row in rows)
    assert {row.question for row in run.load_rows("replay")}.isdisjoint(row.question for row in rows)


def test_both_arms_answer_them_beside_ours_and_they_count(probed: tuple[RunDir, Listener]) -> None:
    run, _ = probed
    base, tuned = run.load_answers("base", "retention"), run.load_answers("tuned", "retention")
    own = [answer for answer in base if answer.language is None]
    assert [answer.id for answer in base] == [answer.id for answer in tuned]
    assert len(base) == 20
    assert len(own) == 10  # At most half of a limited number.
    assert {answer.family for answer in own} == {"mine", "sums"}
    assert {answer.scorer for answer in own if answer.task == "sums"} == {"number"}
    retention = run.load(Verdict).retention
    counted = retention.n + sum(cell["n"] for cell in retention.left_out.values())
    assert counted == 20
    assert {"mine", "sums"} <= {*retention.by_family, *retention.left_out}
    assert sum(cell["n"] for cell in retention.by_language.values()) <= retention.n


def test_what_is_asked_for_the_choice_is_not_asked_for_the_verdict_though_one_list_is_lost(
    probed: tuple[RunDir, Listener], tmp_path: Path
) -> None:
    """Which of both a probe was for is known from the answers; what is left of them says it for the others."""
    run, _ = probed
    dealt = {suite: {answer.id for answer in run.load_answers("base", suite)} for suite in ("slice", "retention")}
    for lost, draw in (("retention", verdict_probes), ("slice", choice_probes)):
        copy = RunDir(tmp_path / lost)
        shutil.copytree(run.path, copy.path)
        work = Work(copy, load_settled(copy.config), Quiet())
        assert [item.id for item in draw(work)] == [answer.id for answer in run.load_answers("base", lost)]
        (copy.path / "eval" / "base" / f"{lost}.jsonl").unlink()
        found = {item.id for item in draw(Work(copy, load_settled(copy.config), Quiet()))}
        other = "slice" if lost == "retention" else "retention"
        assert found == dealt[lost]
        assert not found & dealt[other]


def test_other_probes_are_another_experiment(probed: tuple[RunDir, Listener], tiny_model_dir: Path) -> None:
    run, _ = probed
    folder = run.path.parent
    other = make_config(folder / "rows.jsonl", tiny_model_dir, retention_items=20, select_probes=4)
    with pytest.raises(RunError) as caught:
        run_all(RunRequest(other, run.path, command=""), Quiet())
    assert caught.value.key == "run.other"


def test_a_probe_file_that_is_not_there_or_has_no_probe_stops_before_training(
    tiny_model_dir: Path, tmp_path: Path
) -> None:
    config = make_config(write_rows(tmp_path / "rows.jsonl", 60), tiny_model_dir, probes=[str(tmp_path / "no.jsonl")])
    with pytest.raises(UsageError):
        run_all(RunRequest(config, tmp_path / "run", command=""), Quiet())
    empty = tmp_path / "empty.jsonl"
    empty.write_text('{"question": "Who?", "answer": ""}\n', encoding="utf-8")
    config.evaluate.probes = [str(empty)]
    with pytest.raises(DataError) as caught:
        run_all(RunRequest(config, tmp_path / "other", command=""), Quiet())
    assert caught.value.key == "probes.none"
    assert not (tmp_path / "other" / "checkpoints").exists()


def test_the_tuned_model_answers_some_training_rows_too(probed: tuple[RunDir, Listener]) -> None:
    run, _ = probed
    seen = run.load_answers("tuned", "train")
    assert len(seen) == min(6, 30)  # As many as select rows.
    assert {answer.id for answer in seen} <= {row.id for row in run.load_rows("train")}
    measured = run.load(Verdict).overfitting
    assert measured["train_rows"] == len(seen)
    assert measured["gap"] is not None
