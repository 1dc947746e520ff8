"""What was exported, and the proof that it answers as the run did. `export/TARGET/parity.json`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

TargetName = Literal["peft", "merged", "gguf", "ollama", "vllm"]
ReaderName = Literal["peft", "transformers", "llama.cpp", "gguf", "modelfile"]
"""Who read the export back: `gguf` is the file read through transformers and this tool, `llama.cpp` the real thing."""
CheckName = Literal["template", "tokens", "special", "ends", "logits", "answers", "weights"]


class Check(BaseModel):
    """One thing that must be as in the run."""

    name: CheckName
    passed: bool
    expected: str | None = None
    """What the run has, where it differs; the first difference, in short."""
    found: str | None = None


class AnswerPair(BaseModel):
    """A question that the export answers otherwise than the run did."""

    id: str
    prompt: str
    run: str
    export: str


class Proof(BaseModel):
    """One file or folder of an export, read back by one reader in a fresh process."""

    file: str
    """Relative to the export's folder; `.` for the folder itself."""
    reader: ReaderName
    dtype: str
    """Type that the weights are stored in."""
    computed_in: str
    passed: bool
    checks: list[Check]
    logit_error: float | None = None
    """Largest difference of a logit, relative to the largest logit there; the worst position."""
    bound: float | None = None
    """What `logit_error` may be."""
    positions: int = 0
    """Positions whose logits were compared."""
    answers: int = 0
    equal: int = 0
    """Greedy answers that are the same, of `answers`."""
    differences: list[AnswerPair] = []
    prompts: int = 0
    """Prompts whose tokens were compared."""
    seconds: float = 0.0


class Parity(BaseModel):
    """Whether an export answers as the run did."""

    target: TargetName
    passed: bool
    run: str
    """Name of the run's folder."""
    base: str
    """Hub id of the base model, or the name of its folder where no id is known."""
    revision: str | None
    fingerprint: dict[str, str] = {}
    """The run's: data, base, template, config."""
    recorded_equal: int | None = None
    """Answers of the run, computed for this proof, that are those the run has measured; of `recorded`."""
    recorded: int = 0
    computed_by_run: str = ""
    """What the run held its base weights in, and computed its own answers with."""
    proofs: list[Proof] = []
    versions: dict[str, str] = {}
    created: float = 0.0


class Export(BaseModel):
    """One export: what lies where."""

    target: TargetName
    folder: str
    files: dict[str, int]
    """Name -> bytes."""
    commands: list[str] = []
    """Lines that can be pasted to use it."""
    notes: list[str] = []
    """What a user should know, in the language in use."""
    parity: Parity | None = None
