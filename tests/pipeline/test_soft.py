"""Soft targets of replay, through the chain: replay rows alone have them, and the same ones each time."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tests.pipeline.test_chain import WORDS, make_config, write_rows
from tuneproof.config.load import load_settled
from tuneproof.pipeline import RunRequest, run_all
from tuneproof.pipeline.blame import list_trained
from tuneproof.pipeline.crew import soften_replay
from tuneproof.pipeline.work import Work
from tuneproof.progress import Quiet
from tuneproof.records import Message, Row
from tuneproof.rundir import RunDir
from tuneproof.training.dataset import encode_rows

STEPS = 12


def train(model: Path, folder: Path, name: str, *, soft: bool) -> RunDir:
    """The tiny model ends no answer of its own, so replay is written by hand where the chain would have put it."""
    config = make_config(write_rows(folder / "rows.jsonl", 120), model)
    config.train.max_steps = STEPS
    config.replay.soft = soft
    run = run_all(RunRequest(config, folder / name, command="", until="replay"), Quiet())
    rows = [
        Row(
            id=f"replay-{word}",
            file="replay",
            line=at,
            task="replay",
            messages=[say("user", word), say("assistant", word)],
        )
        for at, word in enumerate(WORDS, start=1)
    ]
    run.save_rows("replay", rows)
    return run_all(RunRequest(config, folder / name, command="", until="train"), Quiet())


def say(role: Literal["user", "assistant"], word: str) -> Message:
    return Message(role=role, content=f"{word} {word}")


def read_adapter(run: RunDir) -> bytes:
    return (run.checkpoints / f"checkpoint-{STEPS}" / "adapter_model.safetensors").read_bytes()


def test_replay_rows_teach_what_the_base_found_likely(tiny_model_dir: Path, tmp_path: Path) -> None:
    plain, soft, again = (
        train(tiny_model_dir, tmp_path, name, soft=name != "plain") for name in ("plain", "soft", "again")
    )
    assert read_adapter(soft) == read_adapter(again) != read_adapter(plain)
    work = Work(soft, load_settled(soft.config), Quiet())
    assert work.rehearsals
    rows = soften_replay(work, encode_rows(work.tokenizer, [*work.lessons, *work.rehearsals]), len(work.lessons))
    told = [row.likely is not None for row in rows.encoded]
    assert told == [False] * len(work.lessons) + [True] * len(work.rehearsals)
    blamed = [row.encoded.likely is not None for row in list_trained(work)]
    assert blamed == [False] * len(work.train_rows) + [True] * len(soft.load_rows("replay"))
    assert rows.digest != encode_rows(work.tokenizer, [*work.lessons, *work.rehearsals]).digest
