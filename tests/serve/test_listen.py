"""The server as a process, over a real connection: OpenAI's own client, clients that go, slow ones, an end in order."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import psutil
import pytest

from tests.serve.conftest import TOKEN
from tests.source import ROOT

HELLO: Any = [{"role": "user", "content": "the user asks about an order"}]
SECONDS = 60.0


class Server:
    """A running `tuneproof serve`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        told = ""
        while not told.endswith("\n}\n"):
            line = process.stdout.readline()
            assert line, "the server ended"
            told += line
        self.ready: dict[str, Any] = json.loads(told)
        self.port = int(self.ready["url"].rpartition(":")[2].partition("/")[0])
        self.client = openai.OpenAI(base_url=self.ready["url"], api_key=TOKEN, max_retries=0, timeout=SECONDS)

    def look(self) -> tuple[int, int]:
        """Answers under way and waiting."""
        told = self.client.get("/../health", cast_to=object)
        assert isinstance(told, dict)
        return told["running"], told["waiting"]

    def wait_until_idle(self) -> None:
        end = time.monotonic() + SECONDS
        while self.look() != (0, 0):
            assert time.monotonic() < end
            time.sleep(0.02)


def start(paths: list[Path], script: str = "") -> Server:
    """A server, in a process that runs `script` first."""
    script += "; import sys; from tuneproof.cli import main; main()"
    command = [sys.executable, "-c", script.lstrip("; "), "serve", *map(str, paths), "--port", "0", "--json"]
    environment = {**os.environ, "TUNEPROOF_TOKEN": TOKEN, "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    return Server(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment))


def stop(server: Server, number: int) -> str | None:
    """How an answer that is under way ends after a signal; the signal is the exit code, and all is in order."""
    with server.client.chat.completions.create(model="base", messages=HELLO, max_tokens=200, stream=True) as stream:
        chunks = iter(stream)
        next(chunks)
        server.process.send_signal(number)
        rest = list(chunks)
    _, told = server.process.communicate(timeout=SECONDS)
    assert server.process.returncode == 128 + number
    assert told.endswith("Stopped.\n")
    assert "Traceback" not in told
    assert TOKEN not in told
    finish: str | None = rest[-1].choices[0].finish_reason
    return finish


@pytest.fixture(scope="module")
def server(run_paths: list[Path]) -> Iterator[Server]:
    """A server of both runs, with a token."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LC_ALL", "C.UTF-8")
        started = start(run_paths)
        try:
            yield started
        finally:
            started.process.kill()
            started.process.communicate()


def test_what_it_says_when_it_is_ready(server: Server) -> None:
    assert server.ready["models"] == ["base", "first", "second"]
    assert server.ready["guarded"] is True
    assert set(server.ready["heavy"]) == {"vllm", "llama-server", "ollama"}
    assert TOKEN not in json.dumps(server.ready)


def test_openais_client_works_unchanged(server: Server) -> None:
    client = server.client
    assert [model.id for model in client.models.list()] == ["base", "first", "second"]
    assert client.models.retrieve("second").id == "second"
    whole = client.chat.completions.create(
        model="first", messages=HELLO, max_tokens=8, logprobs=True, top_logprobs=2, seed=1, temperature=0.7, n=1
    )
    (choice,) = whole.choices
    assert whole.usage is not None
    assert choice.logprobs is not None
    assert choice.logprobs.content is not None
    assert len(choice.logprobs.content) == whole.usage.completion_tokens
    chunks = list(
        client.chat.completions.create(
            model="first",
            messages=HELLO,
            max_tokens=8,
            seed=1,
            temperature=0.7,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == choice.message.content
    assert chunks[-1].usage == whole.usage


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_curl_of_the_pages_gets_its_answer(server: Server) -> None:
    """As it is typed, but for the port, the token and the run's name."""
    pages = [ROOT / name for name in ("README.md", "README.zh-CN.md", "docs/serve.md", "docs/serve.zh-CN.md")]
    found = [re.findall(r"^curl .*?[^\\]$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE) for page in pages]
    assert [len(lines) for lines in found] == [1, 1, 2, 2]
    for line in sorted({line for lines in found for line in lines}):
        words = shlex.split(line.replace("\\\n", "").replace(":8000/", f":{server.port}/").replace('"demo', '"first'))
        done = subprocess.run([*words, "-s", "-H", f"Authorization: Bearer {TOKEN}"], capture_output=True, check=True)
        told = json.loads(done.stdout)
        assert told.get("proven", True) is True, told
        assert told.get("choices", [{}])[0].get("finish_reason", "stop") in ("stop", "length"), told
        assert "error" not in told


def test_its_faults_are_the_clients_own(server: Server) -> None:
    create: Any = server.client.chat.completions.create
    with pytest.raises(openai.NotFoundError) as missing:
        create(model="third", messages=HELLO)
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.UnprocessableEntityError):
        create(model="base", messages=HELLO, n=2)
    with pytest.raises(openai.BadRequestError) as long:
        create(model="base", messages=[{"role": "user", "content": "word " * 2000}])
    assert long.value.code == "context_length_exceeded"
    with pytest.raises(openai.AuthenticationError):
        server.client.with_options(api_key="wrong").models.list()


def test_a_stream_comes_before_the_answer_is_whole(server: Server) -> None:
    with server.client.chat.completions.create(
        model="base", messages=HELLO, max_tokens=400, stream=True, logprobs=True
    ) as stream:
        next(iter(stream))
        next(iter(stream))
        assert server.look()[0] == 1
    server.wait_until_idle()


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_ends_its_answer(stream: bool, server: Server) -> None:
    started = time.monotonic()
    server.client.chat.completions.create(model="base", messages=HELLO, max_tokens=300)
    whole = time.monotonic() - started
    before = count_ended(server)
    body = json.dumps({"model": "base", "messages": HELLO, "max_tokens": 400, "stream": stream}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    for _ in range(4):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(head.encode() + body)
            time.sleep(min(0.1, whole / 10))
    server.wait_until_idle()
    after = count_ended(server)
    assert after.get("gone", 0) == before.get("gone", 0) + 4
    assert after.get("length") == before.get("length")


def count_ended(server: Server) -> dict[str, float]:
    """Requests of the base by how they ended, from the metrics."""
    text = server.client.get("/../metrics", cast_to=str)
    lines = [line for line in text.splitlines() if line.startswith("tuneproof_requests_total") and '"base"' in line]
    return {line.partition('end="')[2].partition('"')[0]: float(line.split()[-1]) for line in lines}


def test_32_streaming_clients_get_their_own_answers_and_leave_nothing_behind(server: Server) -> None:
    def ask(at: int) -> str:
        stream = server.client.chat.completions.create(
            model=("base", "first", "second@0.5")[at % 3],
            messages=[{"role": "user", "content": f"order {at // 3 % 8}"}],
            max_tokens=6,
            stream=True,
        )
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    alone = [ask(at) for at in range(24)]
    server.wait_until_idle()
    process = psutil.Process(server.process.pid)
    with ThreadPoolExecutor(32) as pool:
        # The server's pool of threads grows to its size as it is needed; what is asked is whether it stays there.
        threads = 0
        while process.num_threads() > threads:
            threads = process.num_threads()
            list(pool.map(ask, range(64)))
            server.wait_until_idle()
        memory = process.memory_info().rss
        said = list(pool.map(ask, range(256)))
    assert said == [alone[at % 24] for at in range(256)]
    server.wait_until_idle()
    assert process.num_threads() <= threads
    assert process.memory_info().rss < memory + 20 * 2**20


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")
def test_a_request_that_comes_drop_by_drop_is_given_up_and_ctrl_c_is_no_fault(run_paths: list[Path]) -> None:
    server = start(run_paths[:1], "import tuneproof.serve.listen as listen; listen.HEADER_SECONDS = 0.3")
    try:
        for sent in (b"", b"GET /health HTTP/1.1\r\nHost: loc"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as connection:
                connection.sendall(sent)
                assert connection.recv(1) == b""
        # One that is being answered for longer than that is not.
        answer = server.client.chat.completions.create(model="base", messages=HELLO, max_tokens=400)
        assert answer.choices[0].finish_reason is not None
        assert stop(server, signal.SIGINT) in ("stop", "length")
    finally:
        server.process.kill()
        server.process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_sigterm_lets_answers_end(run_paths: list[Path]) -> None:
    server = start(run_paths[:1])
    try:
        assert stop(server, signal.SIGTERM) in ("stop", "length")
    finally:
        server.process.kill()
        server.process.communicate()
