"""What a model is asked, what is heard, and the fresh process in which an export is asked.

In: a `Request`. Out: a `Heard`: the same for the run and for every kind of export, so that they can be held against
each other. Logits travel in a safetensors file, all else as JSON.

    run = hear_run(request)                     # in this process
    export = ask_fresh(request.model_copy(update={"reader": "transformers", "continuations": run.reading.answers}))
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

import torch
from pydantic import BaseModel
from safetensors.torch import load_file, save_file
from torch import Tensor

from tuneproof.errors import ExportError
from tuneproof.model.hardware import DtypeName
from tuneproof.records import Message
from tuneproof.records.export import ReaderName

POSITIONS = 8
"""Tokens of an answer whose logits are compared: the first is the prompt's own last position."""


class Question(BaseModel):
    """One prompt that is answered."""

    id: str
    messages: list[Message]
    limit: int
    """New tokens at most."""


class Request(BaseModel):
    """Who is asked what, and how."""

    reader: ReaderName | Literal["run"]
    path: str
    """The export's folder or file; the run's adapter folder."""
    model: str
    """The base as it is loaded here, for those who need it: a hub id or a folder."""
    revision: str | None = None
    lora: str | None = None
    """A LoRA file on top of `path`, for llama.cpp."""
    dtype: DtypeName
    """What the run's base weights were held in."""
    quantization: Literal["none", "int8", "nf4"] = "none"
    device: str
    precision: DtypeName
    """What is computed in."""
    questions: list[Question]
    prompts: list[list[Message]] = []
    """Further prompts, of which only the tokens are compared."""
    continuations: list[list[int]] = []
    """The run's answers to the questions: logits are compared along them."""


class Reading(BaseModel):
    """What was heard, but for the logits."""

    texts: list[str] = []
    """The template's text of each question, then of each further prompt."""
    ids: list[list[int]] = []
    """Its tokens, as a server makes them."""
    special: dict[str, int] = {}
    """`bos`, `eos`, `pad` and every special token's text -> id."""
    ends: list[int] = []
    """Tokens that end an answer."""
    answers: list[list[int]] = []
    """New tokens, the one that ended them not among them."""
    ended: list[bool] = []
    said: list[str] = []


class Heard(NamedTuple):
    """A reading and, for each question, the logits along the run's answer: shape (positions, vocabulary), fp32."""

    reading: Reading
    logits: list[Tensor]


def list_positions(prompt: Sequence[int], continuation: Sequence[int]) -> tuple[list[int], int]:
    """Tokens to read, and the first position whose logits count: the last of the prompt, then those of the answer."""
    return [*prompt, *continuation[: POSITIONS - 1]], len(prompt) - 1


def ask_fresh(request: Request) -> Heard:
    """Ask in a process that has nothing of this one. Raises ExportError when the export cannot be read."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "request.json").write_text(request.model_dump_json(), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "tuneproof.export.parity.child", str(folder)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "PYTHONUTF8": "1"},
        )
        if done.returncode != 0 or not (folder / "reading.json").is_file():
            why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            raise ExportError("export.unreadable", where=request.path, reader=request.reader, why=why[:300])
        return load_heard(folder)


def save_heard(heard: Heard, folder: Path) -> None:
    """Write what was heard."""
    save_file({str(at): logits.contiguous() for at, logits in enumerate(heard.logits)}, folder / "logits.safetensors")
    (folder / "reading.json").write_text(heard.reading.model_dump_json(), encoding="utf-8")


def load_heard(folder: Path) -> Heard:
    """Read it again."""
    reading = Reading.model_validate(json.loads((folder / "reading.json").read_text(encoding="utf-8")))
    # As a copy: the file goes with the folder.
    logits = {int(name): tensor.clone() for name, tensor in load_file(folder / "logits.safetensors").items()}
    return Heard(reading, [logits[at] for at in sorted(logits)])


def pick_next(logits_V: Tensor) -> int:
    """The likeliest token."""
    return int(torch.argmax(logits_V))
