"""The door to a judge model: what is sent, tried again and given up, and that the key stays where it is."""

from __future__ import annotations

import socket

import pytest

from tests.evals.judging import Reply, Seen, say, serve_judge
from tuneproof.errors import UsageError
from tuneproof.evals.remote import TRIES, Endpoint, ask_model, read_host


def refuse_wait(seconds: float) -> None:
    """For what must not be tried again."""
    raise AssertionError(f"waited {seconds} s")


def test_the_question_arrives_with_model_and_key_and_the_reply_comes_back() -> None:
    with serve_judge(lambda *_: say("[[A]]")) as judge:
        assert ask_model(Endpoint(f"{judge.url}/", "big", "secret"), "Which?") == "[[A]]"
        assert ask_model(Endpoint(judge.url, "big", None), "Which?") == "[[A]]"
    first, second = judge.seen
    assert (first.path, first.key) == ("/v1/chat/completions", "Bearer secret")
    assert first.body == {"model": "big", "messages": [{"role": "user", "content": "Which?"}], "temperature": 0}
    assert second.key is None


def test_a_busy_server_is_asked_again_with_growing_waits_or_as_it_says() -> None:
    replies = [Reply(500, "oops"), Reply(429, "slow", (("Retry-After", "7"),)), Reply(503, "later"), say("[[T]]")]
    waits: list[float] = []
    with serve_judge(lambda number, _: replies[number]) as judge:
        assert ask_model(Endpoint(judge.url, "big", None), "Which?", waits.append) == "[[T]]"
    assert waits == [1.0, 7.0, 4.0]


def test_a_server_that_stays_busy_is_given_up() -> None:
    waits: list[float] = []
    with serve_judge(lambda *_: Reply(503, "later")) as judge, pytest.raises(UsageError, match="503 later"):
        ask_model(Endpoint(judge.url, "big", None), "Which?", waits.append)
    assert len(judge.seen) == TRIES == len(waits) + 1


def test_a_refusal_is_told_at_once_and_does_not_show_the_key() -> None:
    with (
        serve_judge(lambda *_: Reply(401, "bad key: secret-123")) as judge,
        pytest.raises(UsageError, match=r"401 bad key: \*\*\*") as caught,
    ):
        ask_model(Endpoint(judge.url, "big", "secret-123"), "Which?", refuse_wait)
    assert len(judge.seen) == 1
    assert "secret-123" not in str(caught.value)


def test_a_redirect_is_not_followed() -> None:
    """It would carry the key to another server."""
    with serve_judge(lambda *_: say("stolen")) as other:
        away = Reply(302, "", (("Location", f"{other.url}/chat/completions"),))
        with serve_judge(lambda *_: away) as judge, pytest.raises(UsageError, match="302"):
            ask_model(Endpoint(judge.url, "big", "secret"), "Which?", refuse_wait)
    assert other.seen == []


def test_a_server_that_is_not_there_is_told_after_all_tries() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    waits: list[float] = []
    with pytest.raises(UsageError, match="refused"):
        ask_model(Endpoint(f"http://127.0.0.1:{port}/v1", "big", None), "Which?", waits.append)
    assert waits == [1.0, 2.0, 4.0, 8.0]


def test_a_model_without_a_temperature_is_asked_without_one() -> None:
    def answer(_: int, seen: Seen) -> Reply:
        return Reply(400, "unsupported: temperature") if "temperature" in seen.body else say("[[B]]")

    with serve_judge(answer) as judge:
        assert ask_model(Endpoint(judge.url, "big", None), "Which?", refuse_wait) == "[[B]]"


@pytest.mark.parametrize("body", ["<html>", "{}", '{"choices": []}', '{"choices": [{"message": 3}]}', "[]"])
def test_a_reply_of_another_shape_is_told(body: str) -> None:
    with serve_judge(lambda *_: Reply(200, body)) as judge, pytest.raises(UsageError) as caught:
        ask_model(Endpoint(judge.url, "big", None), "Which?", refuse_wait)
    assert caught.value.key == "judge.failed"


def test_a_model_that_says_nothing_says_an_empty_text() -> None:
    with serve_judge(lambda *_: say(None)) as judge:
        assert ask_model(Endpoint(judge.url, "big", None), "Which?") == ""


def test_the_name_of_a_server_holds_no_secret() -> None:
    assert read_host("https://user:word@judge.example:8443/v1") == "judge.example"
    assert [read_host(url) for url in ("ftp://judge.example", "judge.example", "", "http://[")] == [None] * 4
