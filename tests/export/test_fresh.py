"""From the command line, in fresh processes: what a user types, sees, and gets as exit code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tuneproof.cli import run_command
from tuneproof.records import Export
from tuneproof.rundir import RunDir


@pytest.fixture
def run(qwen_run: RunDir, exported: dict[str, Export], tmp_path: Path) -> Path:
    """A copy of the run with its exports."""
    shutil.copytree(qwen_run.path, tmp_path / "desk")
    return tmp_path / "desk"


def test_an_export_is_written_proven_and_told_as_json(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(run / "export")
    assert run_command(["export", str(run), "--to", "merged", "--items", "2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["passed"] is True
    (proof,) = told["exports"][0]["parity"]["proofs"]
    assert (proof["reader"], proof["equal"], proof["answers"]) == ("transformers", 2, 2)
    assert (run / "export" / "merged" / "model.safetensors").is_file()
    assert not list((run / "export").glob(".*"))


def test_a_spoilt_export_ends_with_7_and_says_what_differs(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    path = run / "export" / "merged" / "chat_template.jinja"
    text = path.read_text("utf-8")
    assert "'<|im_end|>' + '\\n'" in text
    path.write_text(text.replace("'<|im_end|>' + '\\n'", "'<|im_end|>'"), "utf-8")
    assert run_command(["export", str(run), "--to", "merged", "--check", "--items", "2"]) == 7
    shown = capsys.readouterr().out
    assert "IT DOES NOT ANSWER AS THE RUN DID" in shown
    assert "Text of the chat template" in shown
    kept = json.loads((run / "export" / "merged" / "parity.json").read_text("utf-8"))
    assert kept["passed"] is False


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--to", "merged", "--dtype", "q8_0"], 2, "f32, f16, bf16"),
        (["--to", "peft", "--dtype", "f16"], 2, "leave --dtype out"),
        (["--to", "onnx"], 2, "onnx"),
        ([], 2, "--to"),
    ],
)
def test_what_makes_no_sense_is_told(
    options: list[str], code: int, said: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["export", str(run), *options]) == code
    assert said in capsys.readouterr().err


def test_there_is_nothing_to_check_before_an_export(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(run / "export" / "gguf")
    assert run_command(["export", str(run), "--to", "gguf", "--check"]) == 6
    assert "There is no export to prove" in capsys.readouterr().err
