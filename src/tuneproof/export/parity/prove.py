"""One proof: a file or folder of an export against what the run was heard to say.

In: a `Subject`, the run's `Heard`. Out: a `Proof`. Nothing but the file on disk goes into the fresh process.

    heard = hear(make_request(source, asked, "run", source.adapter))
    proof = prove(Trial(source, folder, asked, heard), subject)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tuneproof.export.gguf.write import write_base
from tuneproof.export.ollama import read_modelfile, render_modelfile
from tuneproof.export.parity.ask import Heard, Question, Request, ask_fresh
from tuneproof.export.parity.judge import compare_lists, judge
from tuneproof.export.parity.lorafile import check_lora
from tuneproof.export.source import Source
from tuneproof.export.targets import Subject
from tuneproof.model.hardware import DtypeName
from tuneproof.model.load import load_tokenizer
from tuneproof.records import Message
from tuneproof.records.export import Check, Proof, ReaderName


class Asked(NamedTuple):
    """What is asked: questions that are answered, and prompts of which only the tokens count."""

    questions: Sequence[Question]
    prompts: Sequence[Sequence[Message]]
    precision: DtypeName
    """What is computed in."""


class Trial(NamedTuple):
    """An export on trial."""

    source: Source
    folder: Path
    asked: Asked
    run: Heard
    ask: Callable[[Request], Heard] = ask_fresh


def make_request(source: Source, asked: Asked, reader: ReaderName | str, path: Path) -> Request:
    """The request to a reader of `path`."""
    return Request(
        reader=reader,  # type: ignore[arg-type]
        path=str(path),
        model=source.model,
        revision=source.revision,
        dtype=source.dtype,
        quantization=source.quantization,
        device=source.device,
        precision=asked.precision,
        questions=list(asked.questions),
        prompts=[list(prompt) for prompt in asked.prompts],
    )


def prove(trial: Trial, subject: Subject) -> Proof:
    """The proof of one subject. Raises ExportError when it cannot be read at all."""
    started = time.perf_counter()
    if subject.reader == "modelfile":
        proof = prove_modelfile(trial, subject)
    elif subject.lora is not None:
        proof = prove_lora(trial, subject)
    else:
        request = make_request(trial.source, trial.asked, subject.reader, trial.folder / subject.file)
        request.continuations = trial.run.reading.answers
        proof = judge(request, trial.run, trial.ask(request), file=subject.file, dtype=subject.dtype)
    proof.seconds = round(time.perf_counter() - started, 2)
    return proof


def prove_lora(trial: Trial, subject: Subject) -> Proof:
    """The adapter's file: its numbers; and where llama.cpp is there, its answers on the base in the same type."""
    check = check_lora(trial.source, trial.folder / subject.file)
    if subject.reader != "llama.cpp":
        return Proof(
            file=subject.file,
            reader="gguf",
            dtype=subject.dtype,
            computed_in="float32",
            passed=check.passed,
            checks=[check],
        )
    # Beside the export, not where temporary files lie: that may be memory, and a base is large.
    with TemporaryDirectory(dir=trial.folder, prefix=".base.") as name:
        base = Path(name) / "base-F16.gguf"
        write_base(trial.source, base, "f16")
        request = make_request(trial.source, trial.asked, "llama.cpp", base)
        request.continuations = trial.run.reading.answers
        request.lora = str(trial.folder / subject.file)
        proof = judge(request, trial.run, trial.ask(request), file=subject.file, dtype="f16")
    proof.dtype = subject.dtype
    proof.checks.insert(0, check)
    proof.passed = proof.passed and check.passed
    return proof


def prove_modelfile(trial: Trial, subject: Subject) -> Proof:
    """The Modelfile: the text that its template makes, its stops, and the file that it starts from."""
    text = (trial.folder / subject.file).read_text(encoding="utf-8")
    modelfile = read_modelfile(text)
    source, run = trial.source, trial.run.reading
    tokenizer = load_tokenizer(source.model, source.revision)
    prompts = [*(question.messages for question in trial.asked.questions), *trial.asked.prompts]
    texts = [render_modelfile(modelfile, list(prompt)) for prompt in prompts]
    stops = [tokenizer.convert_ids_to_tokens(token) for token in run.ends]
    missing = [stop for stop in stops if stop not in modelfile.stops]
    there = (trial.folder / modelfile.base).is_file()
    checks = [
        compare_lists("template", run.texts, texts),
        Check(name="ends", passed=not missing, expected=str(stops), found=str(list(modelfile.stops))),
        Check(name="weights", passed=there, expected="FROM", found=modelfile.base),
    ]
    return Proof(
        file=subject.file,
        reader="modelfile",
        dtype=subject.dtype,
        computed_in="-",
        passed=all(check.passed for check in checks),
        checks=checks,
        prompts=len(prompts),
    )
