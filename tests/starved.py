"""A training run, or answers, in a process that may take only so much more memory: a real failure to allocate.

    python -m tests.starved train MODEL_FOLDER OUT_FOLDER PACK_TOKENS MEGABYTES
    python -m tests.starved answers MODEL_FOLDER - ROWS MEGABYTES

MEGABYTES are what may be allocated beyond what is there after a warm-up (RLIMIT_DATA; 0: as much as is wanted). Prints
one JSON object: losses, answers, and what was made lighter. Linux only.
"""

from __future__ import annotations

import json
import re
import resource
import sys
from pathlib import Path
from typing import Any

import torch

from tuneproof.config import RunConfig
from tuneproof.model.chat import Encoded
from tuneproof.model.generate import Generated, generate_answers
from tuneproof.model.load import add_adapter, load_base
from tuneproof.model.recovery import Listeners, answer_within_memory
from tuneproof.model.step import build_pack, sum_loss
from tuneproof.records import Message, Row
from tuneproof.training.dataset import RowSet
from tuneproof.training.recovery import Shape
from tuneproof.training.train import StepLog, train_adapter
from tuneproof.training.trainer import StepReport

LENGTH, ROWS, STEPS = 2000, 8, 3
PROMPT, NEW = 400, 4


def starve(megabytes: int) -> None:
    """Let this process have that much more memory and no more."""
    if megabytes:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        held = int(re.findall(r"VmData:\s+(\d+) kB", status)[0]) * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (held + megabytes * 2**20, resource.RLIM_INFINITY))


def make_rows() -> RowSet:
    """Long rows of random tokens, so that activations outweigh everything else."""
    generator = torch.Generator().manual_seed(0)
    said = [Message(role="user", content="q"), Message(role="assistant", content="a")]
    encoded = [
        Encoded(torch.randint(0, 300, (LENGTH,), generator=generator).tolist(), [False] * 1000 + [True] * 1000)
        for _ in range(ROWS)
    ]
    return RowSet([Row(id=str(n), file="f", line=n, task="t", messages=said) for n in range(ROWS)], encoded)


def train(model: Any, folder: Path, pack_tokens: int, megabytes: int) -> dict[str, object]:
    """A short training run."""
    rows = make_rows()
    config = RunConfig()
    config.train.learning_rate, config.train.max_steps, config.train.save_steps = 1e-3, STEPS, STEPS
    sum_loss(model, build_pack([rows.encoded[0]], "cpu"), chunk=64).backward()
    model.zero_grad(set_to_none=True)
    starve(megabytes)
    steps: list[StepReport] = []
    lighter: list[object] = []
    log = StepLog([], steps.append, on_lighter=lambda step, change: lighter.append([step, *change]))
    shape = Shape(pack_tokens=pack_tokens, loss_chunk=256, plain_head=True)
    train_adapter(model, rows, config=config, shape=shape, folder=folder, log=log)
    return {"losses": [report.loss for report in steps], "lighter": lighter}


def answer(model: Any, rows: int, megabytes: int) -> dict[str, object]:
    """Answers to prompts of one length."""
    prompts = [[10 + at] * PROMPT for at in range(rows)]
    generate_answers(model, prompts[:1], limits=[NEW], ends=[])
    starve(megabytes)
    fewer: list[list[int]] = []
    heard: list[int] = []

    def hear(ended: Any) -> None:
        heard.extend(ended)

    def note(before: int, now: int) -> None:
        fewer.append([before, now])

    answers: list[Generated] = answer_within_memory(
        model, prompts, limits=[NEW] * rows, ends=[], batch_size=rows, listeners=Listeners(hear, note)
    )
    return {"answers": [one.ids for one in answers], "fewer": fewer, "heard": sorted(heard)}


def main(what: str, model_folder: str, out: str, size: int, megabytes: int) -> None:
    """Run it and print what came out."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    base = load_base(model_folder, device="cpu", dtype="float32")
    model = add_adapter(base.model, rank=4, alpha=8, dropout=0.0, targets="all-linear")
    found = train(model, Path(out), size, megabytes) if what == "train" else answer(model, size, megabytes)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
