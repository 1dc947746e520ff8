"""What reaches the streams: exit codes by error, one JSON object, traces, other encodings, readers that go away."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import tuneproof
from tests.cli.conftest import HOSTILE, Call, FakePipeline, make_report
from tuneproof.cli import run_command
from tuneproof.cli.manner import Manner
from tuneproof.cli.screens.data import draw_check
from tuneproof.cli.show import Screen
from tuneproof.errors import (
    DataError,
    FitError,
    ModelError,
    RunError,
    StoppedError,
    TrainingError,
    TuneproofError,
    UsageError,
)

ERRORS: list[tuple[TuneproofError, int]] = [
    (UsageError("cli.bad_size", where="--memory", text="6"), 2),
    (ModelError("config.no_model", where="model.name"), 2),
    (DataError("data.no_usable_row", where="rows.jsonl:1", count=1, reasons="none"), 3),
    (FitError("disk.full", where="runs", needed=9, free=1), 4),
    (TrainingError("train.no_rows"), 5),
    (RunError("run.not_a_run", where="runs/x"), 6),
    (StoppedError("train.stopped", signal_number=int(signal.SIGINT), step=3, steps=9, run="runs/a"), 130),
    (StoppedError("train.stopped", signal_number=int(signal.SIGTERM), step=3, steps=9, run="runs/a"), 143),
]


@pytest.mark.parametrize(("error", "code"), ERRORS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_user_error_ends_with_its_code_place_and_way_out(
    error: TuneproofError, code: int, language: str, rows: str, call: Call, pipeline: FakePipeline
) -> None:
    pipeline.failure = error
    done = call("run", rows, "--model", "demo", "--lang", language)
    assert done.code == code
    assert done.out == ""
    assert "Traceback" not in done.err
    assert error.where is None or error.where in done.err
    assert (("Error: " in done.err) or ("错误：" in done.err)) != isinstance(error, StoppedError)
    assert error.message("zh" if language == "zh" else "en") in done.err
    assert error.hint("zh" if language == "zh" else "en") in done.err


def test_debug_shows_the_trace_of_a_user_error(rows: str, call: Call, pipeline: FakePipeline) -> None:
    pipeline.failure = ERRORS[0][0]
    done = call("check", rows, "--debug")
    assert done.code == 2
    assert "Traceback (most recent call last)" in done.err
    assert "6GiB" in done.err


def test_a_bug_keeps_its_trace_and_says_how_to_report_it(rows: str, call: Call, pipeline: FakePipeline) -> None:
    pipeline.failure = ZeroDivisionError(f"zero {HOSTILE}")
    done = call("check", rows)
    assert done.code == 1
    assert "Traceback (most recent call last)" in done.err
    assert "ZeroDivisionError" in done.err
    assert "tuneproof doctor" in done.err
    assert "\x1b" not in done.err


def test_ctrl_c_is_no_bug(rows: str, call: Call, pipeline: FakePipeline) -> None:
    pipeline.failure = KeyboardInterrupt()
    done = call("check", rows)
    assert done.code == 130
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rows.jsonl"), ("plan", "rows.jsonl", "--model", "demo"), ("run", "rows.jsonl", "--model", "demo"),
        ("demo",), ("resume", "r"), ("train", "rows.jsonl"), ("eval", "r"), ("doctor",), ("config", "show"),
        ("config", "schema"), ("run", "gone"), ("rum",),
    ],
    ids=lambda arguments: " ".join(arguments),
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "zh"])
def test_json_is_one_object_on_stdout(
    arguments: tuple[str, ...], language: str, rows: str, call: Call, pipeline: FakePipeline
) -> None:
    done = call(*arguments, "--json", "--lang", language)
    assert isinstance(json.loads(done.out), dict)
    assert "Traceback" not in done.err
    assert ("a library talks" in done.err) == bool(pipeline.configs)


def test_an_error_in_json_has_code_places_and_hints(call: Call, pipeline: FakePipeline) -> None:
    done = call("config", "show", "--json", "--set", "lora.rnk=1", "--set", "lora.alfa=1")
    error = json.loads(done.out)["error"]
    assert (done.code, error["exit_code"], error["kind"]) == (2, 2, "ConfigError")
    assert [set(fault) for fault in error["faults"]] == [{"where", "message", "hint"}] * 2


def test_a_bug_in_json_is_an_object_too(rows: str, call: Call, pipeline: FakePipeline) -> None:
    pipeline.failure = ZeroDivisionError()
    assert json.loads(call("check", rows, "--json").out)["error"]["exit_code"] == 1


@pytest.mark.parametrize("encoding", ["cp936", "ascii", "cp1252"])
def test_a_console_without_unicode_gets_ascii_bars_and_no_crash(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    screen = Screen(Manner("en", json=False, debug=False), "tuneproof")
    screen.show({}, draw_check(make_report()), ["emoji \U0001f600"])
    with screen.follow() as progress:
        progress.show_mask([("问 \U0001f600", True)], 1, 1)
    shown = [stream.buffer.getvalue().decode(encoding) for stream in streams]
    assert "#" * 24 in shown[0]
    assert "\\U0001f600" in shown[0]
    assert "\\U0001f600]]" in shown[1]


@pytest.mark.parametrize("encoding", ["utf-8", "cp936"])
def test_json_survives_any_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    said = {"text": "问 \U0001f600 \udc80"}
    Screen(Manner("en", json=True, debug=False), "tuneproof").show(said)
    assert json.loads(stream.buffer.getvalue().decode(encoding)) == said


def start(*arguments: str, **streams: int) -> subprocess.Popen[bytes]:
    """The command line in a process of its own."""
    code = "from tuneproof.cli import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(Path(tuneproof.__file__).parents[1])}
    return subprocess.Popen([sys.executable, "-c", code, *arguments], env=environment, **streams)  # type: ignore[call-overload, no-any-return]


def test_a_reader_that_goes_away_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = start("config", "show", stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    _, noise = process.communicate(timeout=60)
    assert (process.returncode, noise) == (141, b"")


def test_the_exit_code_is_the_process_s(tmp_path: Path) -> None:
    process = start("report", str(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, noise = process.communicate(timeout=60)
    assert (process.returncode, out) == (6, b"")
    assert b"not a run folder" in noise


def test_a_log_that_is_closed_does_not_end_the_work(
    rows: str, pipeline: FakePipeline, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Closed(io.StringIO):
        def write(self, text: str, /) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Closed())
    assert run_command(["run", rows, "--model", "demo"]) == 0
    assert "SHIP" in capsys.readouterr().out
