"""A full run asks no other machine for anything, and no token that is in the environment ends up in what it writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.test_chain import write_rows

SECRETS = {
    "HF_TOKEN": "hf_SeCrEtOfTheHub",
    "TUNEPROOF_TOKEN": "SeCrEtOfTheServer",
    "OPENAI_API_KEY": "sk-SeCrEtOfTheJudge",
}
SMALL = {
    "train.max_steps": 4, "replay.fraction": 0.1, "replay.max_new_tokens": 8, "evaluate.retention_items": 12,
    "evaluate.select_rows": 6, "evaluate.max_new_tokens": 6, "evaluate.few_shot": "[]", "evaluate.checkpoints": 1,
    "evaluate.scales": "[1.0]", "evaluate.select_probes": 4, "evaluate.drift_items": 2,
}  # fmt: skip
# Every look-up and connection of this process is written down before it is made, also those that a library hides.
WATCH = """
import os, sys
def watch(event, arguments):
    if event in ("socket.getaddrinfo", "socket.connect", "socket.sendto", "socket.gethostbyname"):
        with open(os.environ["WATCHED"], "a") as file:
            file.write(f"{event} {arguments[-1] if event == 'socket.connect' else arguments[:2]}\\n")
sys.addaudithook(watch)
import json
from tuneproof.cli import run_command
for command in json.loads(sys.argv[1]):
    code = run_command(command)
    assert code == 0, (command, code)
"""


@pytest.fixture(scope="module")
def told(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a full run through the command line, and all that its commands said."""
    folder = tmp_path_factory.mktemp("quiet")
    rows, watched = write_rows(folder / "rows.jsonl", 110), folder / "watched"
    watched.touch()
    questions = folder / "questions.jsonl"
    questions.write_text('{"instruction": "What is asked?"}\n', encoding="utf-8")
    knobs = [part for key, value in SMALL.items() for part in ("--set", f"{key}={value}")]
    hidden = {key: value for key, value in os.environ.items() if key != "HF_HUB_OFFLINE"}
    commands = [
        ["check", str(rows), "--model", str(tiny_model_dir)],
        ["plan", str(rows), "--model", str(tiny_model_dir)],
        ["run", str(rows), "--model", str(tiny_model_dir), "--out", str(folder / "run"), *knobs],
        ["answer", str(folder / "run"), str(questions), "--max-new-tokens", "2"],
        ["report", str(folder / "run")],
        ["doctor", "--json"],
    ]
    done = subprocess.run(
        [sys.executable, "-c", WATCH, json.dumps(commands)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**hidden, **SECRETS, "WATCHED": str(watched), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout + done.stderr


def test_a_full_run_looks_up_and_connects_to_nothing(told: tuple[Path, str]) -> None:
    """Not even this machine, and without being told to be offline."""
    assert (told[0] / "watched").read_text(encoding="utf-8") == ""


def test_the_watch_sees_what_there_is_to_see(tmp_path: Path) -> None:
    watched = tmp_path / "watched"
    script = WATCH.partition("import json")[0] + "import socket\nsocket.getaddrinfo('localhost', 80)\n"
    subprocess.run([sys.executable, "-c", script], env={**os.environ, "WATCHED": str(watched)}, check=True)
    assert "socket.getaddrinfo" in watched.read_text(encoding="utf-8")


def test_no_token_is_written_or_said(told: tuple[Path, str]) -> None:
    folder, said = told
    files = [path for path in (folder / "run").rglob("*") if path.is_file()]
    assert len(files) > 20
    for secret in SECRETS.values():
        assert secret not in said
        assert [path.name for path in files if secret.encode() in path.read_bytes()] == []
