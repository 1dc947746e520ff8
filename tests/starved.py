"""Training runs, or answers, in processes that may take only so much more memory: a real failure to allocate.

    python -m tests.starved MODEL_FOLDER OUT_FOLDER train,PACK_TOKENS,MEGABYTES answers,ROWS,MEGABYTES ...

MEGABYTES are what may be allocated beyond what is there after a warm-up (RLIMIT_DATA; 0: as much as is wanted). Prints
a JSON list with one object for each: losses, answers, and what was made lighter. Each is a fork of this process, which
has loaded the libraries and computed nothing. Linux only.
"""

from __future__ import annotations

import json
import multiprocessing
import re
import resource
import sys
from multiprocessing.connection import Connection
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

LENGTH, ROWS, STEPS = 2000, 8, 2
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


def starve_one(model_folder: str, out: Path, job: str, sender: Connection) -> None:
    """One of them, in a process of its own."""
    what, size, megabytes = job.split(",")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    base = load_base(model_folder, device="cpu", dtype="float32")
    model = add_adapter(base.model, rank=4, alpha=8, dropout=0.0, targets="all-linear")
    many, limit = int(size), int(megabytes)
    sender.send(train(model, out / job, many, limit) if what == "train" else answer(model, many, limit))


def main(model_folder: str, out: str, *jobs: str) -> None:
    """Run them one after the other and print what came out."""
    context = multiprocessing.get_context("fork")
    found = []
    for job in jobs:
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=starve_one, args=(model_folder, Path(out), job, sender))
        child.start()
        sender.close()
        found.append(receiver.recv())
        child.join()
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
