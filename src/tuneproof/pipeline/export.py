"""The verb `export`: a run's model in the form that other tools read, and the proof that it answers as the run did.

In: a run folder, the targets. Out: an `Export` a target, with its parity; `RUN/export/TARGET/` with `parity.json`. The
run itself is heard once, before anything is read back, and let go: two models are never in memory together.

    export_targets(ExportRequest(Path("runs/first"), ["gguf"]), Quiet())[0].parity.passed
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from tuneproof.config.load import load_settled
from tuneproof.errors import RunError
from tuneproof.evals.task import Item, spread_items
from tuneproof.export.adapter import WEIGHTS
from tuneproof.export.card import Facts, write_card
from tuneproof.export.folder import list_sizes, stage_folder
from tuneproof.export.merged import measure_merged
from tuneproof.export.parity.ask import Heard, Question, Request, ask_fresh
from tuneproof.export.parity.prove import Asked, Trial, make_request, prove
from tuneproof.export.parity.run import hear_run
from tuneproof.export.source import Source, name_base
from tuneproof.export.targets import (
    Order,
    bits_of,
    check_order,
    count_rounded,
    list_commands,
    list_notes,
    list_subjects,
    write_target,
)
from tuneproof.messages import tell
from tuneproof.model.load import fingerprint_model, fingerprint_template, quiet_transformers
from tuneproof.pipeline import ExportRequest, open_run
from tuneproof.pipeline.chain import list_versions, refuse_other
from tuneproof.pipeline.finish import describe_source
from tuneproof.pipeline.probes import verdict_probes
from tuneproof.pipeline.work import Work
from tuneproof.progress import Progress
from tuneproof.records import Export, Message, Parity, RunRecord
from tuneproof.rundir import write_atomic

PARITY = "parity.json"
PROMPTS = 200
"""Further prompts of which the tokens are compared: the other test rows, then the retention probes."""
COARSE = ("q5_0", "q4_0")
ROOM = 1.3
"""Memory that a model takes while it answers, relative to its weights."""


class Case(NamedTuple):
    """An export being made: the run at work, what it exports, and what will be asked."""

    work: Work
    truth: Source
    """The run on its own base: what is heard."""
    source: Source
    """What is exported: the same, unless another base is named."""
    items: Sequence[Item]
    suite: str
    """Where the run's own answers to these items lie."""


def export_targets(
    request: ExportRequest, progress: Progress, ask: Callable[[Request], Heard] = ask_fresh
) -> list[Export]:
    """Write every target, then prove each. Raises any TuneproofError; a proof that fails is in the record.

    `ask`: how an export is asked; in a process of its own unless a test has no time for that.
    """
    run = open_run(request.run)
    config = load_settled(run.config, request.settings)
    if not (run.adapter / WEIGHTS).is_file():
        raise RunError("run.missing", where=str(run.adapter / WEIGHTS), file=f"adapter/{WEIGHTS}")
    work = Work(run, config, progress)
    with run.lock(), quiet_transformers():
        case = open_case(work, request)
        orders = [Order(target, request.dtype) for target in request.targets]
        for order in orders:
            check_order(order, case.source)
        if not request.check:
            for order in orders:
                write_export(case, order)
        return prove_exports(case, orders, ask)


def open_case(work: Work, request: ExportRequest) -> Case:
    """What is exported. Raises RunError when the base on this disk is not the run's."""
    name = work.config.model.name
    assert name is not None
    refuse_other(work.run, {"base": fingerprint_model(name), "template": fingerprint_template(work.tokenizer)})
    truth = describe_source(work, request.base_id)
    if request.dtype in COARSE:
        truth = add_rows(work, truth)
    source = truth
    if request.base is not None:
        name, _, commit = request.base.partition("@")
        source = truth._replace(
            model=name, revision=commit or None, base=name_base(name, commit or None, request.base_id)
        )
    items, suite = choose_items(work, request.items)
    return Case(work, truth, source, items, suite)


def add_rows(work: Work, source: Source) -> Source:
    """With the rows that 4 and 5 bits are rounded for: what was trained on, the base's own answers among it."""
    names = [name for name in ("train", "replay") if work.run.has_rows(name)]
    return source._replace(rows=[row for name in names for row in work.run.load_rows(name)])


def choose_items(work: Work, count: int) -> tuple[list[Item], str]:
    """Test items that the run has answered; without any the retention probes."""
    answered = {answer.id for answer in work.run.find_answers("tuned", "test")}
    rows = work.row_items("test", None)
    items = [item for item in rows if item.id in answered] or rows
    if items:
        return spread_items(items, count), "test"
    return spread_items(verdict_probes(work), count), "retention"


