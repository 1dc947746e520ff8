"""Questions to a finished tiny run: the same answers as its own measurement, any file, clear faults."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.pipeline.test_chain import copy_run, make_config, write_rows
from tuneproof.errors import DataError, RunError, UsageError
from tuneproof.pipeline import AnswerRequest, RunRequest, answer_file, run_all
from tuneproof.progress import Quiet
from tuneproof.records import Reply, RunRecord
from tuneproof.records.answer import ArmName
from tuneproof.rundir import RunDir


class Heard(Quiet):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, object]]] = []

    def say(self, key: str, **values: object) -> None:
        self.said.append((key, values))


class Asked(NamedTuple):
    """A file of questions for the run."""

    run: RunDir
    file: Path

    def answer(self, arm: ArmName = "tuned", **more: Any) -> list[Reply]:
        return answer_file(AnswerRequest(self.run.path, self.file, arm)._replace(**more), Quiet())


@pytest.fixture(scope="module")
def finished(tiny_qwen_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A run whose adapter has moved far enough that its answers are others than the base's."""
    folder = tmp_path_factory.mktemp("answer")
    config = make_config(write_rows(folder / "rows.jsonl", 120), tiny_qwen_dir, languages=["en"], scales=[0.5])
    config.train.learning_rate, config.train.max_steps = 3e-3, 40
    config.data.system_prompt = "Be brief."
    config.data.columns = {"output": "output", "instruction": "instruction"}
    return run_all(RunRequest(config, folder / "run", command="", until="drift"), Quiet())


def write(path: Path, lines: Sequence[object]) -> Path:
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_runs_own_test_rows_get_the_answers_that_it_measured(finished: RunDir, tmp_path: Path) -> None:
    """Base and tuned: so weights, scale, system prompt, template and limit are those of the run."""
    asked = [row.question for row in finished.load_rows("test")]
    file = write(tmp_path / "q.jsonl", [{"instruction": text} for text in asked])
    said = {}
    arm: ArmName
    for arm in ("tuned", "base"):
        replies = Asked(finished, file).answer(arm)
        kept = finished.load_answers(arm, "test")
        assert [reply.prompt for reply in replies] == [answer.prompt for answer in kept] == asked
        assert [(reply.answer, reply.finish) for reply in replies] == [(one.answer, one.finish) for one in kept]
        said[arm] = [reply.answer for reply in replies]
    assert said["tuned"] != said["base"]


def test_the_training_file_is_asked_without_its_answers_and_keeps_its_ids(finished: RunDir) -> None:
    file = finished.path.parent / "rows.jsonl"
    replies = Asked(finished, file).answer(max_new_tokens=2)
    rows = {row.id: row for side in ("train", "select", "test") for row in finished.load_rows(side)}
    assert {reply.id: reply.line for reply in replies} == {row.id: row.line for row in rows.values()}
    assert all(reply.prompt == rows[reply.id].question for reply in replies)
    assert all(reply.tokens <= 2 for reply in replies)
    assert any(reply.finish == "length" for reply in replies)


@pytest.mark.parametrize(
    ("name", "lines", "prompts"),
    [
        ("q.txt", ["first?", "", "  second, with commas?"], {1: "first?", 3: "  second, with commas?"}),
        ("q.csv", ["question,answer", "first?,no", "second?,"], {1: "first?", 2: "second?"}),
        ("q.tsv", ["问题\t编号", "第一?\t7"], {1: "第一?"}),
        ("q.json", ['[{"prompt": "first?"}, {"prompt": "second?", "output": "x"}]'], {1: "first?", 2: "second?"}),
        (
            "q.jsonl",
            [
                {"messages": [{"role": "user", "content": "first?"}]},
                {"messages": [{"role": "user", "content": "second?"}, {"role": "assistant", "content": "x"}]},
            ],
            {1: "first?", 2: "second?"},
        ),
    ],
)
def test_any_file_is_read_and_references_are_optional(
    name: str, lines: list[object], prompts: dict[int, str], finished: RunDir, tmp_path: Path
) -> None:
    replies = Asked(finished, write(tmp_path / name, lines)).answer(max_new_tokens=1)
    assert {reply.line: reply.prompt for reply in replies} == prompts


