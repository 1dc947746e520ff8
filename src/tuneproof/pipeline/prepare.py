"""The verbs before weights move: data, plan.

`prepare_data` reads, checks and splits the rows; `plan_memory` chooses what fits, rehearses the heaviest step, and
plans the time. Both write their records into the run folder; `prepare_rows` and `preview_plan` do the same without
one.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple

from tuneproof.config import RunConfig
from tuneproof.data.check import check_rows, examine_rows
from tuneproof.data.findings import make_case, note_defect
from tuneproof.data.read import ReadResult, read_rows
from tuneproof.data.split import SplitSizes, check_leaks, compare_own, split_rows
from tuneproof.errors import DataError, FitError, UsageError
from tuneproof.model.chat import Encoded, encode_row
from tuneproof.model.hardware import free_disk, inspect_hardware
from tuneproof.model.load import load_config, load_tokenizer
from tuneproof.model.step import count_trained
from tuneproof.pipeline.beside import check_beside
from tuneproof.pipeline.mixing import list_side, mix_rows, tell_weights
from tuneproof.pipeline.onward import find_sides, find_trained, keep_apart
from tuneproof.pipeline.probes import prepare_probes
from tuneproof.pipeline.scorers import try_scorers
from tuneproof.pipeline.work import Work
from tuneproof.plan.choose import Lengths, Target, choose_plan
from tuneproof.plan.recipe import resolve_training
from tuneproof.progress import Progress
from tuneproof.records import DataReport, Plan, Row, Split, SplitRow, SplitSummary, TokenSummary
from tuneproof.statistics import detectable_effect

LONGEST = 2048
"""Tokens a row may have unless the user says otherwise: longer rows are rare and set the memory of every step."""


class Prepared(NamedTuple):
    """Rows ready to be used."""

    report: DataReport
    rows: list[Row]
    split: Split
    lengths: dict[str, tuple[int, int]]
    """Row id -> (tokens, trained tokens); characters / 4 where no model was named."""


def prepare_rows(config: RunConfig, progress: Progress) -> Prepared:
    """Read, check, split. Raises UsageError for a missing file, DataError when no row can be used."""
    if not config.data.files:
        raise UsageError("data.no_files", where="data.files")
    progress.begin("check")
    data = config.data
    read = read_rows(
        [Path(file) for file in data.files],
        columns=data.columns,
        task=data.task,
        system_prompt=data.system_prompt,
        encoding=data.encoding,
    )
    encoded = _encode(config, read, progress)
    lengths = [len(row.ids) for row in encoded] if encoded else None
    longest = data.max_tokens or min(LONGEST, max(lengths, default=LONGEST) if lengths else LONGEST)
    limit, near = longest if lengths else None, config.split.near_duplicate
    report, rows, clusters = examine_rows(read, lengths=lengths, max_tokens=limit, threshold=near)
    if encoded:
        sizes = {row.id: (len(one.ids), count_trained([one])) for row, one in zip(read.rows, encoded, strict=False)}
        report.tokens = _summarise(sizes)
    else:
        sizes = {row.id: (len(row.question + row.reference) // 4, len(row.reference) // 4) for row in rows}
    mixed = mix_rows(config, read, rows, lambda heavy: _split(config, heavy, clusters))
    rows, split = mixed.rows, mixed.split
    tell_weights(mixed, progress)
    report.weights, report.shadowed, report.left_out = mixed.weights, mixed.shadowed, read.left_out
    if read.left_out:
        progress.say("data.left_out", files=", ".join(read.left_out))
    report.split = SplitSummary(
        train=split.sizes["train"],
        select=split.sizes["select"],
        test=split.sizes["test"],
        minimum_detectable_effect=detectable_effect(split.sizes["test"]),
        likeness=split.likeness,
    )
    progress.end("check")
    return Prepared(report, rows, split, sizes)


def prepare_data(work: Work) -> None:
    """Write data/report.json, data/split.json and the rows of each side."""
    check_beside(work)
    prepared = prepare_rows(work.config, work.progress)
    rows = prepared.rows
    if prepared.split.moved:
        work.progress.say("start.sides", n=len(prepared.split.moved))
    part_rounds(work, prepared)
    if work.config.data.test:
        test, leaked = read_test(work.config, prepared.report, rows)
        known = find_trained(test, work.run)
        test = [row for row in test if row.id not in known]
        if known:
            work.progress.say("start.dropped", n=len(known))
        # A row that is nearly a test row would be tested on what it taught.
        rows = [row for row in rows if row.id not in leaked]
        if not any(prepared.split.rows[row.id].side == "train" for row in rows):
            raise DataError("data.all_leaked", where=work.config.data.test, count=len(leaked))
        for row in test:
            prepared.split.rows[row.id] = SplitRow(cluster=row.id, stratum=row.task, side="test")
        use_own_test(prepared, rows, test)
        rows = [*rows, *test]
    for side in ("train", "select", "test"):
        work.run.save_rows(side, list_side(rows, prepared.split, side))
    prepare_probes(work, [row for row in rows if prepared.split.rows[row.id].side == "train"])
    try_scorers(work, [*rows, *work.own_rows])
    work.run.save(prepared.split)
    work.run.save(prepared.report)
    if not prepared.split.sizes["test"]:
        work.progress.say("data.no_test", rows=len(prepared.rows))


def use_own_test(prepared: Prepared, rows: list[Row], test: list[Row]) -> None:
    """Put the user's own test rows into the records of the split. `rows`: those that do not leak them."""
    split, summary = prepared.split, prepared.report.split
    assert summary is not None
    train = [row for row in rows if split.rows[row.id].side == "train"]
    split.sizes["test"] = summary.test = len(test)
    summary.minimum_detectable_effect = detectable_effect(len(test))
    likeness = compare_own(test, train)
    if likeness is not None:
        split.likeness["test"] = likeness
    summary.likeness = split.likeness