def write_export(case: Case, order: Order) -> None:
    """Write one target's folder, whole or not at all."""
    source, run = case.source, case.work.run
    bits = bits_of(order, source)
    tensors, size = measure_merged(source, bits / 8) if bits else (1, 0)
    tensors += count_rounded(order, source)
    case.work.progress.begin("export", tensors)
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        case.work.progress.advance(done)

    size += (run.adapter / WEIGHTS).stat().st_size * 2
    with stage_folder(run.path / "export" / order.target, size) as stage:
        write_target(order, source, stage, count)
        kind = {"merged": "model", "gguf": "gguf", "ollama": "gguf"}.get(order.target, "adapter")
        write_card(Facts(run, case.work.config, source), stage, kind)  # type: ignore[arg-type]
    case.work.progress.end("export")


def prove_exports(case: Case, orders: Sequence[Order], ask: Callable[[Request], Heard]) -> list[Export]:
    """Hear the run once, then every export."""
    progress, run = case.work.progress, case.work.run
    folders = {order: run.path / "export" / order.target for order in orders}
    for folder in folders.values():
        if not folder.is_dir():
            raise RunError("export.nothing", where=str(folder))
    subjects = {order: list_subjects(order.target, folder) for order, folder in folders.items()}
    asked = choose_asked(case)
    progress.begin("prove", 1 + sum(map(len, subjects.values())))
    heard = hear_once(case, asked)
    progress.advance(done := 1)
    exports = []
    for order, folder in folders.items():
        trial = Trial(case.source, folder, asked, heard, ask)
        proofs = []
        for subject in subjects[order]:
            proofs.append(prove(trial, subject))
            progress.advance(done := done + 1)
        parity = make_parity(case, order, heard)
        parity.proofs = proofs
        parity.passed = all(proof.passed for proof in proofs)
        write_atomic(folder / PARITY, parity.model_dump_json(indent=1) + "\n")
        run.log_event("export", target=order.target, passed=parity.passed)
        exports.append(make_export(case, order, folder, parity))
    progress.end("prove")
    return exports


def hear_once(case: Case, asked: Asked) -> Heard:
    """What the run says; its model is gone from memory afterwards."""
    heard = hear_run(make_request(case.truth, asked, "run", case.truth.adapter))
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return heard


def choose_asked(case: Case) -> Asked:
    """The questions, further prompts for the tokens, and the precision: fp32 where the model fits so."""
    questions = [Question(id=item.id, messages=item.messages, limit=item.limit) for item in case.items]
    known = {item.id for item in case.items}
    others: list[Item] = [item for item in case.work.row_items("test", None) if item.id not in known]
    probes = verdict_probes(case.work)
    prompts: list[Sequence[Message]] = [item.messages for item in [*others, *probes][:PROMPTS]]
    _, size = measure_merged(case.source, 4.0)
    fits = size * ROOM < case.work.hardware.memory_free
    return Asked(questions, prompts, "float32" if fits else case.source.dtype)


def make_parity(case: Case, order: Order, heard: Heard) -> Parity:
    """The record, still without proofs."""
    record = case.work.run.load(RunRecord)
    measured = {answer.id: answer.answer for answer in case.work.run.find_answers("tuned", case.suite)}
    same = [
        said == measured[item.id].strip()
        for item, said in zip(case.items, heard.reading.said, strict=True)
        if item.id in measured
    ]
    return Parity(
        target=order.target,
        passed=False,
        run=case.source.run,
        base=case.source.base.id,
        revision=case.source.base.revision,
        fingerprint=record.fingerprint,
        recorded_equal=sum(same) if same else None,
        recorded=len(same),
        computed_by_run=case.source.dtype if case.source.quantization == "none" else case.source.quantization,
        versions=list_versions(),
        created=round(time.time(), 3),
    )


def make_export(case: Case, order: Order, folder: Path, parity: Parity) -> Export:
    """The record of one export."""
    notes = list_notes(order, case.source)
    if order.dtype in COARSE and not parity.passed:
        notes.append(tell("export.note.coarse", dtype=order.dtype))
    return Export(
        target=order.target,
        folder=str(folder),
        files=list_sizes(folder),
        commands=list_commands(order, case.source, folder),
        notes=notes,
        parity=parity,
    )
