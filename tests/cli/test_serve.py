"""`serve`: what is refused before anything is loaded, and what it says. The server itself is tested in tests/serve."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.serve.runs import make_run
from tuneproof.cli.manner import Manner
from tuneproof.cli.serve import draw_ready
from tuneproof.cli.show import Screen
from tuneproof.serve.listen import Ready


@pytest.fixture(scope="module")
def run(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A finished run."""
    return str(make_run(tmp_path_factory.mktemp("serve") / "first", tiny_model_dir).path)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "example.org"])
def test_another_address_than_this_machines_own_needs_a_token(host: str, call: Call, run: str) -> None:
    done = call("serve", run, "--host", host)
    assert (done.code, done.out) == (2, "")
    assert "TUNEPROOF_TOKEN" in done.err
    assert "no token is set" in done.err


@pytest.mark.parametrize("token", [" a", "line\nend", "é"])
def test_a_token_that_no_header_can_carry_is_refused(token: str, call: Call, run: str) -> None:
    done = call("serve", run, "--token", token)
    assert (done.code, "--token: No HTTP header" in done.err.replace("Error: ", "")) == (2, True)


def test_a_port_that_is_taken_is_told_before_anything_is_loaded(call: Call, run: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = call("serve", run, "--port", str(taken.getsockname()[1]))
    assert (done.code, done.out) == (2, "")
    assert "cannot be listened on" in done.err
    assert "Loading" not in done.err


def test_folders_that_cannot_be_served_are_refused(call: Call, run: str, tmp_path: Path) -> None:
    assert call("serve", str(tmp_path)).code == 6
    assert call("serve", run, run).code == 2
    assert call("serve").code == 2


def test_a_missing_package_is_named(call: Call, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tuneproof.serve.listen", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    done = call("serve", run)
    assert done.code == 2
    assert "The package uvicorn is not installed" in done.err
    assert "pip install 'tuneproof[web]'" in done.err


def test_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    ready = Ready("http://127.0.0.1:8000/v1", ["base", "first"], True, "cpu", "float32", 4096, 32, {"vllm": ["vllm x"]})
    Screen(Manner("en", json=False, debug=False), "").show({}, draw_ready(ready))
    shown = capsys.readouterr().out
    for part in ("http://127.0.0.1:8000/v1", "base, first", "first@0.5", "Bearer TOKEN", "4,096", "32 answers"):
        assert part in shown