def part_rounds(work: Work, prepared: Prepared) -> None:
    """Hold out no row that an earlier round of `--from` was trained on."""
    trained = find_trained(prepared.rows, work.run)
    moved = [name for name in trained if prepared.split.rows[name].side != "train"]
    if not moved:
        return
    split = keep_apart(prepared.rows, prepared.split, trained)
    prepared.split.rows, prepared.split.sizes, prepared.split.strata = split.rows, split.sizes, split.strata
    prepared.split.largest_stratum_gap = split.largest_stratum_gap
    prepared.split.length_distance, prepared.split.likeness = split.length_distance, split.likeness
    summary = prepared.report.split
    assert summary is not None
    summary.train, summary.select, summary.test = (split.sizes[side] for side in ("train", "select", "test"))
    summary.minimum_detectable_effect, summary.likeness = detectable_effect(summary.test), split.likeness
    work.progress.say("start.moved", n=len(moved))


def plan_memory(work: Work) -> None:
    """Choose what fits and write plan.json; config.yaml then has every memory and training value resolved."""
    work.progress.begin("plan")
    sizes = {}
    for row in work.train_rows:
        one = encode_row(work.tokenizer, row.messages)
        sizes[row.id] = (len(one.ids), count_trained([one]))
    hardware = work.hardware
    limit = work.config.memory.limit or int(0.9 * hardware.memory_free)
    dtype = work.config.model.dtype or hardware.dtype
    target = Target(device=hardware.device, dtype=dtype, limit_bytes=limit, name=hardware.name)
    work.config, work.plan = make_plan(work.config, [sizes[row.id] for row in work.lessons], target)
    leave_out_long(work, {name: tokens for name, (tokens, _) in sizes.items()})
    free = free_disk(work.run.path)
    if work.plan.disk_bytes > free:
        raise FitError("disk.full", where=str(work.run.path), needed=work.plan.disk_bytes >> 20, free=free >> 20)
    work.run.save(work.plan)
    work.save_config()
    work.progress.end("plan")


def leave_out_long(work: Work, tokens: dict[str, int]) -> None:
    """Take rows above the plan's cap out of the training side, and say so in the data report."""
    cap = work.plan.settings.max_tokens
    long = [row for row in work.train_rows if tokens[row.id] > cap]
    if not long:
        return
    report = work.run.load(DataReport)
    report.findings += [
        note_defect(make_case(row), "over_length", "warning", tokens=tokens[row.id], limit=cap) for row in long
    ]
    report.counts["over_length"] = report.counts.get("over_length", 0) + len(long)
    work.run.save(report)
    work.train_rows = [row for row in work.train_rows if tokens[row.id] <= cap]
    work.run.save_rows("train", work.train_rows)
    work.progress.say("data.capped", rows=len(long), cap=cap)


