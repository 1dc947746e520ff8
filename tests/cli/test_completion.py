"""A shell gets its script, and the script gets the commands and options that may come next."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Call
from tuneproof.cli.completion import COMPLETE_VAR


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_each_shell_gets_a_script_that_asks_tuneproof(shell: str, call: Call) -> None:
    script = call("completion", shell).out
    assert COMPLETE_VAR in script
    assert json.loads(call("completion", shell, "--json").out)["script"].splitlines()[0] == script.splitlines()[0]


@pytest.mark.parametrize(
    ("typed", "at", "expected"),
    [("tuneproof res", 1, "resume"), ("tuneproof run --mem", 2, "--memory"), ("tuneproof config sch", 2, "schema")],
)
def test_what_may_come_next_is_told(
    typed: str, at: int, expected: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(COMPLETE_VAR, "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(at))
    done = call()
    assert (done.code, done.out.split()) == (0, [expected])


def test_an_unknown_shell_is_a_usage_error(call: Call) -> None:
    assert call("completion", "tcsh").code == 2
