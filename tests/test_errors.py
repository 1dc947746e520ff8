"""The tree of user errors: exit codes as the contract has them, both languages, place and way out in the text."""

from __future__ import annotations

import signal

import pytest

from tuneproof.errors import (
    ConfigError,
    DataError,
    Fault,
    FitError,
    ModelError,
    RunError,
    StoppedError,
    TrainingError,
    TuneproofError,
    UsageError,
)
from tuneproof.messages import use_language

LOCKED = {"where": "runs/first", "owner": "pid 7 on here"}


@pytest.mark.parametrize(
    ("kind", "code"),
    [(UsageError, 2), (ModelError, 2), (Fault, 2), (DataError, 3), (FitError, 4), (TrainingError, 5), (RunError, 6)],
)
def test_each_class_has_its_exit_code(kind: type[TuneproofError], code: int) -> None:
    assert kind("run.locked", where="runs/first", owner="pid 7").exit_code == code


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_exits_as_the_shell_expects(number: signal.Signals, code: int) -> None:
    assert StoppedError("run.locked", signal_number=number, owner="me").exit_code == code


def test_an_error_says_what_where_and_what_to_do() -> None:
    error = RunError("run.locked", **LOCKED)
    assert str(error) == f"runs/first: {error.message()} {error.hint()}"
    assert "pid 7 on here" in error.message()
    assert "--out" in error.hint()


def test_an_error_without_a_place_has_no_colon_in_front() -> None:
    error = RunError("run.locked", owner="me")
    assert str(error).startswith(error.message())


def test_an_error_is_told_in_the_language_in_use() -> None:
    error = RunError("run.locked", **LOCKED)
    english = str(error)
    use_language("zh")
    assert error.message() == error.message("zh") != error.message("en")
    assert str(error) != english


def test_a_config_error_tells_every_fault() -> None:
    faults = [
        Fault("config.doubled", where="run.yaml:2", key="train.seed"),
        Fault("config.unknown", where="--set", key="train.sed", nearest="train.seed"),
    ]
    error = ConfigError(faults)
    assert str(error).splitlines() == [str(fault) for fault in faults]
    assert (error.key, error.where, error.exit_code) == ("config.doubled", "run.yaml:2", 2)


def test_a_key_that_no_catalogue_has_is_a_bug() -> None:
    with pytest.raises(KeyError):
        RunError("run.no_such_sentence").message()
