"""A conversation with both sides: each goes on from its own answers, Ctrl-C ends an answer and not the conversation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.serve.test_engine import wait_until_idle
from tuneproof.errors import UsageError
from tuneproof.serve.load import Served
from tuneproof.serve.talk import ARMS, Arm, Talk, append_row

HELLO = "the user asks about an order"


def hear_nothing(arm: Arm, text: str) -> None:
    """Nobody listens."""


def test_each_side_goes_on_from_its_own_answers(served: Served) -> None:
    talk = Talk(served, limit=6)
    first = talk.ask(HELLO, hear_nothing)
    said = {arm: [message.content for message in talk._say(arm, "next", talk.turns)] for arm in ARMS}
    assert said["base"] == [HELLO, first.replies["base"].text, "next"]
    assert said["tuned"] == [HELLO, first.replies["tuned"].text, "next"]
    assert said["base"] != said["tuned"]


def test_what_is_heard_is_what_is_kept(served: Served) -> None:
    heard: dict[Arm, str] = {"base": "", "tuned": ""}

    def hear(arm: Arm, text: str) -> None:
        heard[arm] += text

    turn = Talk(served, limit=9).ask(HELLO, hear)
    assert heard == {arm: reply.text for arm, reply in turn.replies.items()}


def test_ctrl_c_ends_the_answers_and_the_conversation_goes_on(served: Served) -> None:
    def interrupt(arm: Arm, text: str) -> None:
        raise KeyboardInterrupt

    talk = Talk(served, limit=400)
    turn = talk.ask(HELLO, interrupt)
    assert {reply.ending for reply in turn.replies.values()} == {"cancelled"}
    wait_until_idle(served.engine)
    talk.reset()
    assert talk.ask(HELLO, hear_nothing).replies["base"].text != ""


def test_a_correction_takes_the_place_of_the_answer(served: Served, tmp_path: Path) -> None:
    talk = Talk(served, limit=4)
    talk.ask(HELLO, hear_nothing)
    assert talk.save(tmp_path / "rows.jsonl", "It has left.") == 1
    talk.ask("when?", hear_nothing)
    assert talk.save(tmp_path / "rows.jsonl") == 2
    row = json.loads((tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()[1])
    assert [message["content"] for message in row["messages"][:3]] == [HELLO, "It has left.", "when?"]


def test_a_scale_is_one_that_the_server_has_too(served: Served) -> None:
    talk = Talk(served, limit=4)
    assert [talk.set_scale(text) for text in ("0.25", "3", "x", "", "-1")] == [True, False, False, False, False]
    assert talk.name_of("tuned") == "first@0.25"
    assert talk.prove().proven
    assert talk.set_scale("0")
    assert talk.prove().proven, "at 0 the proof is of the adapter at 1"


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        append_row(tmp_path / "missing" / "rows.jsonl", [])
    assert caught.value.key == "chat.no_file"