def test_what_cannot_be_asked_is_named_by_line_and_the_rest_is_answered(finished: RunDir, tmp_path: Path) -> None:
    lines = [{"instruction": "fine?"}, "{broken", {"instruction": " "}, {"instruction": "very long " * 400}]
    file = write(tmp_path / "q.jsonl", lines)
    heard = Heard()
    replies = answer_file(AnswerRequest(finished.path, file, max_new_tokens=1), heard)
    assert [reply.line for reply in replies] == [1]
    told = "\n".join(str(values["reasons"]) for key, values in heard.said if key == "answer.left_out")
    assert [line.split(": ")[0] for line in told.splitlines()] == [f"{file}:{place}" for place in ("2:2", "3", "4")]


def test_a_file_without_a_question_is_refused_with_its_lines(finished: RunDir, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        Asked(finished, write(tmp_path / "q.jsonl", [{"instruction": ""}])).answer()
    assert caught.value.exit_code == 3
    assert f"{tmp_path / 'q.jsonl'}:1: " in str(caught.value)
    with pytest.raises(DataError, match=r"c\.csv:1.*height"):
        Asked(finished, write(tmp_path / "c.csv", ["height,width", "1,2"])).answer()


def test_columns_can_be_named_for_the_file(finished: RunDir, tmp_path: Path) -> None:
    file = write(tmp_path / "q.csv", ["height,width", "how high?,2"])
    (reply,) = Asked(finished, file).answer(max_new_tokens=1, settings=["data.columns={instruction: height}"])
    assert reply.prompt == "how high?"


@pytest.mark.parametrize("name", ["missing.txt", "q.docx", "."])
def test_a_file_that_cannot_be_read_is_wrong_usage(name: str, finished: RunDir, tmp_path: Path) -> None:
    (tmp_path / "q.docx").write_text("x", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        Asked(finished, tmp_path / name).answer()
    assert caught.value.where == str(tmp_path / name)


def test_answers_are_written_where_asked_and_a_bad_place_is_refused_first(finished: RunDir, tmp_path: Path) -> None:
    file = write(tmp_path / "q.txt", ["one?", "two?"])
    replies = Asked(finished, file).answer(max_new_tokens=1, out=tmp_path / "new" / "said.jsonl")
    lines = (tmp_path / "new" / "said.jsonl").read_text(encoding="utf-8").splitlines()
    assert [Reply.model_validate_json(line) for line in lines] == replies
    with pytest.raises(UsageError) as caught:
        Asked(finished, tmp_path / "missing.txt").answer(out=tmp_path)
    assert caught.value.key == "answer.no_place"


def test_the_run_folder_stays_as_it_is(finished: RunDir, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.path.rglob("*")}
    Asked(finished, write(tmp_path / "q.txt", ["one?"])).answer(max_new_tokens=1)
    assert {path: path.stat().st_mtime_ns for path in finished.path.rglob("*")} == before


def test_a_run_without_its_adapter_answers_as_the_base_only(finished: RunDir, tmp_path: Path) -> None:
    run = copy_run(finished, tmp_path)
    weights = run.adapter / "adapter_model.safetensors"
    asked = Asked(run, write(tmp_path / "q.txt", ["one?"]))
    weights.write_bytes(b"damaged")
    with pytest.raises(RunError) as caught:
        asked.answer()
    assert (caught.value.key, caught.value.where) == ("answer.bad_adapter", str(weights))
    weights.unlink()
    with pytest.raises(RunError) as caught:
        asked.answer()
    assert (caught.value.key, caught.value.where) == ("run.missing", str(weights))
    assert len(asked.answer("base", max_new_tokens=1)) == 1


def test_another_base_than_the_runs_is_refused(finished: RunDir, tmp_path: Path) -> None:
    run = copy_run(finished, tmp_path)
    record = run.load(RunRecord)
    record.fingerprint["base"] = "another"
    run.save(record)
    with pytest.raises(RunError) as caught:
        Asked(run, write(tmp_path / "q.txt", ["one?"])).answer()
    assert caught.value.key == "run.other"
    with pytest.raises(RunError) as caught:
        Asked(RunDir(tmp_path / "nothing"), tmp_path / "q.txt").answer()
    assert caught.value.key == "run.not_a_run"
