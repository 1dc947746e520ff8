"""`chat` on a tiny run: both sides, the commands, a pipe in the place of a keyboard."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.serve.runs import make_run

QUESTION = "the user asks about an order"


@pytest.fixture(scope="module")
def run(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A finished run."""
    return str(make_run(tmp_path_factory.mktemp("chat") / "first", tiny_model_dir).path)


def type_lines(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def test_both_sides_answer_and_a_pipe_is_enough(call: Call, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    type_lines(monkeypatch, QUESTION, "", "/scale 0.5", "/scale 9", "/quit", "never asked")
    done = call("chat", run, "--max-new-tokens", "6")
    assert done.code == 0
    assert f"> {QUESTION}" in done.out
    assert "base  6 tokens" in done.out
    assert "first  6 tokens" in done.out
    assert "first@0.5  6 tokens" in done.out
    assert "never asked" not in done.out
    assert "Sides proven" in done.err
    assert "A scale is a number from 0 to 2" in done.err


def test_json_tells_every_turn(call: Call, run: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    type_lines(monkeypatch, QUESTION, "/scale 0", "/save", "/save 它已发货。", "and now?", "/nonsense")
    done = call("chat", run, "--json", "--max-new-tokens", "5", "--save", "better.jsonl")
    told = json.loads(done.out)
    assert (told["run"], told["saved"]) == (run, 2)
    first, again, second = told["turns"]
    assert (first["question"], first["scale"], again["scale"]) == (QUESTION, 1.0, 0.0)
    assert first["replies"]["base"]["text"] != first["replies"]["tuned"]["text"]
    assert again["replies"]["tuned"]["text"] == first["replies"]["base"]["text"]
    assert second["question"] == "and now?"
    rows = [json.loads(line) for line in (tmp_path / "better.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["messages"][-1]["content"] for row in rows] == [again["replies"]["tuned"]["text"], "它已发货。"]
    assert rows[1]["messages"][0] == {"role": "user", "content": QUESTION}
    assert "Rows in better.jsonl now: 2." in done.err
    assert f"tuneproof run better.jsonl --from {run}" in done.err
    assert "There is no such command" in done.err


def test_saved_rows_are_rows_of_the_next_round(
    call: Call, run: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "first-corrections.jsonl").write_text('{"messages": []}', encoding="utf-8")
    type_lines(monkeypatch, "/save", "/system be brief", QUESTION, "/save Yes.", "/reset", QUESTION, "/save No.")
    call("chat", run, "--max-new-tokens", "2")
    from tuneproof.data.read import read_rows

    read = read_rows([tmp_path / "first-corrections.jsonl"], columns=None, task=None, system_prompt=None, encoding=None)
    asked = [[(message.role, message.content) for message in row.messages] for row in read.rows]
    opened = [("system", "be brief"), ("user", QUESTION)]
    assert asked == [[*opened, ("assistant", "Yes.")], [*opened, ("assistant", "No.")]]


def test_help_lists_the_commands_in_chinese(call: Call, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    type_lines(monkeypatch, "/help", "/proof")
    done = call("chat", run, "--lang", "zh")
    for command in ("/scale 0.5", "/save 文本", "/system 文本", "/proof", "/reset", "/help", "/quit"):
        assert command in done.err
    assert done.err.count("已验证两边") == 2


def test_faults_are_told_and_the_conversation_goes_on(
    call: Call, run: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    type_lines(monkeypatch, "word " * 400, QUESTION, "/save Yes.", "/reset", QUESTION)
    done = call("chat", run, "--max-new-tokens", "2", "--save", str(tmp_path))
    assert done.code == 0
    assert "Begin anew with /reset" in done.err
    assert f"{tmp_path}: The row cannot be written" in done.err
    assert done.out.count("base  2 tokens") == 2


def test_a_folder_that_is_no_run_is_refused(call: Call, tmp_path: Path) -> None:
    done = call("chat", str(tmp_path / "nothing"))
    assert (done.code, done.out) == (6, "")