def preview_plan(config: RunConfig, progress: Progress) -> Plan:
    """The plan of `tuneproof plan`: with a memory limit and no GPU in this machine it plans for a CUDA card."""
    prepared = prepare_rows(config, progress)
    train = [row for row in prepared.rows if prepared.split.rows[row.id].side == "train"]
    lengths = [prepared.lengths[row.id] for row in train for _ in range(row.copies)]
    hardware = inspect_hardware(config.model.device)
    if config.memory.limit and config.model.device == "auto" and hardware.device == "cpu":
        target = Target(
            device="cuda", dtype=config.model.dtype or "bfloat16", limit_bytes=config.memory.limit, name="CUDA"
        )
    else:
        limit = config.memory.limit or int(0.9 * hardware.memory_free)
        target = Target(
            device=hardware.device, dtype=config.model.dtype or hardware.dtype, limit_bytes=limit, name=hardware.name
        )
    progress.begin("plan")
    _, plan = make_plan(config, lengths, target, must_fit=False)
    progress.end("plan")
    return plan


def make_plan(
    config: RunConfig, train: list[tuple[int, int]], target: Target, *, must_fit: bool = True
) -> tuple[RunConfig, Plan]:
    """The config with its training and memory values resolved, and the plan. Raises FitError when nothing fits."""
    assert config.model.name is not None
    model_config = load_config(config.model.name, config.model.revision)
    config = resolve_training(config, len(train), model_config)
    lengths = Lengths(
        tokens=[tokens for tokens, _ in train],
        trained=[trained for _, trained in train],
        prompt=max((tokens - trained for tokens, trained in train), default=1),
        answer=config.evaluate.max_new_tokens or 2 * max((trained for _, trained in train), default=1),
    )
    plan = choose_plan(model_config, lengths, config, target)
    if must_fit and not plan.fits:
        change = plan.alternatives[0].change if plan.alternatives else "?"
        needed, limit = plan.peak_bytes / 1e9, plan.limit_bytes / 1e9
        raise FitError("plan.does_not_fit", needed=f"{needed:.1f}", limit=f"{limit:.1f}", change=change)
    settings = plan.settings
    resolved = config.model_copy(deep=True)
    resolved.model.dtype = settings.dtype
    resolved.data.max_tokens = settings.max_tokens
    resolved.train.micro_batch = settings.micro_batch
    resolved.evaluate.batch_size = settings.answer_batch
    resolved.memory.limit = plan.limit_bytes
    resolved.memory.checkpointing = settings.checkpointing
    resolved.memory.quantization = settings.quantization
    return resolved, plan


def _encode(config: RunConfig, read: ReadResult, progress: Progress) -> list[Encoded] | None:
    """Every row in the model's tokens; None where no model was named."""
    if config.model.name is None:
        return None
    tokenizer: Any = load_tokenizer(config.model.name, config.model.revision)
    encoded, shown = [], time.monotonic()
    for done, row in enumerate(read.rows, start=1):
        encoded.append(encode_row(tokenizer, row.messages))
        if time.monotonic() - shown > 0.5:
            progress.advance(done)
            shown = time.monotonic()
    return encoded


def _summarise(sizes: dict[str, tuple[int, int]]) -> TokenSummary:
    import numpy as np

    tokens = [size for size, _ in sizes.values()]
    return TokenSummary(
        p50=int(np.percentile(tokens, 50)),
        p95=int(np.percentile(tokens, 95)),
        max=max(tokens),
        supervised_share=sum(trained for _, trained in sizes.values()) / sum(tokens),
    )


def _split(config: RunConfig, rows: list[Row], clusters: dict[str, str]) -> Split:
    """The split; with the user's own test file nothing is held out for a test."""
    knobs = config.split
    own = config.data.test is not None
    sizes = SplitSizes(
        select_share=knobs.select_share,
        test_share=0.0 if own else knobs.test_share,
        minimum_test=0 if own else knobs.minimum_test,
        maximum_test=0 if own else knobs.maximum_test,
        minimum_select=knobs.minimum_select,
    )
    return split_rows(rows, clusters, seed=config.train.seed, sizes=sizes, earlier=find_sides(config))


def read_test(config: RunConfig, report: DataReport, rows: list[Row]) -> tuple[list[Row], set[str]]:
    """The user's own test rows, and the ids of other rows that leak them; each leak becomes a finding of the report."""
    data = config.data
    assert data.test is not None
    read = read_rows(
        [Path(data.test)],
        columns=data.columns,
        task=data.task,
        system_prompt=data.system_prompt,
        encoding=data.encoding,
    )
    _, test = check_rows(read, lengths=None, max_tokens=None)
    leaks = check_leaks(rows, test)
    report.findings += leaks
    for leak in leaks:
        report.counts[leak.kind] = report.counts.get(leak.kind, 0) + 1
    places = {(leak.file, leak.line) for leak in leaks}
    return test, {row.id for row in rows if (row.file, row.line) in places}
