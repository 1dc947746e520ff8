"""The routes, without a network: OpenAI's shapes, every fault with its status, and nothing of one answer in another."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from tuneproof.serve.load import Served

HELLO = [{"role": "user", "content": "the user asks about an order"}]


def ask(client: TestClient, **fields: Any) -> dict[str, Any]:
    """The body of an answer."""
    body = {"model": "base", "messages": HELLO, "max_tokens": 12, **fields}
    response = client.post("/v1/chat/completions", json=body)
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


def stream(client: TestClient, **fields: Any) -> list[Any]:
    """The events of an answer, read as JSON but for the last."""
    body = {"model": "base", "messages": HELLO, "max_tokens": 12, "stream": True, **fields}
    response = client.post("/v1/chat/completions", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    lines = [line for line in response.text.split("\n\n") if line]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


def say(answer: dict[str, Any]) -> str:
    """Its text."""
    return str(answer["choices"][0]["message"]["content"])


def test_the_names_are_the_base_and_the_runs(client: TestClient) -> None:
    told = client.get("/v1/models").json()
    assert [model["id"] for model in told["data"]] == ["base", "first", "second"]
    assert [model["parent"] for model in told["data"]] == [None, "base", "base"]
    assert client.get("/v1/models/first@0.5").json()["id"] == "first@0.5"
    assert client.get("/v1/models/third").status_code == 404


def test_an_answer_has_openais_shape(client: TestClient) -> None:
    told = ask(client, model="first")
    assert told["object"] == "chat.completion"
    assert told["model"] == "first"
    assert told["id"].startswith("chatcmpl-")
    (choice,) = told["choices"]
    assert (choice["index"], choice["message"]["role"], choice["logprobs"]) == (0, "assistant", None)
    assert choice["finish_reason"] in ("stop", "length")
    usage = told["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert 0 < usage["completion_tokens"] <= 12


def test_a_stream_says_what_the_whole_answer_says(client: TestClient) -> None:
    whole = ask(client, model="second", logprobs=True, top_logprobs=2)
    events = stream(client, model="second", logprobs=True, top_logprobs=2, stream_options={"include_usage": True})
    first, *middle, ending, counted = events
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert "".join(event["choices"][0]["delta"]["content"] for event in middle) == say(whole)
    assert ending["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"]
    assert (counted["choices"], counted["usage"]) == ([], whole["usage"])
    assert {event["id"] for event in events} == {first["id"]}
    scored = [entry for event in middle for entry in event["choices"][0]["logprobs"]["content"]]
    assert scored == whole["choices"][0]["logprobs"]["content"]


def test_log_probabilities_are_of_the_tokens_that_were_said(client: TestClient) -> None:
    told = ask(client, model="first", logprobs=True, top_logprobs=3)
    content = told["choices"][0]["logprobs"]["content"]
    assert len(content) == told["usage"]["completion_tokens"]
    spelled = bytes(byte for entry in content for byte in entry["bytes"])
    assert spelled.decode("utf-8", errors="replace") == say(told)
    for entry in content:
        assert len(entry["top_logprobs"]) == 3
        # Greedy: what was said is the likeliest.
        assert entry["top_logprobs"][0]["logprob"] == entry["logprob"] <= 0
    assert ask(client, model="first", logprobs=True)["choices"][0]["logprobs"]["content"][0]["top_logprobs"] == []


def test_sides_are_told_apart_and_a_scale_of_zero_is_the_base(client: TestClient) -> None:
    names = ["base", "first", "second", "first@0.5", "first@0", "second@0.0", "first@1"]
    said = {name: ask(client, model=name, logprobs=True)["choices"][0] for name in names}
    for choice in said.values():
        del choice["message"]["role"]
    assert said["first@0"] == said["second@0.0"] == said["base"]
    assert said["first@1"] == said["first"]
    texts = [said[name]["message"]["content"] for name in ("base", "first", "second", "first@0.5")]
    assert len(set(texts)) == 4


def test_a_seed_fixes_a_draw_and_temperature_makes_it_one(client: TestClient) -> None:
    drawn = {"temperature": 1.5, "max_tokens": 24}
    assert say(ask(client, seed=7, **drawn)) == say(ask(client, seed=7, **drawn))
    assert len({say(ask(client, seed=seed, **drawn)) for seed in range(5)}) == 5
    assert len({say(ask(client, **drawn)) for _ in range(3)}) == 3
    assert say(ask(client, temperature=1.5, top_p=1e-9)) == say(ask(client))


def test_a_stop_string_ends_the_answer_and_is_no_part_of_it(client: TestClient) -> None:
    whole = say(ask(client, max_tokens=40))
    stop = whole[7:10]
    told = ask(client, max_tokens=40, stop=[stop, "never said"])
    assert say(told) == whole[: whole.index(stop)]
    assert told["choices"][0]["finish_reason"] == "stop"
    events = stream(client, max_tokens=40, stop=stop)
    assert "".join(event["choices"][0]["delta"].get("content", "") for event in events) == say(told)


def test_text_in_parts_and_developers_are_understood(client: TestClient) -> None:
    parts = [{"type": "text", "text": "the user asks "}, {"type": "text", "text": "about an order"}]
    assert say(ask(client, messages=[{"role": "user", "content": parts}])) == say(ask(client))
    as_system = ask(client, messages=[{"role": "system", "content": "be brief"}, *HELLO])
    assert say(ask(client, messages=[{"role": "developer", "content": "be brief"}, *HELLO])) == say(as_system)


Change = Callable[[dict[str, Any]], None]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"model": "third"}, 404, "model_not_found"),
        ({"model": "first@3"}, 404, "model_not_found"),
        ({"model": "first@0.5@0.5"}, 404, "model_not_found"),
        ({"model": "base@0.5"}, 404, "model_not_found"),
        ({"model": "first@nan"}, 404, "model_not_found"),
        ({"model": "../first"}, 404, "model_not_found"),
        ({"model": "first%2e"}, 404, "model_not_found"),
        ({"model": "x" * 10_000}, 422, "invalid_value"),
        ({"model": "\ud800"}, 422, "invalid_value"),
        ({"messages": []}, 422, "invalid_value"),
        ({"messages": [{"role": "tool", "content": "x"}]}, 422, "invalid_value"),
        ({"messages": [{"role": "user", "content": "half \udc00"}]}, 422, "invalid_value"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, 422, "invalid_value"),
        ({"messages": [{"role": "user", "content": "word " * 4000}]}, 400, "context_length_exceeded"),
        ({"n": 2}, 422, "invalid_value"),
        ({"n": True}, 422, "invalid_value"),
        ({"max_tokens": 0}, 422, "invalid_value"),
        ({"max_tokens": 10**9}, 422, "invalid_value"),
        ({"temperature": -1}, 422, "invalid_value"),
        ({"temperature": float("nan")}, 422, "invalid_value"),
        ({"top_p": 0}, 422, "invalid_value"),
        ({"stop": ["a"] * 5}, 422, "invalid_value"),
        ({"stop": ""}, 422, "invalid_value"),
        ({"top_logprobs": 3}, 422, "invalid_value"),
        ({"logprobs": True, "top_logprobs": 21}, 422, "invalid_value"),
        ({"presence_penalty": 0.5}, 422, "invalid_value"),
        ({"tools": [{"type": "function"}]}, 422, "invalid_value"),
        ({"response_format": {"type": "json_object"}}, 422, "invalid_value"),
        ({"seed": 2**70}, 422, "invalid_value"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_what_cannot_be_done_is_refused_in_openais_shape(
    fields: dict[str, Any], status: int, code: str, client: TestClient
) -> None:
    body = {"model": "base", "messages": HELLO, **fields}
    response = client.post(
        "/v1/chat/completions", content=json.dumps(body), headers={"content-type": "application/json"}
    )
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert error["code"] == code
    assert error["message"]
    assert set(error) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    "content", [b"{", b"[" * 100_000, b"\xff\xfe", b"", b"null", b'{"model": 1e999}'], ids=lambda sent: repr(sent[:12])
)
def test_a_body_that_is_no_request_is_refused(content: bytes, client: TestClient) -> None:
    response = client.post("/v1/chat/completions", content=content, headers={"content-type": "application/json"})
    assert response.status_code in (400, 422)
    assert response.json()["error"]["message"]


def test_unknown_paths_and_methods_have_the_shape_too(client: TestClient) -> None:
    for method, path, status in (("GET", "/v1/chat/completions", 405), ("POST", "/v2/x", 404), ("GET", "/docs", 404)):
        response = client.request(method, path)
        assert response.status_code == status
        assert response.json()["error"]["type"] == "invalid_request_error"


def test_the_proof_of_sides(client: TestClient) -> None:
    told = client.post("/v1/sides", json={"model": "first", "messages": HELLO}).json()
    assert told["proven"] is True
    assert told["base"] == told["off"] != told["tuned"]
    other = client.post("/v1/sides", json={"model": "second@0.5", "messages": HELLO}).json()
    assert (other["base"], other["proven"]) == (told["base"], True)
    assert other["tuned"] != told["tuned"]
    assert client.post("/v1/sides", json={"model": "base", "messages": HELLO}).status_code == 422


def test_health_and_metrics_tell_what_happened(client: TestClient, served: Served) -> None:
    told = client.get("/health").json()
    assert told == {"status": "ok", "models": ["base", "first", "second"], "running": 0, "waiting": 0}
    ask(client, model="first@0.25", max_tokens=3)
    client.post("/v1/chat/completions", json={"model": "nobody", "messages": HELLO})
    text = client.get("/metrics").text
    assert 'tuneproof_requests_total{end="length",model="first"} 1.0' in text
    assert 'tuneproof_tokens_total{kind="answer",model="first"} 3.0' in text
    assert "nobody" not in text
    assert "tuneproof_running 0.0" in text
