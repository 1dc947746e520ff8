"""Answers of a run's model to a file of questions. Nothing is written into the run folder.

In: a run folder, a file that `check` reads (references optional) or a `.txt` with a question a line. Out: a `Reply` a
question, in the file's order. What cannot be asked is left out and said.

    answer_questions(AnswerRequest(Path("runs/first"), Path("questions.txt")), Quiet())
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from safetensors import SafetensorError

from tuneproof.config.load import load_settled
from tuneproof.data.read import read_rows
from tuneproof.errors import DataError, RunError, UsageError
from tuneproof.messages import tell
from tuneproof.model.chat import encode_prompt, end_ids
from tuneproof.model.generate import Generated, generate_answers
from tuneproof.model.load import fingerprint_model, fingerprint_template
from tuneproof.pipeline import AnswerRequest, open_run
from tuneproof.pipeline.asking import fit_batch
from tuneproof.pipeline.chain import refuse_other
from tuneproof.pipeline.work import Work
from tuneproof.progress import Progress
from tuneproof.records import Reply, Row, Selection
from tuneproof.rundir import write_atomic

WEIGHTS = "adapter_model.safetensors"
REASONS_TOLD = 10
"""Reasons that are told one by one; of all others the number."""


def answer_questions(request: AnswerRequest, progress: Progress) -> list[Reply]:
    """Greedy answers, as the run's own measurements make them.

    Raises UsageError for a file that is not there or cannot be read, DataError when it holds no question that can be
    asked, RunError when the run has no adapter or its base is not the one on disk any more.
    """
    run = open_run(request.run)
    config = load_settled(run.config, request.settings)
    if request.out:
        check_place(request.out)
    work = Work(run, config, progress)
    if request.arm == "tuned" and not (run.adapter / WEIGHTS).is_file():
        raise RunError("run.missing", where=str(run.adapter / WEIGHTS), file=f"adapter/{WEIGHTS}")
    rows = read_questions(work, request)
    assert config.model.name is not None
    base = {"base": fingerprint_model(config.model.name), "template": fingerprint_template(work.tokenizer)}
    refuse_other(run, base)
    limit = request.max_new_tokens or max(work.limits.values())
    rows, prompts = fit_prompts(work, rows, limit)
    model = load_arm(work, request)
    with work.folded() if request.arm == "tuned" else nullcontext():
        generated = generate_replies(work, model, prompts, limit)
    replies = [
        Reply(
            id=row.id,
            line=row.line,
            prompt=row.question,
            answer=work.tokenizer.decode(made.ids, skip_special_tokens=True).strip(),
            tokens=len(made.ids),
            finish=made.finish,
        )
        for row, made in zip(rows, generated, strict=True)
    ]
    if request.out:
        write_atomic(request.out, "".join(reply.model_dump_json() + "\n" for reply in replies))
    return replies


def generate_replies(work: Work, model: Any, prompts: Sequence[Sequence[int]], limit: int) -> list[Generated]:
    """New tokens for each prompt, at most `limit`."""
    work.progress.begin("answer", len(prompts))
    done = 0

    def count(ended: Mapping[int, Generated]) -> None:
        nonlocal done
        done += len(ended)
        work.progress.advance(done)

    generated = generate_answers(
        model,
        prompts,
        limits=[limit] * len(prompts),
        ends=end_ids(work.tokenizer, model.generation_config),
        batch_size=fit_batch(work, max(map(len, prompts)) + limit),
        on_answers=count,
    )
    work.progress.end("answer")
    return generated


def check_place(path: Path) -> None:
    """Raise UsageError when no file can be written at `path`: before the answers are made, not after."""
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise UsageError("answer.no_place", where=str(path), why=error.strerror or str(error)) from error


def read_questions(work: Work, request: AnswerRequest) -> list[Row]:
    """The questions of the file, read as the run's own data was; a reference, where there is one, is not looked at."""
    if request.file.is_dir():
        raise UsageError("answer.folder", where=str(request.file))
    data = work.config.data
    read = read_rows(
        [request.file],
        columns=data.columns,
        task=None,
        system_prompt=data.system_prompt,
        encoding=data.encoding,
        answered=False,
    )
    broken = [f"{one.place}: {one.message}" for one in read.findings if one.severity == "error"]
    asked = [row for row in read.rows if row.question.strip()]
    empty = [row for row in read.rows if not row.question.strip()]
    leave_out(work, asked, broken + [f"{row.file}:{row.line}: {tell('finding.empty_instruction')}" for row in empty])
    return asked


def fit_prompts(work: Work, rows: Sequence[Row], limit: int) -> tuple[list[Row], list[list[int]]]:
    """The rows that leave room for an answer of `limit` tokens in the model's context, and their prompts."""
    context = work.context
    prompts = [encode_prompt(work.tokenizer, row.prompt) for row in rows]
    long = [context is not None and len(prompt) + limit > context for prompt in prompts]
    kept = [row for row, out in zip(rows, long, strict=True) if not out]
    reasons = [
        f"{row.file}:{row.line}: {tell('answer.too_long', tokens=len(prompt), limit=limit, context=context)}"
        for row, prompt, out in zip(rows, prompts, long, strict=True)
        if out
    ]
    leave_out(work, kept, reasons)
    return kept, [prompt for prompt, out in zip(prompts, long, strict=True) if not out]


def leave_out(work: Work, kept: Sequence[Row], reasons: Sequence[str]) -> None:
    """Say what is left out, and why. Raises DataError when nothing is kept."""
    if not reasons:
        return
    told = "\n".join(reasons[:REASONS_TOLD])
    if not kept:
        raise DataError("answer.no_question", count=len(reasons), reasons=told)
    work.progress.say("answer.left_out", count=len(reasons), reasons=told)


def load_arm(work: Work, request: AnswerRequest) -> Any:
    """The base alone, or with the run's adapter at the strength that the run chose."""
    if request.arm == "base":
        if not work.plan.settings.offload:
            return work.base.model
        # The device has room for streamed layers alone, and these stand beside an adapter.
        work.model.base_model.disable_adapter_layers()
        return work.model
    selection = work.run.load(Selection)
    try:
        work.wear(work.run.adapter, selection.scale)
    except (SafetensorError, OSError, RuntimeError) as error:
        where, why = str(work.run.adapter / WEIGHTS), str(error).splitlines()[0]
        raise RunError("answer.bad_adapter", where=where, why=why) from error
    return work.model
