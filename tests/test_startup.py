"""What must start fast loads no torch: each is run in a process of its own, which then lists what it has loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "peft", "scipy", "datasets", "pandas")
SCRIPT = """
import runpy, sys
try:
    {code}
except SystemExit as stop:
    assert stop.code in (0, None), stop.code
finally:
    print("loaded:", *sorted(set({heavy!r}) & set(sys.modules)), file=sys.stderr)
"""
COMMANDS: tuple[list[str], ...] = (
    [],
    ["--help"],
    ["run", "--help"],
    ["report", "--help"],
    ["config", "show"],
    ["config", "schema"],
)


def run_and_list(code: str) -> tuple[str, list[str]]:
    """What the code printed, and which heavy packages it has loaded."""
    script = SCRIPT.format(code=code, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, encoding="utf-8", check=True)
    last = done.stderr.strip().splitlines()[-1]
    return done.stdout, last.removeprefix("loaded:").split()


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert run_and_list("import tuneproof; print(tuneproof.__version__)") == ("0.1.0\n", [])


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_command_that_touches_no_weights_loads_nothing_heavy(arguments: list[str]) -> None:
    code = f"sys.argv = ['tuneproof', *{arguments!r}]; runpy.run_module('tuneproof', run_name='__main__')"
    shown, loaded = run_and_list(code)
    assert shown.strip()
    assert loaded == []


def test_the_probe_sees_what_is_loaded() -> None:
    assert run_and_list("import scipy") == ("", ["scipy"])
