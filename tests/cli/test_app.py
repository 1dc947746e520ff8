"""Every command: help with examples that can be pasted, in both languages, and the options that all have."""

from __future__ import annotations

import dataclasses
import shlex
from typing import get_args, get_type_hints

import pytest

from tests.cli.conftest import Call, FakePipeline
from tuneproof import __version__
from tuneproof.cli import _list_commands
from tuneproof.cli.app import Command
from tuneproof.messages import load_catalogue

COMMANDS = _list_commands()
LINES = [example for command in COMMANDS for example in command.examples]
LANGUAGES = ("en", "zh")


def name_command(command: Command) -> str:
    return command.name


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", COMMANDS, ids=name_command)
def test_help_shows_every_example_on_one_line(command: Command, language: str, call: Call) -> None:
    done = call(*command.name.split(), "--help", "--lang", language)
    assert done.code == 0
    lines = [line.strip() for line in done.out.splitlines()]
    assert command.examples
    for example in command.examples:
        assert f"tuneproof {command.name}" in example
        assert example in lines


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", COMMANDS, ids=name_command)
def test_help_names_every_option_and_explains_it(command: Command, language: str, call: Call) -> None:
    shown = " ".join(call(*command.name.split(), "--help", "--lang", language).out.replace("│", " ").split())
    place = LANGUAGES.index(language)
    for name, hint in get_type_hints(command.options, include_extras=True).items():
        declared = get_args(hint)[1]
        # A line may be broken between any two Chinese letters.
        assert load_catalogue()[declared.help][place].split("；")[0].split(" ")[0] in shown.replace(" ", ""), name
        for flag in [text for text in (declared.param_decls or ()) if text.startswith("--")]:
            assert flag in shown
    assert load_catalogue()["cli.option.help"][place] in shown


@pytest.mark.parametrize("command", COMMANDS, ids=name_command)
def test_every_command_takes_json_lang_and_debug(command: Command) -> None:
    assert {"json", "lang", "debug"} <= {field.name for field in dataclasses.fields(command.options)}


@pytest.mark.parametrize("line", LINES)
def test_every_example_is_a_command_line_that_parses(
    line: str, call: Call, pipeline: FakePipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file of the examples is there, so they end in an error of theirs: never in one of the command line's form.

    The web app needs no file: it is asked to serve, and does not.
    """
    asked: list[object] = []
    monkeypatch.setattr("tuneproof.web.serve_app", lambda settings, announce: asked.append(settings))
    own = line.rpartition("| ")[2].partition(" >")[0]
    variables, _, typed = own.partition("tuneproof ")
    for variable in shlex.split(variables):
        monkeypatch.setenv(*variable.split("=", 1))
    words = shlex.split(typed)
    done = call(*words)
    assert bool(asked) is (words[0] == "ui")
    assert done.code in (0, 2, 4, 6)
    assert "Traceback" not in done.err
    if done.code == 2:
        # A machine of the tests has no two GPUs.
        said = ("There is no such file", "There is no such config file", "GPUs are asked for")
        assert any(one in done.err for one in said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_root_lists_the_commands(language: str, call: Call) -> None:
    done = call("--lang", language, "--help")
    assert done.code == 0
    for command in COMMANDS:
        assert command.name.split()[0] in done.out
    assert load_catalogue()["cli.help.tuneproof"][LANGUAGES.index(language)] in done.out


def test_without_a_command_the_help_is_shown(call: Call) -> None:
    assert call() == call("--help")


def test_the_version_is_told(call: Call) -> None:
    done = call("--version")
    assert (done.code, done.out) == (0, f"tuneproof {__version__}\n")
